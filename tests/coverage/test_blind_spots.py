"""The demo's draws: coverage and reconcile name what was removed, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.demo.blind_spots import show_blind_spots
from nhi_evidence.demo.estate import day
from nhi_evidence.demo.story import records


@pytest.mark.parametrize("seed", [1, 2, 3, 7, 42])
def test_exactly_what_was_planted_is_named(tmp_path: Path, seed: int) -> None:
    spots, report = show_blind_spots(tmp_path, seed)
    assert spots.planted_cells == spots.named_cells
    assert (spots.canary,) == spots.broken
    assert (spots.withheld,) == spots.missing
    assert spots.exact
    assert len(spots.planted) == 2
    assert {"gcp", "azure", "entra", "github", "okta", "vault"} <= set(report.accounts)
    assert set(records.ACCOUNTS) <= set(report.accounts["aws"])


def test_draws_differ_and_repeat() -> None:
    drawn = [day.draw(seed) for seed in range(20)]
    assert drawn == [day.draw(seed) for seed in range(20)]
    assert len({(one.plants[0].name, one.canary, one.withheld) for one in drawn}) > 10
    for draw in drawn:
        gaps = {cell for plant in draw.plants for cell in plant.expected}
        assert draw.canary not in gaps
        assert len({plant.platform for plant in draw.plants}) == 2
