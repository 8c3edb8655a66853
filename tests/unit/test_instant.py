"""Times in logs: an instant, or none; never another one than the log states."""

from __future__ import annotations

import pytest

from nhi_evidence.reading import instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.0019Z", 1),
        ("2026-03-02T08:15:30.123456789Z", 1_772_439_330_123),
        ("2026-03-02 09:15:30+01:00", 1_772_439_330_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("0001-01-01T00:00:00Z", None),
        ("1969-12-31T23:59:59.999Z", None),
        ("1970-01-01T00:30:00+01:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("2026-03-02T08:15:30", None),
        ("2026-02-30T08:15:30Z", None),
        ("", None),
        (None, None),
    ],
)
def test_a_text_states_an_instant_or_none(text: str | None, expected: int | None) -> None:
    """Go's zero time stands for no time; without a zone there is no instant."""
    assert expected == instant.milliseconds(text)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, 0), (253_402_300_799_999, 253_402_300_799_999), (-1, None), (253_402_300_800_000, None)],
)
def test_a_number_states_an_instant_up_to_the_year_10000(number: int, expected: int | None) -> None:
    assert expected == instant.of_number(number)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1_772_439_330_828, 1_772_439_330_828),
        (1_772_439_330, 1_772_439_330_000),
        (946_684_800, 946_684_800_000),
        (946_684_799, None),
        (99_999_999_999, 99_999_999_999_000),
        (100_000_000_000, None),
        (946_684_799_999, None),
        (946_684_800_000, 946_684_800_000),
        (0, None),
        (-1, None),
        (1_772_439_330_828_000, None),
    ],
)
def test_a_count_is_of_seconds_only_where_it_could_be_nothing_else(
    count: int, expected: int | None
) -> None:
    """A count that is no time of this century as either is none: never one in 1970."""
    assert expected == instant.of_count(count)
