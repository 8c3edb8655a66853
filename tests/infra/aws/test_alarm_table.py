"""Each alarm fires when it should and is silent when it should, evaluated from its definition."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.aws.alarm_table import (
    CANARY,
    COVERAGE,
    EXPORTER,
    FORWARDER,
    RECONCILER,
    SEALER,
    STORE,
    alarms_of,
    with_table,
)
from tests.infra.aws.conftest import ROOT
from tests.infra.aws.estate import Estate
from tests.infra.aws.evaluation import raised
from tests.infra.aws.scenarios import SITUATIONS

ABSENCE = {f"{STORE}-{one}-absence" for one in ("aws_cloudtrail", "gcp_audit", "azure_monitor")}
"""All sources share the same series here: all fall silent together."""
NOTHING_NEW = ABSENCE | {f"{FORWARDER}-silence"}
SILENCE = {f"{EXPORTER}-silence"}

EXPECTED: dict[str, set[str]] = {
    "a normal week": set(),
    "first deployment, first file after an hour": set(),
    "nothing ever arrives": SILENCE | NOTHING_NEW,
    "expiry": set(),
    "the source stops": SILENCE | NOTHING_NEW,
    "the evidence account is unavailable": {
        *SILENCE,
        *NOTHING_NEW,
        *(f"{EXPORTER}-{one}" for one in ("lag", "failing", "giving-up", "dead-letters")),
        *(f"{SEALER}-{one}" for one in ("stalled", "failing")),
    },
    "requests reach the bucket, which refuses them": NOTHING_NEW,
    "the exporter is disabled": {
        *SILENCE,
        *NOTHING_NEW,
        *(f"{EXPORTER}-{one}" for one in ("lag", "loss")),
    },
    "more files come than there is time for": {
        f"{EXPORTER}-{one}" for one in ("lag", "giving-up", "dead-letters")
    },
    "one file cannot be locked": {
        f"{EXPORTER}-{one}" for one in ("lag", "failing", "giving-up", "dead-letters")
    },
    "what was set aside is left lying": {
        f"{EXPORTER}-{one}" for one in ("dead-letters", "dead-letters-old")
    },
    "one file kills the exporter": {f"{EXPORTER}-{one}" for one in ("errors", "dead-letters")},
    "a forged notification": {f"{EXPORTER}-refused"},
    "a file that cannot be decoded": {f"{EXPORTER}-rejected"},
    # All sources share the same series here, too.
    "a provider changes the form of its records": {
        f"{STORE}-{one}-mostly-rejected" for one in ("aws_cloudtrail", "gcp_audit", "azure_monitor")
    },
    "a burst of records that cannot be mapped": set(),
    "a record that breaks the mapper": {f"{EXPORTER}-rejected"},
    # Nobody says then whether evidence still comes.
    "the sealer fails": {f"{SEALER}-stalled", f"{SEALER}-failing", *ABSENCE},
    "the sealer's clock is removed": {f"{SEALER}-stalled", *ABSENCE},
    "tampering with objects": {f"{SEALER}-flagged"},
    "tampering with the log": {f"{SEALER}-contradiction"},
    "a stranger signs": {f"{SEALER}-foreign-signature"},
    "the sealer's role signs another log": {f"{SEALER}-more-signatures"},
    "the trail that counts signatures is stopped": {f"{SEALER}-fewer-signatures"},
    "a provider delivered what is not counted": {f"{RECONCILER}-missing"},
    "something is counted that no provider names": {f"{RECONCILER}-unbacked"},
    "log file validation is switched off": {
        f"{RECONCILER}-unproven",
        f"{COVERAGE}-unpromised",
    },
    "another cloud no longer accepts our tokens": {
        f"{RECONCILER}-problems",
        f"{RECONCILER}-unproven",
        f"{COVERAGE}-unreadable",
    },
    "another cloud refuses to list its log": {f"{RECONCILER}-unproven"},
    "a sealed object is not what it states": {f"{RECONCILER}-unsound"},
    "a sealed statement cannot be read": {f"{COVERAGE}-problems"},
    "the function that reconciles fails": {f"{RECONCILER}-silent"},
    "a canary is allowed more than it should be": {f"{CANARY}-unexpected"},
    "a canary's record does not arrive": {f"{CANARY}-broken"},
    "a canary's role is removed": {f"{CANARY}-unanswered"},
    "the function that probes fails": {f"{CANARY}-silent"},
    "a trail is stopped, or a sink": {f"{COVERAGE}-lost"},
    "a cloud's settings cannot be read": {f"{COVERAGE}-unreadable"},
    "the function that reads settings fails": {f"{COVERAGE}-silent", f"{COVERAGE}-unpromised"},
    "the bucket no longer notifies the function that forwards": {f"{FORWARDER}-silence"},
    "new evidence cannot be handed on": {
        f"{FORWARDER}-silence",
        f"{FORWARDER}-lag",
        f"{FORWARDER}-dead-letters",
    },
    "one object kills the function that forwards": {
        f"{FORWARDER}-errors",
        f"{FORWARDER}-dead-letters",
    },
    "a forged notification of evidence": {f"{FORWARDER}-refused"},
    "an object under an evidence key that is not valid evidence": {f"{FORWARDER}-unsound"},
    "the subscriber stops": {f"{FORWARDER}-subscriber-behind"},
    "the subscriber cannot read what it is told of": {f"{FORWARDER}-subscriber-dead-letters"},
    "objects by the million": {f"{STORE}-object-rate"},
    "the replica is out of reach": {
        f"{STORE}-replication-failed",
        f"{STORE}-replication-behind",
    },
    "replication is removed": {f"{STORE}-replication-stopped"},
}


@pytest.fixture(scope="module")
def alarms(estate: Estate) -> dict[str, dict[str, Any]]:
    return alarms_of(estate)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_situation_raises_these_alarms_and_no_other(
    alarms: dict[str, dict[str, Any]], situation: str
) -> None:
    """Compared with an expectation written by hand."""
    assert EXPECTED[situation] == raised(alarms, situation)


def test_every_alarm_has_a_situation_that_raises_it(alarms: dict[str, dict[str, Any]]) -> None:
    """An alarm that no situation raises has never been seen to work."""
    notifying = {name for name, alarm in alarms.items() if alarm.get("AlarmActions")}
    assert notifying == set().union(*EXPECTED.values())
    assert set() == EXPECTED["a normal week"], "and that there is one in which none is raised"


def test_an_alarm_without_one_of_both_cases_is_noticed(alarms: dict[str, dict[str, Any]]) -> None:
    """The table can fail: an alarm that never fires is in no row, one that always fires in the
    first.
    """
    name = f"{EXPORTER}-lag"
    for threshold, situations in ((1e12, set()), (-1.0, {*SITUATIONS})):
        mutated = {**alarms, name: {**alarms[name], "Threshold": threshold}}
        assert situations == {one for one in SITUATIONS if name in raised(mutated, one)}


def test_the_page_shows_the_table() -> None:
    """docs/operations.md is what `python -m tests.infra.aws` writes."""
    page = (ROOT / "docs" / "operations.md").read_text()
    assert list(SITUATIONS) == list(EXPECTED)
    assert with_table(page, EXPECTED) == page
