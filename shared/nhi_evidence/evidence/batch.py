"""The body of an evidence object (docs/evidence-format.md, "Body").

A body is a pure function of the source bytes and the mapper digest: no clock, no randomness.
Large units are split by raw byte offsets alone, so the split never depends on the mapper.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from nhi_evidence.errors import BatchError
from nhi_evidence.event import Message, RawRecord, Rejection
from nhi_evidence.evidence import frame, keys, merkle
from nhi_evidence.stored import Batch

FORMAT_VERSION = 1

PART_BYTES = 8 * 1024 * 1024
"""A part takes the records whose offset lies in its window of this many raw bytes."""

MAX_RECORD_BYTES = 8 * 1024 * 1024
"""Largest raw record a pack hands on; with PART_BYTES it bounds a body below MAX_BODY_BYTES."""

MAX_BODY_BYTES = 64 * 1024 * 1024
"""One PUT, no multipart."""

OUT_OF_SCOPE_DIGITS = 32
"""Hex digits of 16 bytes."""


class _Kept(msgspec.Struct, gc=False):
    i: int
    n: Any
    r: str


class _KeptBy(msgspec.Struct, gc=False):
    i: int
    s: str
    n: Any
    r: str


class _Rejected(msgspec.Struct, omit_defaults=True):
    i: int
    s: str | None = None
    x: Rejection | None = None
    r: str | None = None
    r64: str | None = None


class Messages(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="messages"):
    """Line after the records of part 1: the messages of a stream the unit holds."""

    first: int
    """Sequence number of the first of them; the others follow without gap."""
    h: tuple[str, ...]
    """SHA-256 of each message's body, hex."""
    n: tuple[int, ...]
    """How many records of the unit each message holds, in order."""


class OutOfScopeIds(msgspec.Struct, frozen=True, tag_field="k", tag="left_out"):
    """Last line of a source that is asked record by record whether it is complete."""

    h: tuple[str, ...]
    """`out_of_scope_hash` of each record that was left out, in source order."""


_NO_RECORD = b'{"k":'
_encode = msgspec.json.Encoder().encode


class MapperIdentity(msgspec.Struct, frozen=True):
    """Which mapper made a body: same source bytes and same digest, same body."""

    version: str
    digest: str


class UnitIdentity(msgspec.Struct, frozen=True):
    """The delivered unit a body was made from."""

    source: str
    unit: str
    hour: str
    src_sha256: bytes
    """SHA-256 of the delivered bytes."""
    raw_sha256: bytes | None
    """SHA-256 of the inflated bytes; None when the delivery could not be inflated."""
    raw_form: str | None = None
    """`api` where the records are what an API lists; None where they are as delivered."""


