"""Every metric that a function emits is read by an alarm, or does not need to be.

The metrics are found in the functions' code, so that a new one without an alarm is noticed.
"""

from __future__ import annotations

import pytest

from tests.infra.aws.emitted import emitted, functions, names
from tests.infra.aws.estate import Estate
from tests.infra.aws.test_monitoring import alarms, watched

_SILENT = "a run that fails emits nothing else, which `silent` or `stalled` notices"
_WORK = "it counts work, and work that stops is noticed by the metric of the same run named here: "
UNREAD = {
    "aws_export": {
        "RecordsSeen": _WORK + "ObjectsCreated",
        "RecordsKept": _WORK + "ObjectsCreated",
        "RecordsOutOfScope": _WORK + "ObjectsCreated",
        "UnitsLocked": _WORK + "ObjectsCreated",
        "RecordsRejected": "the sealer counts what is locked: `mostly-rejected`",
        "UnreachedMessages": "received again, and their age is in AgeOfOldestMessage: `lag`",
    },
    "seal": {
        "Epoch": _WORK + "Checkpoints",
        "LogSize": _WORK + "Checkpoints",
        "Added": _WORK + "Checkpoints",
        "FailedRuns": "`failing` reads what Lambda itself counts, crashes included",
        "FlaggedLate": "a replay or backfill is late by nature, and is counted like any other",
        "FlaggedExpired": "what lifecycle leaves at the end of a lock",
    },
    "reconcile": {
        "FailedRuns": _SILENT,
        "Incomplete": "what is incomplete is counted by name in Missing or Unbacked",
        "Unprovable": "hours too young, and sources without any list, always are; see Unproven",
        "CanariesWeighed": _WORK + "Problems, which names what was not weighed",
    },
    "coverage": {
        "FailedRuns": _SILENT,
        "Refused": "a refusal costs cells, which then count as Lost",
        "Gap": "a state of the estate; what turns into one counts as Lost",
        "Unknown": "a state of the estate; what turns into one counts as Lost",
    },
    "canary": {
        "FailedRuns": _SILENT,
        "Calls": _WORK + "Planned; calls without an answer count as Unanswered",
    },
    "forward": {
        "RecordsForwarded": _WORK + "ObjectsForwarded",
        "PartsCreated": _WORK + "ObjectsForwarded",
        "FailedMessages": "received again; their age is in AgeOfOldestMessage: `lag`",
    },
}
"""Metrics that no alarm reads, with the reason."""


@pytest.mark.parametrize("function", functions())
def test_every_metric_is_read_by_an_alarm_or_has_a_reason(estate: Estate, function: str) -> None:
    """Both ways: a reason for a metric that an alarm reads, or that nothing emits, is outdated."""
    read = {
        name
        for alarm in alarms(estate).values()
        for name, metric in watched(alarm).items()
        if metric["dimensions"].get("service") == function
    }
    assert emitted(function) - read == set(UNREAD[function])


def test_a_metric_without_an_alarm_is_noticed() -> None:
    """The search can fail: it finds names in both forms, and such as are put together."""
    text = (
        'def report(done):\n    count("Lost", 1)\n    metrics.add_metric("Stopped", unit, 1)\n'
        "    metrics.add_metric(done.name, unit, 1)\n"
        "def count(name, value):\n    metrics.add_metric(name, unit, value)\n"
    )
    assert ["Lost", "Stopped", None] == list(names(text))
