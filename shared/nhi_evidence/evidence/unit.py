"""Units as packed into objects: one table line, and the lines it describes.

The lines of a unit are the same bytes whichever object they are in: nothing here depends on the
batch, the clock or the writer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.event import Message, Rejection
from nhi_evidence.evidence import merkle
from nhi_evidence.evidence.gaps import Gap
from nhi_evidence.evidence.lines import Kind, Messages, Rebuild, UnitLine, encode, unit_id

PART_BYTES = 16 * 1024 * 1024
"""A part takes the records whose first byte lies in its window of this many raw bytes."""

CHUNK_BYTES = 8 * 1024 * 1024
"""A rejected delivery is kept in chunks of this many bytes, one per line."""


class UnitIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What identifies a unit, independent of who maps it."""

    unit: str
    hour: str
    kind: Kind
    src_sha256: str
    raw_sha256: str | None
    """None for a rejection."""
    raw_size: int
    raw_form: str | None = None
    source_metadata: Mapping[str, str] = {}


class PartPosition(msgspec.Struct, frozen=True):
    """The place of a part in its unit, and what it accounts for."""

    part: int
    """Starting at 1."""
    parts: int
    span: tuple[int, int]
    """The unit's bytes it covers: start and end."""
    first: int
    """Index in the unit of its first record (for a rejection: chunk)."""

    @classmethod
    def only(cls, size: int) -> PartPosition:
        """The position of the only part of a unit of `size` bytes."""
        return cls(1, 1, (0, size), 0)


class MappingResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the records of a part."""

    kept: int = 0
    rejected: int = 0
    out_of_scope: Mapping[str, int] = {}
    """Reason to count."""
    broken: Exception | None = None
    """The exception raised by the first record that broke the mapper."""
    categories: Mapping[str, int] = {}
    """By category its source routes by, the number of records."""


NO_RECORDS = MappingResult()
"""For a companion or a rejection, whose bytes are not mapped."""


class UnitPart(msgspec.Struct, frozen=True):
    """One part of a unit, ready to be packed."""

    hour: str
    table_line: UnitLine
    encoded: bytes
    """`table_line` as written."""
    lines: tuple[bytes, ...]
    size: int
    """Size of all its lines in bytes, including the table line and newlines."""
    broken: Exception | None = None
    """The exception of the first record that broke the mapper: logged, never stored."""
    categories: Mapping[str, int] = {}
    """By category its source routes by, the number of records: logged, never stored."""


def unit_part(
    identity: UnitIdentity,
    position: PartPosition,
    lines: Sequence[bytes],
    *,
    rebuild: Rebuild,
    gaps: Sequence[Gap] = (),
    mapping: MappingResult = NO_RECORDS,
    messages: Messages | None = None,
    rejection: Rejection | None = None,
) -> UnitPart:
    """Assemble one part of a unit from its encoded lines."""
    excluded = dict(sorted(mapping.out_of_scope.items()))
    table_line = UnitLine(
        u=unit_id(identity.unit),
        unit=identity.unit,
        kind=identity.kind,
        part=position.part,
        parts=position.parts,
        src_sha256=identity.src_sha256,
        raw_sha256=identity.raw_sha256,
        raw_size=identity.raw_size,
        span=position.span,
        first=position.first,
        records=mapping.kept + mapping.rejected + sum(excluded.values()),
        kept=mapping.kept,
        rejected=mapping.rejected,
        out_of_scope=excluded,
        lines=len(lines),
        root=merkle.root(map(merkle.leaf_hash, lines)).hex(),
        gaps=tuple(gaps),
        rebuild=rebuild,
        raw_form=identity.raw_form,
        source_metadata=dict(sorted(identity.source_metadata.items())),
        messages=messages,
        rejection=rejection,
    )
    encoded = encode(table_line)
    size = len(encoded) + sum(map(len, lines)) + len(lines) + 1
    return UnitPart(
        identity.hour,
        table_line,
        encoded,
        tuple(lines),
        size,
        mapping.broken,
        mapping.categories,
    )


def split(spans: Sequence[tuple[int, int]], size: int) -> list[tuple[range, tuple[int, int]]]:
    """Divide a unit of `size` bytes into parts by the window each record starts in.

    Returns, for each part, the indexes of its records and the bytes it accounts for; these
    are contiguous from 0 to `size`. There is at least one part. The division depends only on the
    source bytes, never on how they are mapped.
    """
    if size <= PART_BYTES:
        return [(range(len(spans)), (0, size))]
    starts = [0]
    for index in range(1, len(spans)):
        if spans[index][0] // PART_BYTES != spans[starts[-1]][0] // PART_BYTES:
            starts.append(index)
    bounds = [0, *(spans[index][0] for index in starts[1:]), size]
    return [
        (range(start, end), (bounds[number], bounds[number + 1]))
        for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(spans)], strict=True))
    ]


def chunks(size: int) -> list[tuple[int, int]]:
    """Divide a rejected delivery of `size` bytes into spans of up to CHUNK_BYTES; at least one."""
    starts = range(0, max(size, 1), CHUNK_BYTES)
    return [(start, min(start + CHUNK_BYTES, size)) for start in starts]


def messages_of(data: bytes, messages: Sequence[Message]) -> Messages | None:
    """Return what a unit line states of its messages, which are consecutive; None without any."""
    if not messages:
        return None
    hashes = tuple(sha256(data[message.start : message.end]).hexdigest() for message in messages)
    return Messages(messages[0].number, hashes, tuple(message.records for message in messages))
