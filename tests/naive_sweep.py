"""What a run of the sealer lists, by a naive reading of the rules: everything is read first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from nhi_evidence.evidence import keys, leaf, sweep
from tests.memory_store import MemoryStore

HOUR = 3_600_000


class Taken(NamedTuple):
    """What a run takes under one prefix."""

    names: list[str]
    """Keys; at a level, folders as well."""
    is_cut: bool


class Naive:
    """One run, by lists: everything is read, then what the run may take is picked from it."""

    def __init__(
        self,
        store: MemoryStore,
        now: int,
        last: int | None,
        cursors: Mapping[str, leaf.Cursor],
        at_once: int,
    ) -> None:
        self.all = list(store.versions(""))
        self.now, self.last, self.at_once = now, last or 0, at_once
        self.before, self.cursors = dict(cursors), dict(cursors)
        self.keys: list[str] = []
        self.swept: dict[str, list[tuple[str, int]]] = {}
        self.until = now

    def run(self, enough: Callable[[int], bool]) -> None:
        """List what is due, what fell due first before the rest."""
        due = []
        for source, folder, hour, since in self._folders():
            instant = sweep.falls_due(hour, self.now, since)
            instant = 0 if instant is None else instant
            if folder in self.before:
                instant = min(instant, self.before[folder].began)
            if instant <= self.now:
                due.append((instant, source, folder, hour))
        reached = 0
        for instant, source, folder, hour in sorted(due):
            if reached and instant != reached and enough(self._count()):
                self._stop(instant)
                return
            reached = instant
            if not self._folder(source, folder, hour) and instant:
                self._stop(instant)

    def _stop(self, instant: int) -> None:
        self.until = min(self.until, max(instant, self.last) - 1)

    def _count(self) -> int:
        return sum(version.key in set(self.keys) for version in self.all)

    def _folders(self) -> list[tuple[str, str, str, int]]:
        """Return source, folder, hour and `since` of everything that may be listed."""
        folders = []
        kinds, since, _ = self._level("")
        for kind in kinds:
            if kind not in {"ev/", "op/"}:
                folders.append((kind, kind, "*", since))
                continue
            formats, since_of_kind, _ = self._level(kind)
            for version in formats:
                if version != kind + "v1/":
                    folders.append((version, version, "*", since_of_kind))
                    continue
                for source in self._level(version)[0]:
                    folders += self._of_source(source)
        return folders

    def _of_source(self, source: str) -> list[tuple[str, str, str, int]]:
        names, since, is_whole = self._level(source)
        if not is_whole:
            last_hours = [keys.hour_of(self.now - n * HOUR) for n in range(4)]
            names += [f"{source}h={hour}/" for hour in last_hours]
            names += [name for name in self.before if name.startswith(source) and name != source]
        return [
            (source, name, name.split("/")[3].removeprefix("h="), since)
            for name in sorted({*names})
        ]

    def _level(self, prefix: str) -> tuple[list[str], int, bool]:
        cursor = self.before.get(prefix, leaf.Cursor("", self.now, self.last))
        names: dict[str, int] = {}
        for version in self.all:
            if version.key.startswith(prefix):
                name, slash, _ = version.key[len(prefix) :].partition("/")
                entry = prefix + name + slash
                names[entry] = 1 if slash else names.get(entry, 0) + 1
        taken = self._take(names, cursor.after)
        loose = [name for name in taken.names if not name.endswith("/")]
        self._add(prefix, "*", loose)
        self.cursors.pop(prefix, None)
        if taken.is_cut:
            self.cursors[prefix] = leaf.Cursor(taken.names[-1], cursor.began, cursor.since)
        elif cursor.after:
            self.cursors[prefix] = leaf.Cursor("", self.now, cursor.began)
        folders = [name for name in taken.names if name.endswith("/") and name != "log/"]
        return folders, cursor.since, not taken.is_cut and not cursor.after

    def _folder(self, source: str, folder: str, hour: str) -> bool:
        cursor = self.before.get(folder, leaf.Cursor("", self.now))
        counts: dict[str, int] = {}
        for version in self.all:
            if version.key.startswith(folder):
                counts[version.key] = counts.get(version.key, 0) + 1
        taken = self._take(counts, cursor.after)
        self._add(source, hour, taken.names)
        self.cursors.pop(folder, None)
        if not taken.is_cut:
            return True
        half_listed = [name for name in self.cursors if name.startswith(source)]
        if len([name for name in half_listed if name != source]) >= 4:
            return False
        self.cursors[folder] = leaf.Cursor(taken.names[-1], cursor.began)
        return True

    def _take(self, counts: Mapping[str, int], after: str) -> Taken:
        names: list[str] = []
        for name in sorted(counts):
            if name <= after:
                continue
            if sum(counts[each] for each in names) >= self.at_once:
                return Taken(names, is_cut=True)
            names.append(name)
        return Taken(names, is_cut=False)

    def _add(self, source: str, hour: str, names: list[str]) -> None:
        if names:
            self.keys += names
            hour = hour if keys.hour_start(hour) is not None else "*"
            count = sum(version.key in set(names) for version in self.all)
            self.swept.setdefault(source, []).append((hour, count))

    def result(self) -> tuple[list[tuple[str, str]], dict[str, leaf.Sweep], int, object]:
        """Return what a `SweepResult` says, without the order of its versions."""
        swept = {
            source: leaf.Sweep(
                len(runs),
                min(hour for hour, _ in runs),
                max(hour for hour, _ in runs),
                sum(count for _, count in runs),
            )
            for source, runs in self.swept.items()
        }
        listed = sorted((v.key, v.id) for v in self.all if v.key in set(self.keys))
        return listed, swept, self.until, self.cursors
