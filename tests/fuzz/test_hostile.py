"""A seeded sample of the attacks in `tests.fuzz.hostile`: findings, never an exception."""

from __future__ import annotations

import pytest

from tests.fuzz.hostile import attack


@pytest.mark.parametrize(
    "first",
    [0, 20, *(pytest.param(first, marks=pytest.mark.slow) for first in range(40, 160, 20))],
)
def test_no_hostile_store_is_an_exception(first: int) -> None:
    """Each of twenty randomly attacked stores is verified to the end and explained."""
    outcomes = {seed: attack(seed) for seed in range(first, first + 20)}
    assert any(outcome.report.findings for outcome in outcomes.values())
    assert [] == [seed for seed, outcome in outcomes.items() if not outcome.is_explained]
