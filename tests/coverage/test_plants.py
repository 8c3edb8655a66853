"""Every planted gap removes exactly the cells it names."""

from __future__ import annotations

import pytest

from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate.plants import PLANTS, Plant, planted


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_gap_is_named_exactly(plant: Plant) -> None:
    before = estate.reading(plant.platform, 0)
    after = planted(before, (plant,))
    verdicts: list[dict[str, Verdict]] = [
        {one.cell: one.verdict for one in matrix([reading]).cells} for reading in (before, after)
    ]
    changed = {
        cell: verdict for cell, verdict in verdicts[1].items() if verdicts[0][cell] is not verdict
    }
    assert plant.expected == changed
