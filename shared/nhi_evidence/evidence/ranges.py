"""What a sealed unit of a stream holds, message by message, for counting."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import accumulate

import msgspec

from nhi_evidence.azure import event_hub
from nhi_evidence.evidence import batch
from nhi_evidence.evidence.counting import Range

_header = msgspec.json.Decoder(batch.Header).decode
_after = msgspec.json.Decoder(batch.Messages | batch.OutOfScopeIds).decode


class Held(msgspec.Struct, frozen=True):
    """A range, and which records of its unit each message holds."""

    claim: Range
    records: Mapping[int, tuple[int, int]]
    """Sequence number to the index of its first record and of the one after its last."""


def held(index: int, parts: Sequence[Sequence[bytes]]) -> Held | None:
    """Return the range a unit states; None of a unit whose name claims no range.

    `parts` are the lines of its objects in part order, each with its header first; `index` is
    the place of the first one's leaf. The numbers the name claims and the messages the object
    holds are taken as they stand: whether they agree is for counting to say (`Range.valid`). A
    rejection unit is read back from its chunks. Raises `ValueError` when the lines are not those
    of an evidence object.
    """
    try:
        header = _header(parts[0][0])
        stated = [_after(one) for one in parts[0][1:] if not batch.is_record(one)]
    except msgspec.MsgspecError as error:
        raise ValueError(f"not an evidence object: {error}") from error
    named = event_hub.claimed(header.unit)
    if named is None:
        return None
    stream, first, last = named
    hashes: dict[int, bytes] = {}
    records: dict[int, tuple[int, int]] = {}
    for one in stated:
        if isinstance(one, batch.Messages):
            numbers = range(one.first, one.first + len(one.h))
            hashes = dict(zip(numbers, map(bytes.fromhex, one.h), strict=True))
            ends = list(accumulate(one.n, initial=0))
            records = {n: (ends[at], ends[at + 1]) for at, n in enumerate(numbers)}
    if header.rejection is not None:
        hashes = _of_rejected(parts)
    return Held(Range(index, stream, first, last, hashes), records)


def _of_rejected(parts: Sequence[Sequence[bytes]]) -> dict[int, bytes]:
    """Return the messages of a delivery that was kept whole; none when it is no framed run."""
    lines = (msgspec.json.decode(line) for part in parts for line in part[1:])
    delivery = b"".join(
        one["r"].encode() if "r" in one else b64decode(one["r64"], validate=True) for one in lines
    )
    try:
        _, framed = event_hub.read(delivery)
    except ValueError:
        return {}
    return {
        one.sequence: sha256(delivery[one.start : one.end]).digest()
        for one in framed
        if one.sequence is not None
    }
