"""An hour judged record by record: what an API lists against the records that are here.

Bounded memory, whatever is listed: ids are set aside in a sorter by half their hash, which is also
what stands in the evidence for a record that is out of scope.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from nhi_evidence.completeness.judge import conclude
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.statement import Named, Scope, Statement
from nhi_evidence.completeness.statement_file import MAX_NAMED
from nhi_evidence.evidence.lines import ParsedLine, out_of_scope_hash
from nhi_evidence.evidence.verify.sorting import Sorter

_LISTED, _HERE, _OF_THE_HOUR = b"l", b"h", b"o"


class Compared(msgspec.Struct, kw_only=True):
    """What came of comparing."""

    expected: int = 0
    found: int = 0
    missing: int = 0
    unbacked: int = 0
    """Records of the hour and scope that the API does not list."""
    named: list[Named] = []
    """The first of both."""


class Comparison:
    """Ids that are listed, and ids of the records that are here."""

    def __init__(self, sorter: Sorter) -> None:
        """Set them aside in `sorter`."""
        self._sorter = sorter

    def listed(self, uid: str) -> None:
        """Take the native id of a record an API lists."""
        self._sorter.add(_key(out_of_scope_hash(uid)), _LISTED + uid.encode())

    def here(self, uid: str, *, of_the_hour: bool) -> None:
        """Take the native id of a record that is here, and whether the API should list it."""
        kind = _OF_THE_HOUR if of_the_hour else _HERE
        self._sorter.add(_key(out_of_scope_hash(uid)), kind + uid.encode())

    def out_of_scope(self, half: str) -> None:
        """Take what stands for a record that is out of scope: half the hash of its id, hex."""
        self._sorter.add(_key(half), _HERE)

    def compare(self) -> Compared:
        """Weigh everything that was taken; each id counts once."""
        result = Compared()
        for values in self._by_id():
            listed = next((value for value in values if value.startswith(_LISTED)), None)
            here = [value for value in values if not value.startswith(_LISTED)]
            if listed is not None:
                result.expected += 1
                if here:
                    result.found += 1
                else:
                    result.missing += 1
                    _name(result, "missing", listed)
            elif any(value.startswith(_OF_THE_HOUR) for value in here):
                result.unbacked += 1
                _name(result, "unbacked", max(here))
        return result

    def _by_id(self) -> Iterator[list[bytes]]:
        current: bytes | None = None
        held: list[bytes] = []
        for key, value in self._sorter:
            if current is not None and key != current:
                yield held
                held = []
            current = key
            # Once each: a record may be here in several units.
            if value not in held:
                held.append(value)
        if held:
            yield held


def _key(half: str) -> bytes:
    return bytes.fromhex(half)


def _name(result: Compared, reason: str, value: bytes) -> None:
    if len(result.named) < MAX_NAMED:
        result.named.append(Named(reason, value[1:].decode(errors="replace")))


class _Uid(msgspec.Struct):
    uid: str | None = None


class _Account(msgspec.Struct):
    account: _Uid = msgspec.field(default_factory=_Uid)


class _Record(msgspec.Struct):
    """What of a normalized record is compared."""

    time: int
    metadata: _Uid = msgspec.field(default_factory=_Uid)
    cloud: _Account = msgspec.field(default_factory=_Account)


_record = msgspec.json.Decoder(_Record).decode


def take(
    comparison: Comparison, lines: Sequence[ParsedLine], scope: Scope, span: tuple[int, int] | None
) -> None:
    """Take the records of a unit's lines.

    Those kept of an hour (`span`, milliseconds since the epoch) and of the scope's account are to
    be listed; without `span` none is. A record without a native id can be asked for by nobody.
    """
    account = scope.account.rpartition("/")[2]
    for line in lines:
        if line.h is not None:
            for half in line.h:
                comparison.out_of_scope(half)
        elif line.form == "kept":
            record = _record(line.n)
            uid = record.metadata.uid
            if uid is not None:
                is_own = not account or record.cloud.account.uid == account
                is_then = span is not None and span[0] <= record.time < span[1]
                comparison.here(uid, of_the_hour=is_own and is_then)
        elif line.form == "rejected":
            uid = rejected_uid(line.raw or b"")
            if uid is not None:
                comparison.here(uid, of_the_hour=False)


class _Rejected(msgspec.Struct):
    """Where providers put the id of a record, whatever else of it cannot be read."""

    insertId: str | None = None
    timestamp: str | None = None
    logName: str | None = None
    id: str | None = None
    properties: Any = None


def rejected_uid(raw: bytes) -> str | None:
    """Return the native id of a record that was rejected, where it can be read."""
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

    Without an answer of the API it is unprovable, for the reason `refused`.
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
