"""What a coverage report says about a path, for a reader: equal cells are one entry."""

from __future__ import annotations

from nhi_evidence.investigate.timeline import Visibility
from nhi_evidence.terminal import timeline_report
from tests.investigating import START


def unknown(number: int, reason: str = "no reading of settings covers this time") -> Visibility:
    return Visibility(
        what=f"aws: case {number}", platform="aws", step="enumeration", verdict="UNKNOWN",
        since=START, until=START + 1000, reason=reason, is_seen=False, is_on_record=False,
        cell=f"aws.enumeration.{number}", accounts=(),
    )  # fmt: skip


def test_cells_unknown_for_one_reason_are_grouped() -> None:
    """Each group names some cells and counts the rest; another reason is another group."""
    alike = [unknown(number) for number in range(30)]
    groups = list(timeline_report._alike([*alike, unknown(30, "denied")]))
    assert [30, 1] == [len(group) for group in groups]
