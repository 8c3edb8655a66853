"""Reading the sealed objects of some hours: those that are under a signed checkpoint and valid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from nhi_evidence.completeness import promises
from nhi_evidence.completeness.gather import Gatherer
from nhi_evidence.completeness.promises import Times
from nhi_evidence.evidence import flags, frame, keys
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import UnitLine
from nhi_evidence.evidence.objects import Table, lines_of_others, read_table
from nhi_evidence.evidence.verify import objects
from nhi_evidence.evidence.verify.objects import Content
from nhi_evidence.ports import EvidenceVersions

AT_ONCE = 128
"""Maximum number of objects requested together; the store reads ahead only among these."""

Placed = tuple[int, ObjectLeaf]
"""Place in the whole log, and the leaf there."""


def is_evidence(entry: ObjectLeaf) -> bool:
    """Whether a leaf is that of an evidence object whose claims may be weighed."""
    stated = keys.parse_key(entry.key)
    is_named = stated.kind == "ev" and stated.hour is not None and stated.body_sha256 is not None
    return is_named and not flags.never_counts(entry.flags)


class Reading:
    """Reads objects into a gatherer; what cannot be read is listed, and claims nothing."""

    def __init__(
        self,
        store: EvidenceVersions,
        gatherer: Gatherer,
        progress: Callable[[str, int], None] = lambda _what, _done: None,
        *,
        grace_ms: int = 0,
    ) -> None:
        """Read from `store`, whose lifecycle removes nothing until so long after its lock."""
        self._store = store
        self._grace_ms = grace_ms
        self._gatherer = gatherer
        self._progress = progress
        self.unsound: dict[str, str] = {}
        """By key, objects whose claims are void, and why; `verify` says more."""
        self.expired: set[tuple[str, str]] = set()
        """Source and hour of everything that is gone after the end of its lock and the grace."""
        self.objects = 0

    def read(self, entries: Iterable[Placed], *, now: int) -> None:
        """Read the tables of objects; read an object in full if not all its units are of records.

        `now`, milliseconds since the epoch, decides what may have expired.
        """
        remaining = iter(entries)
        while chunk := list(islice(remaining, AT_ONCE)):
            self._tables([each for each in chunk if is_evidence(each[1])], now)

    def promises(
        self, entries: Iterable[Placed], times: Times, wanted: Callable[[str, str], bool]
    ) -> None:
        """Read promises of heartbeats; one that cannot be read promises nothing, and is listed."""
        chosen = list(entries)
        bodies = self._store.bodies((entry.key, entry.vid) for _, entry in chosen)
        for (order, entry), body in zip(chosen, bodies, strict=True):
            try:
                promise = promises.read(body or b"", entry.key)
            except ValueError as error:
                self.unsound[entry.key] = str(error)
                continue
            if wanted(promise.source, promise.hour):
                self._gatherer.promised(order, entry.at, promise, sealed=times.sealed(order))

    def _tables(self, chunk: Sequence[Placed], now: int) -> None:
        chunk = [each for each in chunk if self._states_table(each[1])]
        wanted = [(entry.key, entry.vid, objects.table_bytes(entry)) for _, entry in chunk]
        read_in_full: list[Placed] = []
        for (order, entry), head in zip(chunk, self._store.beginnings(wanted), strict=True):
            self.objects += 1
            self._progress("objects", self.objects)
            if head is None:
                self._gone(entry, now)
                continue
            try:
                content = objects.weigh(entry, _table(head))
            except ValueError as error:
                self.unsound[entry.key] = str(error)
                continue
            table = content.table
            if table is None or all(unit.kind == "records" for unit in table.units):
                self._take(order, entry, content, None)
            else:
                read_in_full.append((order, entry))
        bodies = self._store.bodies((entry.key, entry.vid) for _, entry in read_in_full)
        for (order, entry), body in zip(read_in_full, bodies, strict=True):
            self._take_full(order, entry, body)

    def _states_table(self, entry: ObjectLeaf) -> bool:
        """Whether an object states how long its table is; one that does not is not valid."""
        is_stated = objects.table_bytes(entry) > 0
        if not is_stated:
            self.objects += 1
            self.unsound[entry.key] = "its metadata does not say how long its table is"
        return is_stated

    def _take_full(self, order: int, entry: ObjectLeaf, body: bytes | None) -> None:
        problems = [] if body is None else list(objects.stored(entry, body))
        is_altered = any(each.code != "no_checksum" for each in problems)
        if body is None or is_altered:
            self.unsound[entry.key] = "gone, or not the sealed bytes"
        else:
            self._take(order, entry, objects.read_content(entry, body), body)

    def _take(self, order: int, entry: ObjectLeaf, content: Content, body: bytes | None) -> None:
        def opened() -> Iterator[tuple[UnitLine, Sequence[bytes]]]:
            if body is not None and content.table is not None:
                yield from lines_of_others(body, content.table)

        if content.table is None or not content.counts:
            first = content.findings[0]
            self.unsound[entry.key] = first.detail or first.code
            return
        try:
            self._gatherer.take(
                order,
                entry.key,
                entry.vid,
                table=content.table,
                void=content.void,
                opened=opened,
            )
        except ValueError as error:
            self.unsound[entry.key] = str(error)

    def _gone(self, entry: ObjectLeaf, now: int) -> None:
        stated = keys.parse_key(entry.key)
        is_expired = entry.until is not None and now > entry.until + self._grace_ms
        if is_expired and objects.may_be_of_its_hour(entry):
            self.expired.add((stated.source, stated.hour or ""))
        else:
            why = "gone; received before the hour in its key began" if is_expired else "gone"
            self.unsound[entry.key] = why


def unit_names(
    store: EvidenceVersions, entries: Sequence[Placed]
) -> Iterator[tuple[Placed, tuple[str, ...] | None]]:
    """Yield each evidence object with the names of its units; None if its table cannot be read.

    Only the beginning of each object is fetched.
    """
    wanted = [(entry.key, entry.vid, objects.table_bytes(entry)) for _, entry in entries]
    for placed, head in zip(entries, store.beginnings(wanted), strict=True):
        try:
            names = None if head is None else tuple(one.unit for one in _table(head).units)
        except ValueError:
            names = None
        yield placed, names


def _table(head: bytes) -> Table:
    lines = frame.unpack_table(head, limit=objects.MAX_TABLE_BYTES)
    table = read_table(lines)
    if len(table.lines) != table.header.units + 1:
        raise ValueError("extra lines in the table's block")
    return table