class Header(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Line 0. `n == kept + rejected + sum(out_of_scope)`, per part and over the parts."""

    k: str
    v: int
    source: str
    unit: str
    part: int
    parts: int
    src_sha256: str
    raw_sha256: str | None = None
    first: int
    n: int
    kept: int
    rejected: int
    out_of_scope: dict[str, int]
    mapper: MapperIdentity
    scope: str
    raw_form: str | None = None
    """`api` where the records are what an API lists, not what the log delivered."""
    out_of_scope_ids: bool = msgspec.field(default=False, name="left_out")
    """Whether the last line names what was left out."""
    rejection: Rejection | None = None
    """Set when the delivery as a whole could not be decoded; its lines are its raw bytes."""


def kept_line(index: int, normalized: object, text: str, pack: str | None = None) -> bytes:
    """Line of a kept record: the normalized record and its exact raw text.

    `pack` names who mapped it, where that is not the source of the object.
    """
    if pack is not None:
        return _encode(_KeptBy(index, pack, normalized, text))
    return _encode(_Kept(index, normalized, text))


def rejected_line(record: RawRecord, rejection: Rejection, pack: str | None = None) -> bytes:
    """Line of a rejected record: the reason and the exact raw text, or bytes as base64."""
    try:
        text = record.raw.decode()
    except UnicodeDecodeError:
        packed = b64encode(record.raw).decode()
        return _encode(_Rejected(record.index, pack, rejection, r64=packed))
    return _encode(_Rejected(record.index, pack, rejection, text))


def is_record(line: bytes) -> bool:
    """Whether a line holds a record: header, messages and what was left out are no records."""
    return not line.startswith(_NO_RECORD)


def out_of_scope_hash(uid: str) -> str:
    """Return what stands for a record that was left out: half the SHA-256 of its id, hex."""
    return sha256(uid.encode()).hexdigest()[:OUT_OF_SCOPE_DIGITS]


def messages_line(data: bytes, messages: Sequence[Message]) -> bytes:
    """Line that states the messages of a unit, which follow each other without gap."""
    hashes = tuple(sha256(data[one.start : one.end]).hexdigest() for one in messages)
    records = tuple(one.records for one in messages)
    return _encode(Messages(first=messages[0].number, h=hashes, n=records))


def out_of_scope_ids_line(uids: Iterable[str]) -> bytes:
    """Line that names what was left out, without saying what it was."""
    return _encode(OutOfScopeIds(tuple(map(out_of_scope_hash, uids))))


def split(spans: Sequence[tuple[int, int]]) -> list[range]:
    """Split records into parts by the offset window each one starts in; at least one part.

    Returns the indexes of the records of each part.
    """
    parts = []
    start = 0
    for index in range(1, len(spans)):
        if spans[index][0] // PART_BYTES != spans[start][0] // PART_BYTES:
            parts.append(range(start, index))
            start = index
    parts.append(range(start, len(spans)))
    return parts


def chunks(size: int) -> list[tuple[int, int]]:
    """Cut an undecodable delivery of `size` bytes into spans of at most MAX_RECORD_BYTES."""
    starts = range(0, max(size, 1), MAX_RECORD_BYTES)
    return [(start, min(start + MAX_RECORD_BYTES, size)) for start in starts]


def build(
    *,
    unit: UnitIdentity,
    mapper: MapperIdentity,
    scope: str,
    part: int,
    parts: int,
    first: int,
    lines: Sequence[bytes],
    rejected: int,
    out_of_scope: Mapping[str, int],
    messages: bytes | None = None,
    out_of_scope_ids: Sequence[str] | None = None,
    rejection: Rejection | None = None,
) -> Batch:
    """Put header and lines into one evidence object.

    `lines` holds the kept and rejected records of the part in source order, `first` the
    index of its first record, `messages` the line of the unit's messages and `out_of_scope_ids` the
    ids of what is out of scope, where the source is asked for them. Raises `BatchError` when
    the body would exceed one PUT.
    """
    kept = len(lines) - rejected
    seen = len(lines) + sum(out_of_scope.values())
    header = Header(
        k="hdr",
        v=FORMAT_VERSION,
        source=unit.source,
        unit=unit.unit,
        part=part,
        parts=parts,
        src_sha256=unit.src_sha256.hex(),
        raw_sha256=unit.raw_sha256.hex() if unit.raw_sha256 else None,
        first=first,
        n=seen,
        kept=kept,
        rejected=rejected,
        out_of_scope=dict(sorted(out_of_scope.items())),
        mapper=mapper,
        scope=scope,
        raw_form=unit.raw_form,
        out_of_scope_ids=out_of_scope_ids is not None,
        rejection=rejection,
    )
    whole = [_encode(header), *lines]
    if messages is not None:
        whole.append(messages)
    if out_of_scope_ids is not None:
        whole.append(out_of_scope_ids_line(out_of_scope_ids))
    body = frame.pack(whole)
    if len(body) > MAX_BODY_BYTES:
        raise BatchError(f"{unit.unit} part {part}: body of {len(body)} bytes exceeds one PUT")
    digest = sha256(body).digest()
    key = keys.evidence_key(
        source=unit.source,
        hour=unit.hour,
        unit=unit.unit,
        part=part,
        parts=parts,
        body_sha256=digest,
    )
    return Batch(
        key=key,
        body=body,
        sha256=digest,
        metadata=_metadata(header, whole),
        seen=seen,
        kept=kept,
        rejected=rejected,
        out_of_scope=header.out_of_scope,
    )


def _metadata(header: Header, lines: Iterable[bytes]) -> dict[str, str]:
    """What a sealer needs without reading the body; fixed with the object's version."""
    metadata = {
        "record-root": merkle.root(map(merkle.leaf_hash, lines)).hex(),
        "part": f"{header.part}/{header.parts}",
        "records": str(header.n),
        "kept": str(header.kept),
        "rejected": str(header.rejected),
        "src-sha256": header.src_sha256,
        "mapper": f"{header.mapper.version} {header.mapper.digest}",
    }
    if header.raw_sha256:
        metadata["raw-sha256"] = header.raw_sha256
    return metadata
