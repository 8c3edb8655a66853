"""What a leaf says is wrong with a version."""

from __future__ import annotations

import pytest

from nhi_evidence.evidence import flags

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
def test_a_lock_is_short_beyond_the_slack(until: int | None, short: bool) -> None:
    """A store that starts the lock a second before it dates the version keeps its promise."""
    assert short == flags.is_short(until, TAKEN, DAY_MS)


def test_no_lock_is_short_of_any_promise() -> None:
    """A version that is not locked at all is said to be, whatever was promised."""
    assert flags.is_short(None, TAKEN, 0)
