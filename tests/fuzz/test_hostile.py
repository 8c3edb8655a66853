"""A seeded sample of the attacks of `tests.fuzz.hostile`: findings, never an exception."""

from __future__ import annotations

import pytest

from tests.fuzz.hostile import attack


@pytest.mark.parametrize("first", range(0, 160, 20))
def test_no_hostile_store_is_an_exception(first: int) -> None:
    """Twenty stores, each made hostile at random: each is verified to the end."""
    reports = [attack(seed) for seed in range(first, first + 20)]
    assert any(report.findings for report in reports)
