"""When an hour is listed: its period by age, and its own instant within each period."""

from __future__ import annotations

from fractions import Fraction
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.evidence import keys, sweep

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
NOW = 1_774_958_400_000
"""2026-03-31 12:00 UTC, in milliseconds."""
HOURS = st.integers(-30, 24 * 400).map(lambda age: keys.hour_of(NOW - age * HOUR))
ODD = st.sampled_from(["unknown", "", "*", "2026039999", "h=2026033112", "\udcff"])
LASTS = st.one_of(st.just(0), st.integers(NOW - 2 * WEEK, NOW))


@pytest.mark.parametrize(
    ("age", "period"),
    [
        (-1, HOUR),
        (0, 0),
        (4 * HOUR, 0),
        (4 * HOUR + 1, HOUR),
        (49 * HOUR, HOUR),
        (49 * HOUR + 1, DAY),
        (35 * DAY + HOUR, DAY),
        (35 * DAY + HOUR + 1, WEEK),
        (4000 * DAY, WEEK),
    ],
)
def test_the_period_depends_on_the_time_since_the_hour_ended(age: int, period: int) -> None:
    """`age` counts from its beginning, in milliseconds: each bound, and one more."""
    begins = keys.hour_start("2026010100")
    assert begins is not None
    assert period == sweep.period("2026010100", begins + age)


@pytest.mark.parametrize("odd", ["unknown", "2026039999", "*", ""])
def test_a_folder_that_is_not_an_hour_is_listed_hourly(odd: str) -> None:
    """Its age cannot be known."""
    assert sweep.period(odd, NOW) == HOUR


@given(HOURS | ODD, LASTS)
def test_an_hour_falls_due_once_in_its_period(hour: str, last: int) -> None:
    """At its own first instant after `last`, or after one period ago: missed runs stay missed."""
    period = sweep.period(hour, NOW)
    due = sweep.falls_due(hour, NOW, last)
    assert (due is None) == (period == 0)
    if due is not None:
        since = max(last, NOW - period)
        assert since < due <= since + period
        assert 0 == (due - _instant(hour, period)) % period
        assert sweep.is_due(hour, due, due - 1) or sweep.period(hour, due) != period


def _instant(hour: str, period: int) -> int:
    """Return an hour's own instant as a share of a period: by the golden ratio, or a hash."""
    begins = keys.hour_start(hour)
    if begins is not None:
        part = Fraction(begins // HOUR * 0x9E3779B97F4A7C15, 1 << 64) % 1
    else:
        odd = sha256(hour.encode(errors="surrogatepass")).digest()
        part = Fraction(int.from_bytes(odd[:8], "big"), 1 << 64)
    return int(part * period)


@given(st.integers(0, 24 * 300))
def test_instants_are_evenly_spread(first: int) -> None:
    """Of a hundred hours in a row, no two are much nearer, or farther, than a hundredth apart."""
    hours = [keys.hour_of(NOW - (2400 + first + n) * HOUR) for n in range(100)]
    dues = sorted(sweep.falls_due(hour, NOW, 0) or 0 for hour in hours)
    apart = [later - sooner for sooner, later in pairwise(dues)]
    apart.append(dues[0] + WEEK - dues[-1])
    assert min(apart) > WEEK / 100 / 3
    assert max(apart) < WEEK / 100 * 2


@given(HOURS | ODD, LASTS)
def test_an_hour_is_due_from_its_instant_on(hour: str, last: int) -> None:
    """Not a millisecond earlier; the last hours are always due."""
    due = sweep.falls_due(hour, NOW, last)
    assert sweep.is_due(hour, NOW, last) == (due is None or due <= NOW)


def test_an_hour_is_due_at_its_instant() -> None:
    """Not only after it."""
    hour, last = keys.hour_of(NOW - 20 * HOUR), NOW - MINUTE
    due = sweep.falls_due(hour, NOW, last)
    assert due is not None
    assert [False, True] == [sweep.is_due(hour, now, last) for now in (due - 1, due)]
