"""V5 of `verify`: whoever may write statements decides how many there are on one hour."""

from __future__ import annotations

import pytest

from nhi_evidence.completeness import check
from tests.completeness.test_check import codes, sealed_trail, state, verified, without_unit


def test_of_many_statements_on_one_hour_the_newest_are_weighed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each takes the work of judging the hour again, and the report counts the others."""
    evidence = sealed_trail()
    state(evidence, without_unit)
    state(evidence)
    assert ["statement_false"] == codes(verified(evidence))
    monkeypatch.setattr(check, "MOST_WEIGHED", 1)
    report = verified(evidence)
    assert ([], {"proven": 1}) == (report.findings, report.statements)
    (line,) = (each for each in report.not_checked if "were weighed, not these" in each)
    assert line.startswith("V5: 1 statement on completeness")
