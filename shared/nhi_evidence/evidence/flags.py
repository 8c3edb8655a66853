"""What a leaf says is wrong with a version. Nothing is left out of the log for being wrong."""

from __future__ import annotations

import msgspec

from nhi_evidence.evidence import keys, leaf, sweep
from nhi_evidence.stored import Description, Version

KEYHASH = "keyhash"
"""The stored bytes have not the hash the key states, or the key states none."""
SHADOW = "shadow"
"""Not the first version of its key."""
LATE = "late"
"""Sealed when its hour was no longer watched hourly."""
SHORT_LOCK = "short_lock"
"""Locked for less than the policy asks, or not at all."""
SSE = "sse"
"""Not encrypted as the policy asks."""
NOCKSUM = "nocksum"
"""The store keeps no SHA-256 of it."""
MARKER = "marker"
"""A delete marker."""

ALL = (KEYHASH, SHADOW, LATE, SHORT_LOCK, SSE, NOCKSUM, MARKER)

LOCK_SLACK_MS = 60_000
"""A store may start the lock and date the version by two readings of its clock, in either order."""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment promises of every version."""

    retention_ms: int
    """Shortest lock, counted from when the store took the version."""
    encryption: str | None = "AES256"
    """What the store must say of it; None where it says nothing (an embedded one)."""


def describe(
    version: Version, said: Description | None, promise: Promise, now: int
) -> leaf.ObjectLeaf | leaf.MarkerLeaf | None:
    """Return the leaf of a version; None when it is gone since it was listed."""
    flags = {LATE} if _is_late(version.key, now) else set()
    if version.marker:
        flags.add(MARKER)
        return leaf.MarkerLeaf(version.key, version.id, version.modified, tuple(sorted(flags)))
    if said is None:
        return None
    stated = keys.place(version.key).stated
    if said.sha256 is None:
        flags.add(NOCKSUM)
    if stated is None or (said.sha256 is not None and not said.sha256.startswith(stated)):
        flags.add(KEYHASH)
    if version.shadow:
        flags.add(SHADOW)
    if is_short(said.retain_until, version.modified, promise.retention_ms):
        flags.add(SHORT_LOCK)
    if promise.encryption is not None and said.encryption != promise.encryption:
        flags.add(SSE)
    return leaf.ObjectLeaf(
        key=version.key,
        vid=version.id,
        at=version.modified,
        size=said.size,
        sha256=said.sha256,
        until=said.retain_until,
        md=said.metadata,
        flags=tuple(sorted(flags)),
    )


def is_short(until: int | None, modified: int, retention_ms: int) -> bool:
    """Whether a version is locked for less than `retention_ms` from when the store took it."""
    return (until or 0) < modified + retention_ms - min(LOCK_SLACK_MS, retention_ms)


def _is_late(key: str, now: int) -> bool:
    begins = keys.hour_start(keys.place(key).hour or "")
    return begins is not None and now - begins > sweep.HOURLY_MS + sweep.HOUR_MS
