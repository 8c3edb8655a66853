"""Evidence objects: packing the units of one batch, source and hour, and reading them back.

A body depends only on its units, the release, its settings and the codec: not on a clock,
randomness or the writer. Units come ordered by (hour, name), so the order of messages does not
matter (docs/evidence-format.md, "Body").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import TypeVar

import msgspec

from nhi_evidence.errors import ObjectTooLargeError
from nhi_evidence.evidence import frame, keys, merkle
from nhi_evidence.evidence.lines import (
    FORMAT_VERSION,
    Header,
    MapperIdentity,
    Settings,
    UnitLine,
    decode_header,
    decode_unit,
    encode,
)
from nhi_evidence.evidence.unit import UnitPart

OBJECT_BYTES = 128 * 1024 * 1024
"""An object is closed before its lines exceed this many bytes."""

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Maximum size of a body: one PUT, no multipart."""

MAX_LINES_BYTES = 256 * 1024 * 1024
"""Maximum bytes a reader inflates: a single part may exceed OBJECT_BYTES."""

OBJECT_LINES = 1_000_000
"""Maximum lines besides the table; a reader accepts twice as many (`frame.MAX_LINES`)."""

_SURELY_FITS_BYTES = MAX_BODY_BYTES - (1 << 20)
"""Lines of at most this many bytes fit into a body even if they do not compress at all."""

_MAX_PART_BYTES = MAX_LINES_BYTES - (1 << 20)
"""Maximum lines of one part; the rest is for the header."""

MAX_UNITS = 20_000
"""Maximum units of one object; a batch of any trigger holds fewer."""

_LineT = TypeVar("_LineT", Header, UnitLine)


decode_units = msgspec.json.Decoder(UnitLine).decode_lines
encode_lines = msgspec.json.Encoder().encode_lines


class EvidenceObject(msgspec.Struct, frozen=True, gc=False):
    """One evidence object, ready to be locked."""

    key: str
    body: bytes
    sha256: bytes
    """SHA-256 of `body`; also in the key."""
    metadata: Mapping[str, str]
    """User metadata; fixed with the object's version."""
    units: tuple[UnitLine, ...]
    """Its unit lines, in table order."""


class Packer:
    """Packs the units of one source, for one release and its settings."""

    def __init__(self, *, source: str, mapper: MapperIdentity, settings: Settings) -> None:
        """Write `mapper` and `settings` into every header."""
        self._source = source
        self._mapper = mapper
        self._settings = settings

    def pack(self, parts: Iterable[UnitPart]) -> Iterator[EvidenceObject]:
        """Yield objects as they fill up; `parts` come ordered by (hour, unit, part).

        A part that occurs twice, byte for byte, is packed once. Each part of a unit of several
        parts gets an object of its own. Raises `ObjectTooLargeError` when a single part exceeds
        one PUT.
        """
        open_parts: list[UnitPart] = []
        size = lines = 0
        for part in parts:
            if (
                open_parts
                and part.encoded == open_parts[-1].encoded
                and part.hour == open_parts[-1].hour
            ):
                continue
            size, lines = size + part.size, lines + len(part.lines)
            if open_parts and not self._fits(open_parts, size, lines, part):
                yield from self._closed(open_parts)
                open_parts, size, lines = [], part.size, len(part.lines)
            open_parts.append(part)
        if open_parts:
            yield from self._closed(open_parts)

    def check_size(self, part: UnitPart) -> None:
        """Raise `ObjectTooLargeError` when a part alone exceeds one PUT, or a reader's limit."""
        if part.size > _MAX_PART_BYTES:
            line = part.table_line
            raise ObjectTooLargeError(
                f"{line.unit} part {line.part}: lines of {part.size} bytes, "
                f"more than {_MAX_PART_BYTES}",
                unit=line.unit,
            )
        if len(part.lines) > OBJECT_LINES:
            line = part.table_line
            raise ObjectTooLargeError(
                f"{line.unit} part {line.part}: {len(part.lines)} lines, more than {OBJECT_LINES}",
                unit=line.unit,
            )
        if part.size > _SURELY_FITS_BYTES:
            for _ in self._closed([part]):
                pass

    @staticmethod
    def _fits(open_parts: Sequence[UnitPart], size: int, lines: int, part: UnitPart) -> bool:
        """Whether a part fits into an object that would then hold this many bytes and lines."""
        last, new = open_parts[-1].table_line, part.table_line
        return (
            part.hour == open_parts[-1].hour
            and last.unit != new.unit
            and last.parts == new.parts == 1
            and size <= OBJECT_BYTES
            and lines <= OBJECT_LINES
            and len(open_parts) < MAX_UNITS
        )

    def _closed(self, parts: Sequence[UnitPart]) -> Iterator[EvidenceObject]:
        """Build one object, or, where its body exceeds one PUT, one from each half of its units."""
        packed = self._build(parts)
        if len(packed.body) <= MAX_BODY_BYTES:
            yield packed
        elif len(parts) > 1:
            middle = len(parts) // 2
            yield from self._closed(parts[:middle])
            yield from self._closed(parts[middle:])
        else:
            line = parts[0].table_line
            raise ObjectTooLargeError(
                f"{line.unit} part {line.part}: body of {len(packed.body)} bytes exceeds one PUT",
                unit=line.unit,
            )

    def _build(self, parts: Sequence[UnitPart]) -> EvidenceObject:
        hour = parts[0].hour
        header = Header(
            v=FORMAT_VERSION,
            source=self._source,
            hour=hour,
            mapper=self._mapper,
            settings=self._settings,
            codec=frame.CODEC,
            units=len(parts),
        )
        table = [encode(header), *(part.encoded for part in parts)]
        lines = [line for part in parts for line in part.lines]
        body, table_bytes = frame.pack([*table, *lines], table=len(table))
        digest = sha256(body).digest()
        units = tuple(part.table_line for part in parts)
        return EvidenceObject(
            key=keys.evidence_key(source=self._source, hour=hour, body_sha256=digest),
            body=body,
            sha256=digest,
            metadata=metadata(header, units, table_root(table), table_bytes),
            units=units,
        )


