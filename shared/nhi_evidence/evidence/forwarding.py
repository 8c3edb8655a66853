"""What a subscriber gets from an evidence object: its kept records as OCSF lines, in parts.

A line is the normalized record exactly as in the evidence, with one added attribute,
`nhi_evidence`, that names object, version, unit and index: the way back. Raw text, rejected
records and out-of-scope records are not forwarded, and what was cut before mapping no longer
exists. Forwarding does not mean that a record is sealed, counted or uncontested: it happens before
that can be known (docs/siem.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import islice
from typing import Any
from urllib.parse import quote

import msgspec

from nhi_evidence.evidence import frame, keys, table_rules
from nhi_evidence.evidence.lines import UnitLine, decode_header, encode
from nhi_evidence.evidence.objects import MAX_LINES_BYTES, MAX_UNITS, Table, read_table

PREFIX = "ocsf/v1/"

PART_LINES = 20_000
"""Lines of an evidence object per part. Where a part ends depends only on the object, not on the
release, so an existing part is the same part whichever release wrote it."""

_SHA256 = 3
"""`algorithm_id` of a fingerprint, as OCSF numbers them."""

_LONGEST = 1_000
"""Characters of an error: names of units are a writer's, and may be long."""

_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 6


class UnsoundObjectError(ValueError):
    """An object under an evidence key is not a valid evidence object: none of it is evidence."""


class Place(msgspec.Struct, frozen=True):
    """A version of an evidence object."""

    bucket: str
    key: str
    version: str

    @property
    def uri(self) -> str:
        """Its location, in the form a subscriber uses."""
        return f"s3://{self.bucket}/{self.key}?versionId={quote(self.version, safe='')}"


class Part(msgspec.Struct, frozen=True):
    """One object for a subscriber."""

    key: str
    body: bytes
    """Gzip of JSON lines, one record each."""
    records: int


class _Line(msgspec.Struct, gc=False):
    """The fields of a line that are read; the raw text is skipped."""

    u: str
    i: int | None = None
    n: msgspec.Raw = msgspec.Raw()


_decode_line = msgspec.json.Decoder(_Line).decode


def key_of(evidence_key: str, part: int) -> str:
    """Return the key of a part; it derives from the evidence object, so a repeated run finds it."""
    named = keys.parse_key(evidence_key)
    name = f"{named.body_sha256}-{part:04d}.ndjson.gz"
    return f"{PREFIX}{named.source}/h={named.hour}/{name}"


def check(place: Place, metadata: Mapping[str, str], body: bytes) -> None:
    """Check the table of an object as V2 of `verify` does; `metadata` is its user metadata.

    Raises `UnsoundObjectError` for what `verify` would give no weight to.
    """
    try:
        table = table_rules.read(metadata, body)
    except ValueError as error:
        raise UnsoundObjectError(f"{place.uri}: {error}") from error
    first = next(table_rules.problems(place.key, metadata, table), None)
    if first is not None:
        raise UnsoundObjectError(f"{place.uri}: {first.code}: {first.detail}"[:_LONGEST])


def parts(place: Place, body: bytes) -> Iterator[Part]:
    """Yield what a subscriber gets from an object, part by part; nothing if it has no records.

    `check` says whether its table is sound. Keeps the body and one part in memory. Raises
    `UnsoundObjectError`: before the first part if the bytes do not match the key; if a line is
    invalid, possibly after parts have been yielded.
    """
    named = keys.parse_key(place.key)
    if named.kind != "ev" or named.body_sha256 is None:
        raise UnsoundObjectError(f"{place.key} is not an evidence key")
    if sha256(body).hexdigest() != named.body_sha256:
        raise UnsoundObjectError(f"{place.uri}: body hash does not match its key")
    try:
        yield from _parts(place, named.body_sha256, frame.each_line(body, limit=MAX_LINES_BYTES))
    except (ValueError, RecursionError) as error:  # what msgspec raises is a `ValueError`
        raise UnsoundObjectError(f"{place.uri}: {error}") from error


def _parts(place: Place, digest: str, lines: Iterator[bytes]) -> Iterator[Part]:
    table = _table(place, lines)
    pointers = _Pointers(place, digest)
    number, offset, records = 0, len(table.lines), 0
    packing = _packing()
    chunks: list[bytes] = []

    def closed() -> Part:
        body = b"".join([*chunks, packing.flush()])
        return Part(key_of(place.key, number), body, records)

    in_part = 0
    for unit in table.units:
        for line in _lines_of(unit, lines):
            record = _record(unit, line, offset, pointers)
            if record is not None:
                chunks.append(packing.compress(record))
                records += 1
            offset += 1
            in_part += 1
            if in_part == PART_LINES:
                if records:
                    yield closed()
                number, records, in_part = number + 1, 0, 0
                packing, chunks = _packing(), []
    if next(lines, None) is not None:
        raise ValueError("more lines follow than the table announces")
    if records:
        yield closed()


def _table(place: Place, lines: Iterator[bytes]) -> Table:
    first = next(lines)
    header = decode_header(first)
    units = islice(lines, min(header.units, MAX_UNITS))
    table = read_table([first, *units])
    named = keys.parse_key(place.key)
    if (header.source, header.hour) != (named.source, named.hour):
        raise ValueError(f"is for {header.source} {header.hour}, but is stored under another key")
    return table


def _lines_of(unit: UnitLine, lines: Iterator[bytes]) -> Iterator[bytes]:
    if unit.lines < 0:
        raise ValueError(f"unit {unit.unit} announces {unit.lines} lines")
    for place in range(unit.lines):
        line = next(lines, None)
        if line is None:
            raise ValueError(f"unit {unit.unit} has {place} lines, not {unit.lines}")
        yield line


def _record(unit: UnitLine, line: bytes, offset: int, pointers: _Pointers) -> bytes | None:
    parsed = _decode_line(line)
    if parsed.u != unit.u:
        raise ValueError(f"line {offset} belongs to another unit than its position")
    record = bytes(parsed.n)
    if not record:
        return None
    if parsed.i is None or record[:1] != b"{" or len(record) <= len(b"{}"):
        raise ValueError(f"line {offset} is not a kept record")
    return b'%b,"nhi_evidence":%b}\n' % (record[:-1], pointers.encoded(unit, parsed.i, offset))


class _Pointers:
    """Builds the pointers from records back into one object (docs/ocsf, `nhi_evidence`)."""

    def __init__(self, place: Place, digest: str) -> None:
        self._object: dict[str, Any] = {
            "object_uri": place.uri,
            "object_fingerprint": {"algorithm_id": _SHA256, "value": digest},
        }

    def encoded(self, unit: UnitLine, index: int, offset: int) -> bytes:
        return encode(
            {
                **self._object,
                "object_offset": offset,
                "stream_uid": unit.unit,
                "stream_sequence": index,
            }
        )


def _packing() -> Any:
    """Return a gzip compressor; its header states no time, so equal lines are equal bytes."""
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
