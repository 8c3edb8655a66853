"""The part of a record's line that a verifier reads."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from nhi_evidence.evidence.lines import ParsedLine
from nhi_evidence.reading import cutting

_UNCUT = frozenset({cutting.UNREADABLE, cutting.REFUSED})


class _Hash(msgspec.Struct):
    value: str


class _Uid(msgspec.Struct, frozen=True):
    uid: str | None = None


class _Cloud(msgspec.Struct, frozen=True):
    account: _Uid = _Uid()


class Normalized(msgspec.Struct):
    """A normalized record."""

    raw_data_hash: _Hash
    raw_data_size: int
    metadata: _Uid = _Uid()
    cloud: _Cloud = _Cloud()


normalized = msgspec.json.Decoder(Normalized).decode


def original(parsed: ParsedLine, raw: bytes) -> tuple[str, int]:
    """Return hash (hex) and size of the record as delivered; of a cut one, as its line states."""
    if not parsed.c or parsed.form != "kept":
        return sha256(raw).hexdigest(), len(raw)
    record = normalized(parsed.n)
    return record.raw_data_hash.value, record.raw_data_size


def is_gone(parsed: ParsedLine) -> bool:
    """Whether none of a record's raw text was kept, so that it cannot be mapped again."""
    return not parsed.r and not parsed.r64 and any(cut.rule in _UNCUT for cut in parsed.c)


def cut_problem(parsed: ParsedLine, raw: bytes) -> str | None:
    """Return what is wrong with the cuts of a line, which has at least one; None if nothing.

    Cuts must be in order, within the text, and not empty.
    """
    offsets = [cut.offset for cut in parsed.c]
    if offsets != sorted(offsets) or not 0 <= offsets[0] <= offsets[-1] <= len(raw):
        return "a cut outside the text"
    if any(cut.length <= 0 for cut in parsed.c):
        return "an empty cut"
    return None