def table_root(table: Iterable[bytes]) -> str:
    """Return the RFC 6962 root over the lines of a table, hex."""
    return merkle.root(map(merkle.leaf_hash, table)).hex()


def metadata(
    header: Header, units: Sequence[UnitLine], root: str, table_bytes: int
) -> dict[str, str]:
    """Return the user metadata, which lets a sealer work without reading the body."""
    return {
        "root": root,
        "table": str(table_bytes),
        "units": str(header.units),
        "records": str(sum(unit.records for unit in units)),
        "kept": str(sum(unit.kept for unit in units)),
        "rejected": str(sum(unit.rejected for unit in units)),
        "mapper": f"{header.mapper.version} {header.mapper.digest}",
    }


class Table(msgspec.Struct, frozen=True):
    """The table of an object: its header and unit lines."""

    header: Header
    units: tuple[UnitLine, ...]
    lines: tuple[bytes, ...]
    """Its lines as written, the header first."""

    @property
    def root(self) -> str:
        """RFC 6962 root over its lines, hex."""
        return table_root(self.lines)


def read_table(lines: Sequence[bytes]) -> Table:
    """Read the table at the beginning of an object's lines.

    Raises `ValueError` naming the line when the header or a unit line is invalid or not in
    canonical form, or lines are missing.
    """
    header = _canonical(lines[0], decode_header, "header")
    if header.v != FORMAT_VERSION:
        raise ValueError(f"format version {header.v}")
    if not 0 < header.units <= min(MAX_UNITS, len(lines) - 1):
        raise ValueError(f"header announces {header.units} units, {len(lines)} lines")
    written = lines[1 : header.units + 1]
    return Table(header, _units(written), tuple(lines[: header.units + 1]))


def _units(written: Sequence[bytes]) -> tuple[UnitLine, ...]:
    """Read unit lines: all in one call, or one by one if that call finds something wrong."""
    text = b"\n".join((*written, b""))
    try:
        units = decode_units(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        units = []
    if len(units) == len(written) and encode_lines(units) == text:
        return tuple(units)
    return tuple(
        _canonical(line, decode_unit, f"unit line {number}")
        for number, line in enumerate(written, start=1)
    )


def _canonical(line: bytes, decode: Callable[[bytes], _LineT], name: str) -> _LineT:
    try:
        value = decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: {error}") from error
    if encode(value) != line:
        raise ValueError(f"{name}: not in canonical form")
    return value


def read_object(body: bytes) -> tuple[Table, list[bytes]]:
    """Return the table of an object and the lines after it. Raises `ValueError`."""
    lines = frame.unpack(body, limit=MAX_LINES_BYTES)
    table = read_table(lines)
    return table, lines[len(table.lines) :]


def lines_of_others(body: bytes, table: Table) -> Iterator[tuple[UnitLine, Sequence[bytes]]]:
    """Yield each unit line of an object's body that is not of records, with its lines.

    Inflates only up to the last of them. Raises `ValueError`.
    """
    places = [place for place, unit in enumerate(table.units) if unit.kind != "records"]
    if not places or any(unit.lines < 0 for unit in table.units):
        return
    units = table.units[: places[-1] + 1]
    total = len(table.lines) + sum(unit.lines for unit in units)
    lines = frame.first_lines(body, total, limit=MAX_LINES_BYTES)
    for line in table.lines:
        if next(lines) != line:
            raise ValueError("the frame starts with a different table than its first block")
    for unit in units:
        own = [line for line in islice(lines, unit.lines) if unit.kind != "records"]
        if unit.kind != "records":
            yield unit, own


def lines_of(table: Table, lines: Sequence[bytes]) -> Iterator[tuple[UnitLine, Sequence[bytes]]]:
    """Yield each unit line with its lines. Raises `ValueError` if their number is wrong."""
    total = _announced(table)
    if total != len(lines):
        raise ValueError(f"the table announces {total} lines, {len(lines)} follow")
    start = 0
    for unit in table.units:
        yield unit, lines[start : start + unit.lines]
        start += unit.lines


def each_line_of(table: Table, lines: Iterator[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Yield every line with the index of its unit in the table, and its own in the unit.

    Raises `ValueError` at the end if their number is wrong, and like `lines`.
    """
    total, count = _announced(table), 0
    for number, unit in enumerate(table.units):
        for place, line in enumerate(islice(lines, unit.lines)):
            count += 1
            yield number, place, line
    count += sum(1 for _ in lines)
    if count != total:
        raise ValueError(f"the table announces {total} lines, {count} follow")


def _announced(table: Table) -> int:
    if any(unit.lines < 0 for unit in table.units):
        raise ValueError("the table announces a negative number of lines")
    total = sum(unit.lines for unit in table.units)
    if total > frame.MAX_LINES:
        raise ValueError(f"the table announces {total} lines, more than {frame.MAX_LINES}")
    return total
