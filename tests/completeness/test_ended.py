"""Which statements show that a proof has ended, and which are as expected."""

from __future__ import annotations

import pytest

from nhi_evidence.completeness.ended import is_ended
from nhi_evidence.completeness.hours import HOUR_MS
from nhi_evidence.completeness.reasons import REASONS, Verdict
from nhi_evidence.completeness.statement import Log, Scope, Statement, Statements
from nhi_evidence.evidence import keys

HOUR = "2026030210"
BEGAN = keys.hour_start(HOUR) or 0


def ended(source: str, *reasons: str, age: int = 26, stream: str = "") -> bool:
    """Judge one statement, made so many hours after the end of its hour."""
    verdict = Verdict.UNPROVABLE if reasons else Verdict.PROVEN
    statement = Statement(scope=Scope(stream=stream), verdict=verdict, reasons=reasons)
    log = Log("example.org/2026", 1, "00" * 32, BEGAN + (1 + age) * HOUR_MS)
    of_hour = Statements(source=source, hour=HOUR, log=log, statements=(statement,))
    return is_ended(of_hour, statement)


@pytest.mark.parametrize("reason", ["no_list", "uncovered", "key_unknown", "too_many"])
def test_a_signed_list_is_expected_after_a_day(reason: str) -> None:
    """Log file validation that is switched off leaves hours without a list: nothing is missing."""
    assert ended("aws_cloudtrail", reason)
    assert ended("aws_cloudtrail", reason, "waiting")
    assert not ended("aws_cloudtrail", reason, age=25)


@pytest.mark.parametrize("reason", ["refused", "listing_incomplete", "too_many"])
def test_a_listing_is_expected_at_once(reason: str) -> None:
    """A cloud that refuses our token lists nothing, at any age of the hour."""
    for source in ("gcp_audit", "azure_entra"):
        assert ended(source, reason, age=2)


def test_what_is_as_expected_ends_nothing() -> None:
    """A proof; an hour that is young or expired; sources whose provider lists nothing."""
    for source in ("aws_cloudtrail", "gcp_audit"):
        assert not ended(source)
        for reason in ("expired", "waiting", "open"):
            assert not ended(source, reason)
    assert not ended("gcp_audit", "no_list")
    assert not ended("azure_entra", "license_unknown")
    assert not ended("azure_activity", "not_asked")
    assert not ended("azure_monitor", "open", stream="namespace/hub#1")


def test_what_is_missing_is_counted_as_missing() -> None:
    """A statement counts once: as incomplete, whatever else its reasons are."""
    for reason, meaning in REASONS.items():
        if meaning.is_incomplete:
            assert not ended("aws_cloudtrail", reason, "uncovered")
