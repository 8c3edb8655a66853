"""Judging an hour record by record: what an API lists against the records in the evidence.

Memory is bounded, however much is listed: ids go to a sorter, keyed by half their hash, which is
also how the evidence identifies a record that is out of scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from nhi_evidence.completeness.judge import conclude
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.statement import Named, Scope, Statement
from nhi_evidence.completeness.statement_file import MAX_NAMED
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import ParsedLine, decode_line, out_of_scope_hash
from nhi_evidence.evidence.objects import lines_of
from nhi_evidence.evidence.verify import sound
from nhi_evidence.evidence.verify.sorting import Sorter

_LISTED, _HERE, _OF_THE_HOUR, _ALIAS = b"l", b"h", b"o", b"a"


class Compared(msgspec.Struct, kw_only=True):
    """Result of a comparison."""

    expected: int = 0
    found: int = 0
    missing: int = 0
    unbacked: int = 0
    """Records of the hour and scope that the API does not list."""
    named: list[Named] = []
    """The first of both kinds."""


class Comparison:
    """Listed ids, and ids of the records that are here."""

    def __init__(self, sorter: Sorter) -> None:
        """Collect ids in `sorter`."""
        self._sorter = sorter

    def listed(self, uid: str, alias: str | None = None) -> None:
        """Add the id by which a listed record is matched, and another id it may have here."""
        self._sorter.add(_key(out_of_scope_hash(uid)), _LISTED + uid.encode())
        if alias is not None:
            self._sorter.add(_key(out_of_scope_hash(alias)), _ALIAS + uid.encode())

    def here(self, uid: str, *, of_the_hour: bool) -> None:
        """Add the native id of a record that is here, and whether the API should list it."""
        kind = _OF_THE_HOUR if of_the_hour else _HERE
        self._sorter.add(_key(out_of_scope_hash(uid)), kind + uid.encode())

    def out_of_scope(self, half: str) -> None:
        """Add a record that is out of scope, given half the hash of its id, hex."""
        self._sorter.add(_key(half), _HERE)

    def compare(self) -> Compared:
        """Compare everything that was added; each id counts once."""
        result = Compared()
        by_alias = self._here_by_alias()
        for values in self._by_id():
            listed = next((value for value in values if value.startswith(_LISTED)), None)
            here = [value for value in values if value[:1] in _HERE + _OF_THE_HOUR]
            if listed is not None:
                result.expected += 1
                if here or listed[1:] in by_alias:
                    result.found += 1
                else:
                    result.missing += 1
                    _name(result, "missing", listed)
            elif any(value.startswith(_OF_THE_HOUR) for value in here) and len(here) == len(values):
                result.unbacked += 1
                _name(result, "unbacked", max(here))
        return result

    def _here_by_alias(self) -> set[bytes]:
        """Return the ids of listed records that are here only under their other id; mostly none."""
        return {
            value[1:]
            for values in self._by_id()
            if any(value[:1] in _HERE + _OF_THE_HOUR for value in values)
            for value in values
            if value.startswith(_ALIAS)
        }

    def _by_id(self) -> Iterator[list[bytes]]:
        current: bytes | None = None
        values: list[bytes] = []
        for key, value in self._sorter:
            if current is not None and key != current:
                yield values
                values = []
            current = key
            # Only once each: a record may be here in several units.
            if value not in values:
                values.append(value)
        if values:
            yield values


def _key(half: str) -> bytes:
    return bytes.fromhex(half)


def _name(result: Compared, reason: str, value: bytes) -> None:
    if len(result.named) < MAX_NAMED:
        result.named.append(Named(reason, value[1:].decode(errors="replace")))


class Matching(NamedTuple):
    """How to match the records of a pack whose deliveries leave out the listed id."""

    pack: str
    id_of: Callable[[bytes], str | None]


class _Uid(msgspec.Struct):
    uid: str | None = None


class _Account(msgspec.Struct):
    account: _Uid = msgspec.field(default_factory=_Uid)


class _Record(msgspec.Struct):
    """The part of a normalized record that is compared."""

    time: int
    metadata: _Uid = msgspec.field(default_factory=_Uid)
    cloud: _Account = msgspec.field(default_factory=_Account)


_record = msgspec.json.Decoder(_Record).decode


def read(entry: ObjectLeaf, body: bytes | None) -> list[list[ParsedLine]]:
    """Return the lines of a sealed evidence object, unit by unit.

    Raises `ValueError` if it is gone, if `verify` gives it no weight, and if any line cannot be
    read: a writer may have put anything there.
    """
    try:
        table, after = sound.opened(entry, body)
        units = [[decode_line(line) for line in own] for _, own in lines_of(table, [*after])]
        for line in (line for own in units for line in own):
            _check(line)
    except RecursionError as error:
        raise ValueError(f"nested too deeply: {error}") from error
    return units


def _check(line: ParsedLine) -> None:
    if line.form == "kept":
        _record(line.n)
    elif line.h is not None:
        for half in line.h:
            _key(half)
    elif line.raw is None:
        raise ValueError("a line without raw text")


def take(
    comparison: Comparison,
    lines: Sequence[ParsedLine],
    scope: Scope,
    span: tuple[int, int] | None,
    matching: Matching | None = None,
) -> None:
    """Add the records in a unit's lines to a comparison.

    Kept records of an hour (`span`, milliseconds since the epoch) and of the scope's account should
    be listed; without `span`, none need be. A record without an id cannot be matched. `matching`
    names the pack whose records are matched by something other than their id.
    """
    account = scope.account.rpartition("/")[2].lower()
    for line in lines:
        if line.h is not None:
            for half in line.h:
                comparison.out_of_scope(half)
        elif line.form == "kept" and (matching is None or line.s == matching.pack):
            record = _record(line.n)
            uid = record.metadata.uid if matching is None else matching.id_of(line.raw or b"")
            if uid is not None:
                own = record.cloud.account.uid or ""
                is_own = not account or own.lower() == account
                is_then = span is not None and span[0] <= record.time < span[1]
                comparison.here(uid, of_the_hour=is_own and is_then)
        elif line.form in {"rejected", "out_of_scope"}:
            uid = None if matching is None else matching.id_of(line.raw or b"")
            if uid is None and line.form == "rejected":
                uid = rejected_uid(line.raw or b"")
            if uid is not None:
                comparison.here(uid, of_the_hour=False)


class _Rejected(msgspec.Struct):
    """Where providers put a record's id, which may be readable though the record is not."""

    insertId: str | None = None
    timestamp: str | None = None
    logName: str | None = None
    id: str | None = None
    properties: Any = None


def rejected_uid(raw: bytes) -> str | None:
    """Return the native id of a rejected record, or None if it cannot be read."""
    try:
        record = msgspec.json.decode(raw, type=_Rejected)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if record.insertId and record.timestamp and record.logName:
        return f"{record.insertId}|{record.timestamp}|{record.logName}"
    inner = record.properties.get("id") if isinstance(record.properties, dict) else None
    return record.id or (inner if isinstance(inner, str) and inner else None)


def state(
    scope: Scope, compared: Compared | None, *, refused: str = "", open_until: int | None = None
) -> Statement:
    """Return the statement on a scope that is judged record by record.

    Without an answer from the API (`compared` is None) it is unprovable, for the reason `refused`.
    """
    best = Statement(scope=scope, verdict=Verdict.RECONCILED, open_until=open_until)
    if compared is None:
        return conclude(best, [Named(refused or "not_asked", "")])
    best = msgspec.structs.replace(best, expected=compared.expected, found=compared.found)
    concluded = conclude(best, compared.named)
    counts = {"missing": compared.missing, "unbacked": compared.unbacked}
    return msgspec.structs.replace(
        concluded, totals={reason: count for reason, count in counts.items() if count}
    )
