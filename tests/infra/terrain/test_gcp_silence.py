"""Alarms of the Google Cloud stack: logs that wait, are dead-lettered, or never arrive."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.infra.terrain.synthesis import (
    Stack,
    at,
    only,
    synthesize,
    values,
)


def test_somebody_is_notified_when_logs_wait_or_are_set_aside(gcp: Stack) -> None:
    """There are thresholds on three metrics, and an address for them and for every absence."""
    alarms = gcp["resource"]["google_monitoring_alert_policy"].values()
    watched = {
        metric
        for one in alarms
        for _, value in values(one["conditions"])
        for metric in re.findall(r'metric\.type = "([^"]+)"', str(value))
    }
    assert {
        "pubsub.googleapis.com/subscription/num_undelivered_messages",
        "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
        "run.googleapis.com/request_count",
    } == watched
    channel, body = at(gcp, "alarms/channel")
    assert {"email_address": "security@example.org"} == body["labels"]
    assert {f"${{{channel}.name}}"} == {
        name for one in alarms for name in one["notification_channels"]
    }


def _absences(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return the conditions that are queries, by the name of their alarm."""
    return {
        one["display_name"]: one["conditions"][0]["condition_prometheus_query_language"]
        for one in stack["resource"]["google_monitoring_alert_policy"].values()
        if "condition_prometheus_query_language" in one["conditions"][0]
    }


def test_an_absence_is_noticed_even_if_nothing_ever_arrived(gcp: Stack) -> None:
    """No publication and no success for an hour; a missing series counts as none."""
    function = only(gcp, "google_cloudfunctions2_function")["name"]
    _, topic = at(gcp, "audit/topic")
    absences = _absences(gcp)
    assert {
        "nhi-evidence: No audit logs arrive": topic["name"],
        "nhi-evidence: Nothing is locked": function,
    } == {
        name: re.findall(r'(?:topic_id|service_name)="([^"]+)"', condition["query"])[0]
        for name, condition in absences.items()
    }
    for condition in absences.values():
        assert re.fullmatch(
            r"\(sum\(increase\([a-z_:]+\{[^}]+\}\[600s\]\)\) or vector\(0\)\) == 0",
            condition["query"],
        )
        assert "3000s" == condition["duration"]
        assert condition["disable_metric_validation"] is True
    assert 'response_code_class="2xx"' in absences["nhi-evidence: Nothing is locked"]["query"]


def test_a_quiet_organization_raises_no_alarm_within_the_hour(tmp_path: Path) -> None:
    """If nothing records the export itself, silence is reported after six hours, with an
    explanation.
    """
    quiet = synthesize(
        tmp_path,
        change=('    "storage.googleapis.com",             # by far the largest\n', ""),
    )["gcp-export"]
    assert {f"{6 * 3600 - 600}s"} == {one["duration"] for one in _absences(quiet).values()}
    (text,) = [
        one["documentation"]["content"]
        for one in quiet["resource"]["google_monitoring_alert_policy"].values()
        if one["display_name"].endswith("No audit logs arrive")
    ]
    assert "6 hours" in text
    assert "quiet by itself" in text


def test_silence_is_as_long_as_the_configuration_says(tmp_path: Path) -> None:
    """A source's own hours override the default; there is no alarm if silence is always allowed."""
    entry = 'source = "gcp_audit"\nevidence = "main"\n'
    for hours, durations in ((12, {f"{12 * 3600 - 600}s"}), (0, set())):
        stack = synthesize(
            tmp_path / str(hours), change=(entry, f"{entry}silence_hours = {hours}\n")
        )["gcp-export"]
        assert durations == {one["duration"] for one in _absences(stack).values()}
