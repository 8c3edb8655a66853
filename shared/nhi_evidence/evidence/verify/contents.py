"""V3: the lines of an evidence object, unit by unit: roots, forms, raw texts, delivered bytes.

Bounded: an object yields at most `MOST_FINDINGS` findings, for work linear in its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence import sources
from nhi_evidence.azure import event_hub
from nhi_evidence.errors import SettingsError
from nhi_evidence.event import Decoded, Limits, Undecodable
from nhi_evidence.evidence import frame, gaps, lines, merkle
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import Header, ParsedLine, UnitLine
from nhi_evidence.evidence.objects import MAX_LINES_BYTES, Table, lines_of
from nhi_evidence.evidence.verify import decoding, natives, stated
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.objects import bounded, finding
from nhi_evidence.evidence.verify.report import MapAgain

MAX_REBUILT_BYTES = Limits().inflated_bytes
"""No delivery that was decoded, and no part of one, is larger."""


class Checked(msgspec.Struct):
    """The result of checking the contents of one object."""

    findings: list[Finding] = msgspec.field(default_factory=list)
    records: int = 0
    """Records checked line by line."""
    reproduced: int = 0
    unprovable: int = 0
    """Records whose raw text was not kept, so that nobody can map them again."""
    natives: list[bytes] = msgspec.field(default_factory=list)
    """`natives.entry_of` for each kept record that has a native id."""
    not_split: int = 0
    """Units not decoded again: this release does not know their source, or they are too large."""


def check(leaf: ObjectLeaf, table: Table, body: bytes, again: MapAgain | None) -> Checked:
    """Check every unit of an object whose table is valid."""
    result = Checked()
    try:
        every = frame.unpack(body, limit=MAX_LINES_BYTES)
        if tuple(every[: len(table.lines)]) != table.lines:
            raise ValueError("the frame's table differs from that of its first block")
        units = list(lines_of(table, every[len(table.lines) :]))
    except ValueError as error:
        result.findings.append(finding("frame_invalid", leaf, str(error)))
        return result
    problems = (
        problem
        for unit, own in units
        for problem in _Unit(leaf, table.header, unit, own, again=again, result=result).check()
    )
    result.findings += bounded(problems)
    return result


class _Unit:
    """One unit line and its lines."""

    def __init__(
        self,
        leaf: ObjectLeaf,
        header: Header,
        unit: UnitLine,
        own: Sequence[bytes],
        *,
        again: MapAgain | None,
        result: Checked,
    ) -> None:
        self._leaf = leaf
        self._header = header
        self._unit = unit
        self._lines = own
        self._again = again
        self._result = result
        self._raw: dict[int, bytes] = {}
        self._gone = 0
        """Bytes that lines state were cut."""
        self._broken = False

    def check(self) -> Iterator[Finding]:
        """Yield what is wrong, step by step; each step requires the earlier ones to succeed."""
        for step in (self._root, self._forms, self._delivered):
            for problem in step():
                self._broken = True
                yield problem
            if self._broken:
                return
        is_mapped = self._unit.kind == "records" or self._unit.rebuild == "cut"
        if self._again is not None and is_mapped:
            yield from self._reproduced(self._again)

    def _root(self) -> Iterator[Finding]:
        root = merkle.root(map(merkle.leaf_hash, self._lines)).hex()
        if root != self._unit.root:
            yield self._finding("unit_root", f"root {root}")

    def _forms(self) -> Iterator[Finding]:
        """Check that each line is permitted in its unit and in order, and counts match."""
        unit = self._unit
        counts: dict[str, int] = {}
        last = unit.first - 1
        for number, line in enumerate(self._lines, start=1):
            try:
                parsed = lines.decode_line(line)
                raw = parsed.raw
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                yield self._finding("line_invalid", f"line {number}: {error}")
                return
            form = parsed.form
            if form not in _FORMS[unit.kind] or parsed.u != unit.u:
                yield self._finding(
                    "line_invalid", f"line {number} belongs to another unit or kind"
                )
                return
            if lines.canonical(parsed) != line:
                yield self._finding("line_invalid", f"line {number} is not in canonical form")
                return
            name = f"{form} {parsed.o}" if form == "out_of_scope" else str(form)
            counts[name] = counts.get(name, 0) + 1
            if form == "ids":
                yield from self._ids(parsed, number)
                continue
            self._result.records += unit.kind == "records"
            index = -1 if parsed.i is None else parsed.i
            if index <= last or (unit.kind == "records" and index >= unit.first + unit.records):
                yield self._finding("line_invalid", f"line {number} is out of order", index)
                return
            last = index
            self._raw[index] = raw or b""
            yield from self._cuts(parsed, raw or b"")
            if form == "kept":
                yield from self._kept(parsed, raw or b"")
        yield from self._counts(counts)

    def _kept(self, parsed: ParsedLine, raw: bytes) -> Iterator[Finding]:
        """Check that the raw text has the hash and size its record states; a cut one, the size."""
        try:
            normalized = stated.normalized(parsed.n)
        except (msgspec.MsgspecError, RecursionError) as error:
            yield self._finding("line_invalid", str(error), parsed.i)
            return
        size = len(raw) + sum(cut.length for cut in parsed.c)
        stated_hash = normalized.raw_data_hash.value
        digest = sha256(raw).hexdigest()
        is_hash = _HASH.fullmatch(stated_hash) if parsed.c else digest == stated_hash
        if size != normalized.raw_data_size or not is_hash:
            yield self._finding("raw_hash", f"SHA-256 {digest}, {size} bytes", parsed.i)
        elif normalized.metadata.uid is not None:
            account = normalized.cloud.account.uid or ""
            uid = normalized.metadata.uid
            # The hash as delivered: two records that differ only in what was cut are different.
            self._result.natives.append(
                natives.entry_of(self._header.source, account, uid, stated_hash, self._unit.u)
            )

    def _cuts(self, parsed: ParsedLine, raw: bytes) -> Iterator[Finding]:
        """Check that cuts are in order, within their text, and in a unit that states cuts."""
        if not parsed.c:
            return
        self._gone += sum(cut.length for cut in parsed.c)
        if self._unit.rebuild == "exact":
            yield self._finding("line_invalid", "a cut in a unit that states none", parsed.i)
        problem = stated.cut_problem(parsed, raw)
        if problem is not None:
            yield self._finding("line_invalid", problem, parsed.i)

    def _ids(self, parsed: ParsedLine, number: int) -> Iterator[Finding]:
        hashes = parsed.h or ()
        total = sum(self._unit.out_of_scope.values())
        if number != len(self._lines) or len(hashes) != total:
            yield self._finding("line_invalid", f"{len(hashes)} ids of {total} out of scope")
        if not all(len(text) == lines.OUT_OF_SCOPE_DIGITS for text in hashes):
            yield self._finding("line_invalid", "not the hash of an id")

    def _counts(self, counts: dict[str, int]) -> Iterator[Finding]:
        unit = self._unit
        expected: dict[str, int] = {}
        if unit.kind == "records":
            expected = {"kept": unit.kept, "rejected": unit.rejected}
            if self._header.settings.keep_out_of_scope_raw:
                expected |= {f"out_of_scope {why}": n for why, n in unit.out_of_scope.items()}
            if self._lists_ids():
                expected["ids"] = 1
        elif unit.kind == "companion":
            expected = {"companion": 1}
        else:
            expected = {"rejected": len(self._lines)}
        expected = {name: count for name, count in expected.items() if count}
        if counts != expected:
            yield self._finding("arithmetic", f"the unit line states {expected}, lines {counts}")

    def _lists_ids(self) -> bool:
        try:
            return sources.load(self._header.source).LISTS_OUT_OF_SCOPE_IDS
        except SettingsError:
            return bool(self._lines) and b'"k":"out_of_scope_ids"' in self._lines[-1]

    def _delivered(self) -> Iterator[Finding]:
        """Check that gaps and records give the span's bytes, which split into these records."""
        unit = self._unit
        span = unit.span[1] - unit.span[0]
        if unit.rebuild != "exact":
            there = gaps.extent(unit.gaps)[1] + sum(map(len, self._raw.values())) + self._gone
            if there > span:
                yield self._finding("rebuild_mismatch", "more bytes than the span")
            elif unit.rebuild == "cut" and (there < span or not self._gone):
                # Everything but the cuts is kept: anything less is text missing without a trace.
                yield self._finding("rebuild_mismatch", f"{there} bytes, the span is {span}")
            return
        records = [self._raw[index] for index in sorted(self._raw)]
        size = gaps.extent(unit.gaps)[1] + sum(map(len, records))
        if size != span or size > MAX_REBUILT_BYTES:
            # Before any of it is put together: a short text can be repeated any number of times.
            yield self._finding("rebuild_mismatch", f"{size} bytes, the span is {span}")
            return
        if unit.kind != "records":
            pieces = records
        else:
            try:
                pieces = list(gaps.rebuild(unit.gaps, records))
            except ValueError as error:
                yield self._finding("rebuild_mismatch", str(error))
                return
        if unit.parts == 1:
            yield from self._in_one_part(b"".join(pieces))

    def _in_one_part(self, data: bytes) -> Iterator[Finding]:
        """Check a unit of one part: its hash, its messages, and how it decodes."""
        unit = self._unit
        digest = sha256(data).hexdigest()
        expected = unit.src_sha256 if unit.kind == "rejection" else unit.raw_sha256
        if digest != expected or len(data) != unit.raw_size:
            yield self._finding("rebuild_mismatch", f"SHA-256 {digest}, stated {expected}")
            return
        if unit.messages is not None:
            yield from self._messages(data)
        if unit.kind == "rejection" and self._again is not None:
            yield from self._rejected_again(data)
        if unit.kind == "records":
            yield from self._split_again(data)

    def _rejected_again(self, data: bytes) -> Iterator[Finding]:
        """Check that a delivery rejected on arrival still cannot be decoded."""
        reason = self._unit.rejection.reason if self._unit.rejection is not None else ""
        if reason in _NOT_BY_DECODING:
            return
        decoded = decoding.again(self._header, data, is_packed=True)
        if decoded is None:
            self._result.not_split += 1
        elif not isinstance(decoded, Undecodable):
            yield self._finding("not_reproduced", f"rejected as {reason}, but can be decoded")

    def _split_again(self, data: bytes) -> Iterator[Finding]:
        decoded = decoding.again(self._header, data, is_packed=False)
        if decoded is None:
            self._result.not_split += 1
            return
        if isinstance(decoded, Undecodable):
            yield self._finding("split_mismatch", f"{decoded.reason}: {decoded.detail}")
        elif decoded.data != data:
            yield self._finding("split_mismatch", "the rebuilt text is itself compressed")
        else:
            yield from self._same_split(decoded)

    def _same_split(self, decoded: Decoded) -> Iterator[Finding]:
        if len(decoded.spans) != self._unit.records:
            detail = f"{len(decoded.spans)} records, the unit line states {self._unit.records}"
            yield self._finding("split_mismatch", detail)
            return
        for index, (start, end) in enumerate(decoded.spans):
            if decoded.data[start:end] != self._raw.get(index):
                yield self._finding("split_mismatch", f"bytes {start} to {end}", index)
                return

    def _messages(self, data: bytes) -> Iterator[Finding]:
        """Check that a unit holds the messages its line states."""
        messages = self._unit.messages
        if messages is None:
            return
        try:
            _, framed = event_hub.read(data)
        except ValueError as error:
            yield self._finding("range_invalid", str(error))
            return
        hashes = tuple(sha256(data[each.start : each.end]).hexdigest() for each in framed)
        if hashes != messages.h or framed[0].sequence != messages.first:
            yield self._finding("range_invalid", "not the messages the unit line states")

    def _reproduced(self, again: MapAgain) -> Iterator[Finding]:
        """Map every kept raw text again, and check that it gives the same line byte for byte."""
        unit = self._unit
        is_records = unit.kind == "records"
        self._result.unprovable += unit.records - len(self._raw) if is_records else 0
        for line in self._lines:
            parsed = lines.decode_line(line)
            raw = parsed.raw
            if parsed.i is None or raw is None:
                continue
            mapped = again(unit, parsed, stated.original(parsed, raw))
            if stated.is_gone(parsed) and mapped is not None:
                self._result.unprovable += is_records
            elif mapped == line:
                self._result.reproduced += 1
            else:
                yield self._finding("not_reproduced", "", parsed.i)

    def _finding(self, code: str, detail: str, record: int | None = None) -> Finding:
        return finding(code, self._leaf, detail, unit=self._unit.unit, record=record)


_HASH = re.compile("[0-9a-f]{64}")

_NOT_BY_DECODING = frozenset(
    {
        "companion_too_large",
        "damaged_base64",
        "mapper_failed",
        "message_malformed",
        "part_too_large",
    }
)
"""Reasons given by a trigger or the mapper, on which decoding has no bearing."""

_FORMS: dict[str, frozenset[str | None]] = {
    "records": frozenset({"kept", "rejected", "out_of_scope", "ids"}),
    "companion": frozenset({"companion"}),
    "rejection": frozenset({"rejected"}),
}
