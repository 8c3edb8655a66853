"""What today's mapping makes of old raw records: what would change, without changing anything.

Evidence is never rewritten. Whoever reads it with newer tables sees here how it would differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import objects
from nhi_evidence.evidence.lines import Header, ParsedLine, decode_line
from nhi_evidence.evidence.verify import stated
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope

MAX_EXAMPLES = 3
"""How many records are named for each change, by native id."""


class Change(msgspec.Struct):
    """One kind of change, and how many records have it."""

    what: str
    """Attribute, `rejected`, `kept` or `out of scope`; with the values if an attribute has few."""
    records: int = 0
    examples: list[str] = []


class Difference(msgspec.Struct, kw_only=True):
    """What would change."""

    records: int = 0
    """How many were mapped again."""
    same: int = 0
    """How many records came out the same."""
    changed: int = 0
    """How many records came out otherwise."""
    not_kept: int = 0
    """How many cannot be mapped again, because their raw text was not kept."""
    unreadable: list[str] = []
    """What could not be read, and why."""
    releases: Counter[str] = msgspec.field(default_factory=Counter)
    """How many records each version had mapped."""
    changes: dict[str, Change] = {}
    """Each kind of change: how many records, and the first of them."""

    def note(self, what: str, example: str) -> None:
        """Count a change."""
        change = self.changes.setdefault(what, Change(what))
        change.records += 1
        if len(change.examples) < MAX_EXAMPLES:
            change.examples.append(example)


_TELLING = frozenset(
    {"nhi_phase", "nhi_base_phase", "nhi_sub_phase", "nhi_outcome", "nhi.type", "class_name"}
)
"""Attributes with few values: their changes are counted by old and new value."""


class Renormalizer:
    """Maps the records of objects again; makes one mapper for each source and settings."""

    def __init__(self) -> None:
        """Start with an empty difference."""
        self.difference = Difference()
        self._mappers: dict[tuple[str, str, bool], Mapper] = {}

    def take(self, key: str, body: bytes) -> None:
        """Compare one object. One that cannot be read is named and does not affect others."""
        try:
            table, lines = objects.read_object(body)
            mapper = self._mapper(table.header)
            for unit, own in objects.lines_of(table, lines):
                if unit.kind != "records":
                    continue
                if not table.header.settings.keep_out_of_scope_raw:
                    self.difference.not_kept += sum(unit.out_of_scope.values())
                for line in own:
                    self._compare(mapper, table.header, unit.u, line)
        except (ValueError, RecursionError, SettingsError) as error:
            self.difference.unreadable.append(f"{key}: {error}")

    def _mapper(self, header: Header) -> Mapper:
        settings = header.settings
        known = (header.source, settings.scope, settings.keep_out_of_scope_raw)
        if known not in self._mappers:
            self._mappers[known] = Mapper(
                header.source,
                scope=Scope(settings.scope),
                keep_out_of_scope_raw=settings.keep_out_of_scope_raw,
            )
        return self._mappers[known]

    def _compare(self, mapper: Mapper, header: Header, u: str, line: bytes) -> None:
        old = decode_line(line)
        if old.form not in {"kept", "rejected", "out_of_scope"}:
            return
        difference = self.difference
        if stated.is_gone(old):
            difference.not_kept += 1
            return
        again = mapper.records.again(u, old, stated.original(old, old.raw or b""))
        difference.records += 1
        difference.releases[header.mapper.version] += 1
        new = ParsedLine(u=u, o="out of scope") if again is None else decode_line(again)
        changes = list(_changes(old, new))
        if not changes:
            difference.same += 1
            return
        difference.changed += 1
        example = _uid(old) or _uid(new) or f"record {old.i} of unit {u}"
        for what in changes:
            difference.note(what, example)


def _changes(old: ParsedLine, new: ParsedLine) -> Iterator[str]:
    """Yield what would change in a record."""
    was, now = _state(old), _state(new)
    if was != now:
        yield f"{was} -> {now}"
        return
    if not bytes(old.n):
        return
    before, after = _flat(msgspec.json.decode(old.n)), _flat(msgspec.json.decode(new.n))
    for path in sorted(before.keys() | after.keys()):
        first, second = before.get(path), after.get(path)
        if first == second:
            continue
        yield f"{path}: {first} -> {second}" if path in _TELLING else path


def _state(line: ParsedLine) -> str:
    if line.x is not None:
        return f"rejected ({line.x.reason})"
    return "out of scope" if line.o is not None else "kept"


def _flat(value: Any, path: str = "") -> Mapping[str, Any]:
    """Return the values of a record by dotted path; a list is a single value."""
    if not isinstance(value, dict):
        return {path: value}
    return {
        name: inner
        for key, held in value.items()
        for name, inner in _flat(held, f"{path}.{key}" if path else key).items()
    }


class _Uid(msgspec.Struct):
    uid: str | None = None


class _Identified(msgspec.Struct):
    metadata: _Uid


def _uid(line: ParsedLine) -> str | None:
    if not bytes(line.n):
        return None
    try:
        return msgspec.json.decode(line.n, type=_Identified).metadata.uid
    except msgspec.MsgspecError:
        return None
