"""Flags: what a leaf says is wrong with a version. Nothing is left out of the log because of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from nhi_evidence.evidence import keys, leaf, sweep
from nhi_evidence.stored import Description, Version

KEY_HASH = "key_hash"
"""The stored bytes do not match the hash in the key, or the key states none."""
SHADOW = "shadow"
"""Not the first version of its key."""
LATE = "late"
"""Sealed so long after its hour that the hour was no longer listed with every seal."""
SHORT_LOCK = "short_lock"
"""Locked for less time than the policy requires, or not at all."""
ENCRYPTION = "encryption"
"""Not encrypted as the policy requires."""
NO_CHECKSUM = "no_checksum"
"""The store keeps no SHA-256 for it."""
MARKER = "marker"
"""A delete marker that expiry does not explain."""
EXPIRED = "expired"
"""The delete marker left by lifecycle at or after the end of lock and grace."""
UNDESCRIBED = "undescribed"
"""The store would not describe it: its hash, lock and metadata are unknown."""

ALL = (KEY_HASH, SHADOW, LATE, SHORT_LOCK, ENCRYPTION, NO_CHECKSUM, MARKER, EXPIRED, UNDESCRIBED)

_VOID = frozenset({KEY_HASH, SHADOW})

LOCK_SLACK_MS = 60_000
"""A store may read its clock twice, for the lock's start and the version's date, in any order."""


class LockPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment promises for every version."""

    retention_ms: int
    """Shortest lock, counted from when the store received the version."""
    grace_ms: int = 0
    """Time from the end of the lock until lifecycle removes the version."""
    encryption: str | None = "AES256"
    """The encryption the store must report; None where it reports none (an embedded store)."""

    @property
    def kept_ms(self) -> int:
        """How long a version lasts at least: lock and grace."""
        return self.retention_ms + self.grace_ms


def never_counts(stated: Iterable[str]) -> bool:
    """Whether the flags of a leaf say that what is in its version counts for nothing."""
    return not _VOID.isdisjoint(stated)


def object_leaf(
    version: Version, description: Description | None, lock_policy: LockPolicy, now: int
) -> leaf.ObjectLeaf | None:
    """Return the leaf of a version; None when it has disappeared since it was listed."""
    if description is None:
        return None
    flags = {LATE} if _is_late(version.key, now) else set()
    if version.shadow:
        flags.add(SHADOW)
    key_sha256 = keys.parse_key(version.key).body_sha256
    if description.undescribed is not None:
        return _undescribed(version, flags)
    if description.sha256 is None:
        flags.add(NO_CHECKSUM)
    if key_sha256 is None or (
        description.sha256 is not None and not description.sha256.startswith(key_sha256)
    ):
        flags.add(KEY_HASH)
    if is_short(description.retain_until, version.modified, lock_policy.retention_ms):
        flags.add(SHORT_LOCK)
    if lock_policy.encryption is not None and description.encryption != lock_policy.encryption:
        flags.add(ENCRYPTION)
    return leaf.ObjectLeaf(
        key=version.key,
        vid=version.id,
        at=version.modified,
        size=description.size,
        sha256=description.sha256,
        until=description.retain_until,
        md=description.metadata,
        flags=tuple(sorted(flags)),
    )


def bare_leaf(entry: leaf.ObjectLeaf | leaf.MarkerLeaf) -> leaf.ObjectLeaf | leaf.MarkerLeaf:
    """Return a leaf without the store's description, for one too large for any plan."""
    if isinstance(entry, leaf.MarkerLeaf):
        return entry
    version = Version(entry.key, entry.vid, entry.at, entry.size)
    return _undescribed(version, set(entry.flags) & {LATE, SHADOW})


def _undescribed(version: Version, flags: set[str]) -> leaf.ObjectLeaf:
    raised = tuple(sorted({*flags, UNDESCRIBED}))
    return leaf.ObjectLeaf(version.key, version.id, version.modified, version.size, flags=raised)


def marker_leaf(
    marker: Version, lock_ends: Sequence[int | None], lock_policy: LockPolicy, now: int
) -> leaf.MarkerLeaf:
    """Return the leaf of a delete marker.

    `lock_ends` are the ends of the locks of what still exists under its key. An expiry marker is
    always late, so it is not flagged as such.
    """
    if is_expiry(marker, lock_ends, lock_policy):
        return leaf.MarkerLeaf(marker.key, marker.id, marker.modified, (EXPIRED,))
    late = (LATE,) if _is_late(marker.key, now) else ()
    return leaf.MarkerLeaf(marker.key, marker.id, marker.modified, (*late, MARKER))


def contradiction(entry: leaf.ObjectLeaf | leaf.MarkerLeaf) -> str | None:
    """Return how the flags of a leaf disagree with what the leaf itself states, or None.

    A sealer sets flags; readers of the log check them. What depends on its lock policy, its clock
    or other versions of the key is not judged here.
    """
    raised = set(entry.flags)
    if len(raised) != len(entry.flags) or not raised <= set(ALL):
        return f"no such flags: {' '.join(entry.flags)}"
    if isinstance(entry, leaf.MarkerLeaf):
        is_one = len(raised & {MARKER, EXPIRED}) == 1 and raised <= {MARKER, EXPIRED, LATE}
        return None if is_one else f"flags of a delete marker: {' '.join(entry.flags)}"
    if UNDESCRIBED in raised:
        is_bare = entry.sha256 is None and entry.until is None and not entry.md
        return None if is_bare else f"{UNDESCRIBED}, but it is described"
    stated = keys.parse_key(entry.key).body_sha256
    is_other = stated is None or entry.sha256 not in {None, stated}
    expected = {KEY_HASH: is_other, NO_CHECKSUM: entry.sha256 is None, MARKER: False}
    for flag, is_due in (expected | {EXPIRED: False}).items():
        if is_due != (flag in raised):
            return f"{flag} is {'not ' if is_due else ''}set"
    return None


def is_expiry(marker: Version, lock_ends: Sequence[int | None], lock_policy: LockPolicy) -> bool:
    """Whether a delete marker is the one lifecycle leaves when it expires a key.

    It appears at or after the end of every lock under the key, plus grace. Once lifecycle has
    removed the versions too, only the hour in the key is left to judge by: nothing can have been
    locked before its hour. A verifier finds what was removed too early by the lock in its leaf.
    """
    if lock_ends:
        ends = [0 if end is None else end for end in lock_ends]
        return all(ends) and marker.modified >= max(ends) + lock_policy.grace_ms - LOCK_SLACK_MS
    begins = keys.hour_start(keys.parse_key(marker.key).hour or "")
    if begins is None or not lock_policy.retention_ms:
        return False
    return marker.modified >= begins + lock_policy.kept_ms


def is_short(until: int | None, modified: int, retention_ms: int) -> bool:
    """Whether a version is locked for less than `retention_ms` from when the store received it."""
    return (until or 0) < modified + retention_ms - min(LOCK_SLACK_MS, retention_ms)


def _is_late(key: str, now: int) -> bool:
    begins = keys.hour_start(keys.parse_key(key).hour or "")
    return begins is not None and now - begins > sweep.HOURLY_MS + sweep.HOUR_MS
