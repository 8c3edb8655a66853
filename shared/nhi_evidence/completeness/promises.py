"""Heartbeats promised in advance, under `op/v1/coverage/`, so that silence is evidence.

Some providers deliver something every hour whatever happens: CloudTrail writes a digest for each
account and region even if nothing was done. Which heartbeats an hour should have is sealed before
the hour begins. A promised one that does not arrive is missing, even if the whole account fell
silent and nothing else mentions it.

A promise counts if both store and sealer took it before its hour began; its own time is ignored.
Of two different promises, whatever either names is expected: a later promise cannot revoke an
earlier one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.completeness.statement import Scope
from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.evidence import frame, keys
from nhi_evidence.evidence.leaf import ObjectLeaf

PREFIX = "op/v1/coverage/"
ENDING = ".heartbeats.json.zst"
VERSION = 1
MAX_BYTES = 16 << 20


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """The heartbeats expected in one hour of a source."""

    v: int = VERSION
    source: str
    hour: str
    """`YYYYMMDDHH`."""
    scopes: tuple[Scope, ...]
    """Each is expected at least once; sorted, without duplicates."""


class Times(msgspec.Struct, frozen=True):
    """When the entries of a log were sealed, by the sealer's clock."""

    ends: tuple[int, ...] = ()
    """Index after the last entry of each epoch or checkpoint, in order."""
    at: tuple[int, ...] = ()
    """When each of these was sealed, milliseconds since the epoch."""

    def sealed(self, place: int) -> int | None:
        """Return when the entry at an index in the whole log was sealed; None if unknown."""
        index = bisect_right(self.ends, place)
        return self.at[index] if index < len(self.at) else None


def times(ends: Iterable[tuple[int, int]]) -> Times:
    """Return the times of pairs of end and instant, given in any order."""
    ordered = sorted(ends)
    return Times(tuple(end for end, _ in ordered), tuple(at for _, at in ordered))


def is_promise(key: str) -> bool:
    """Whether a key is that of a promise."""
    return key.startswith(PREFIX) and key.endswith(ENDING)


def write(promise: Promise) -> Operation:
    """Return the object that holds a promise, under the hour it is for.

    Equal promises have equal bytes: the same promise from two runs is one object.
    """
    body, _ = frame.pack([msgspec.json.encode(promise, order="sorted")])
    key = f"{PREFIX}h={promise.hour}/{sha256(body).hexdigest()}{ENDING}"
    return Operation(key, body, {"source": promise.source, "scopes": str(len(promise.scopes))})


def read(body: bytes, key: str) -> Promise:
    """Read a promise back. Raises `ValueError` for anything `write` would not have put there."""
    try:
        lines = frame.unpack(body, limit=MAX_BYTES)
        promise = msgspec.json.decode(lines[0], type=Promise)
    except (ValueError, IndexError, msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"{key}: {error}") from error
    is_own = len(lines) == 1 and promise.v == VERSION and write(promise).key == key
    if not is_own or list(promise.scopes) != sorted(set(promise.scopes)):
        raise ValueError(f"{key}: not in canonical form")
    if keys.hour_start(promise.hour) is None:
        raise ValueError(f"{key}: {promise.hour!r} is not an hour")
    return promise


def is_early(entry_at: int, sealed_at: int | None, hour: str) -> bool:
    """Whether what was received and sealed at these times preceded its hour.

    The later of the two clocks decides, the store's or the sealer's.
    """
    begins = keys.hour_start(hour)
    return begins is not None and sealed_at is not None and max(entry_at, sealed_at) < begins


def chosen(entries: Iterable[tuple[int, ObjectLeaf]]) -> Sequence[tuple[int, ObjectLeaf]]:
    """Return the placed entries that are promises."""
    return [each for each in entries if is_promise(each[1].key)]


def others(entries: Iterable[tuple[int, ObjectLeaf]]) -> Sequence[tuple[int, ObjectLeaf]]:
    """Return the placed entries that are stored next to promises but are not."""
    return [
        each
        for each in entries
        if each[1].key.startswith(PREFIX) and not each[1].key.endswith(ENDING)
    ]
