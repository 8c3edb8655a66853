"""What a leaf flags as wrong with a version."""

from __future__ import annotations

import pytest

from nhi_evidence.evidence import flags
from nhi_evidence.stored import Version

DAY_MS = 24 * 60 * 60 * 1000
TAKEN = 1_772_438_700_000


@pytest.mark.parametrize(
    ("until", "short"),
    [
        (TAKEN + DAY_MS, False),
        (TAKEN + DAY_MS - 1_000, False),
        (TAKEN + DAY_MS - flags.LOCK_SLACK_MS - 1, True),
        (None, True),
    ],
)
def test_a_lock_is_short_only_beyond_the_slack(until: int | None, short: bool) -> None:
    """A store that starts the lock a second before the version's date keeps its promise."""
    assert short == flags.is_short(until, TAKEN, DAY_MS)


def test_a_missing_lock_is_always_short() -> None:
    """A version without a lock is flagged, whatever was promised."""
    assert flags.is_short(None, TAKEN, 0)


HOUR = "2026030207"
BEGINS = 1_772_434_800_000
POLICY = flags.LockPolicy(retention_ms=DAY_MS, grace_ms=DAY_MS)
EXPIRES = TAKEN + 2 * DAY_MS


@pytest.mark.parametrize(
    ("modified", "lock_ends", "expected"),
    [
        (EXPIRES, [TAKEN + DAY_MS], ("expired",)),
        (EXPIRES - flags.LOCK_SLACK_MS, [TAKEN + DAY_MS], ("expired",)),
        (EXPIRES - flags.LOCK_SLACK_MS - 1, [TAKEN + DAY_MS], ("late", "marker")),
        (EXPIRES, [TAKEN + DAY_MS, TAKEN + 2 * DAY_MS], ("late", "marker")),
        (EXPIRES, [TAKEN + DAY_MS, None], ("late", "marker")),
        (TAKEN, [TAKEN + DAY_MS], ("late", "marker")),
        (BEGINS + 2 * DAY_MS, [], ("expired",)),
        (BEGINS + 2 * DAY_MS - 1, [], ("late", "marker")),
    ],
    ids=["due", "slack", "early", "another-locked", "not-locked", "at-once", "gone", "gone-early"],
)
def test_a_marker_of_expiry_comes_after_lock_and_grace(
    modified: int, lock_ends: list[int | None], expected: tuple[str, ...]
) -> None:
    """It is judged by the locks of what still exists, or else by the hour in the key."""
    marker = Version(f"ev/v1/aws_cloudtrail/h={HOUR}/x", "m", modified, marker=True)
    leaf = flags.marker_leaf(marker, lock_ends, POLICY, EXPIRES + 30 * DAY_MS)
    assert expected == leaf.flags


@pytest.mark.parametrize("policy", [POLICY, flags.LockPolicy(retention_ms=0)])
def test_a_marker_without_lock_or_hour_is_not_expiry(policy: flags.LockPolicy) -> None:
    """If neither a lock nor an hour says when it might expire, it stays an alarm."""
    for key in ("ev/v1/aws_cloudtrail/h=unknown/x", "ev/odd"):
        leaf = flags.marker_leaf(Version(key, "m", EXPIRES, marker=True), [], policy, EXPIRES)
        assert ("marker",) == leaf.flags
