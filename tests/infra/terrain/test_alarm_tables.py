"""Each alarm of Google Cloud and Azure fires when it should, and is silent when it should."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.gcp.alarm_rules import absences
from tests.infra.terrain import azure_scenarios, gcp_scenarios
from tests.infra.terrain.alarm_tables import markdown
from tests.infra.terrain.synthesis import ROOT, Stack

SILENT_AZURE = {"silent", "no-success", "directory-silent"}

GCP: dict[str, set[str]] = {
    "a normal week, with evidence that expires": set(),
    "first deployment, first file after half an hour": set(),
    "nothing ever arrives": {"silent", "no-success"},
    "the sink is deleted": {"silent", "no-success"},
    "the evidence account is unavailable": {"failing", "waiting", "losing", "no-success"},
    "the evidence account refuses once": set(),
    "the function's subscription is deleted": {"no-success"},
    "the function cannot be called": {"waiting", "losing", "no-success"},
    "files cannot be written": {"waiting", "dead-letters", "dead-letters-old", "no-success"},
    "one file cannot be locked": {"waiting", "losing"},
    "a file that cannot be decoded, or a record that breaks the mapper": {"rejected"},
    "a subscription is moved past messages": set(),
}

AZURE: dict[str, set[str]] = {
    "a normal week, with evidence that expires": set(),
    "a tenant that rests at night": set(),
    "first deployment, first message after three hours": set(),
    "nothing ever arrives": SILENT_AZURE,
    "the sources stop": SILENT_AZURE | {"category-silent"},
    "the evidence account is unavailable": {"failing", "lagging", "losing", "no-success"},
    "the evidence account refuses once": set(),
    "the function is stopped": {"unread", "no-success", "category-silent", "directory-silent"},
    "a partition is not read": {"partition-unread"},
    "a partition falls behind": {"lagging", "losing"},
    "one category stops": {"category-silent"},
    "more comes than the hub may grow to take": {"throttled"},
    "a burst, and the hub grows": set(),
    "the directory's setting is removed": {"category-silent", "directory-silent"},
    "a subscription's setting is deleted": {"setting-removed"},
    "a record that breaks the mapper": {"rejected"},
    "checkpoints are moved past messages": set(),
}


@pytest.mark.parametrize("situation", gcp_scenarios.SITUATIONS)
def test_a_situation_of_google_cloud_raises_these_and_no_other(gcp: Stack, situation: str) -> None:
    """Compared with an expectation written by hand."""
    assert GCP[situation] == gcp_scenarios.raised(gcp_scenarios.policies(gcp), situation)


AT_EVERY_CHANGE = {
    "a normal week, with evidence that expires",
    "nothing ever arrives",
    "more comes than the hub may grow to take",
    "one category stops",
    "a record that breaks the mapper",
}
"""Enough to show that queries run, match, and do not match; each situation takes seconds."""


@pytest.mark.parametrize(
    "situation",
    [
        situation
        if situation in AT_EVERY_CHANGE
        else pytest.param(situation, marks=pytest.mark.slow)
        for situation in azure_scenarios.SITUATIONS
    ],
)
def test_a_situation_of_azure_raises_these_and_no_other(azure: Stack, situation: str) -> None:
    """Compared with an expectation written by hand; queries run over the function's own log."""
    assert AZURE[situation] == azure_scenarios.raised(azure_scenarios.alerts(azure), situation)


def test_every_alarm_has_a_situation_that_raises_it(gcp: Stack, azure: Stack) -> None:
    """An alarm that no situation raises has never been seen to work."""
    assert set(gcp_scenarios.policies(gcp)) == set().union(*GCP.values())
    assert set(azure_scenarios.alerts(azure)) == set().union(*AZURE.values())


def test_the_page_shows_both_tables() -> None:
    """docs/operations.md is what `python -m tests.infra.terrain` writes."""
    page = (ROOT / "docs" / "operations.md").read_text()
    for marker, table in (("alarms-gcp", GCP), ("alarms-azure", AZURE)):
        block = re.search(rf"<!-- {marker} -->\n(.*?)\n<!-- end -->", page, re.DOTALL)
        assert block
        assert markdown(table) == block[1]


@pytest.mark.slow
def test_an_alert_that_looks_too_late_is_noticed(azure: Stack) -> None:
    """The table can fail: with another threshold, other alarms fire."""
    rules = azure_scenarios.alerts(azure)
    late = rules["lagging"]._replace(query=rules["lagging"].query.replace("3600", "36000000"))
    situation = "a partition falls behind"
    assert {"losing"} == azure_scenarios.raised(
        {"lagging": late, "losing": rules["losing"]}, situation
    )


RULES = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
{cases}
"""
CASE = """
  - interval: 1m
    input_series: [{series}]
    alert_rule_test:
      - {{eval_time: {hours}h, alertname: a, exp_alerts: [{expected}]}}
"""


@pytest.mark.parametrize("absence", absences((), None), ids=lambda case: case.name)
def test_prometheus_evaluates_an_absence_like_these_tests(absence: object, tmp_path: Path) -> None:
    """A series that never existed fires, a growing one does not, and one that stops growing fires
    in time.
    """
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("allowance:promtool")
    query, seconds = absence.query, absence.seconds - 600  # type: ignore[attr-defined]
    counter = absence.counter.replace('"', '\\"')  # type: ignore[attr-defined]
    (tmp_path / "rules.yml").write_text(
        f"groups: [{{name: g, rules: [{{alert: a, expr: '{query}', for: {seconds}s}}]}}]"
    )
    hours = seconds // 3600 + 2
    still = f'{{series: "{counter}", values: "0+1x120 120x{hours * 120}"}}'
    growing = f'{{series: "{counter}", values: "0+1x{hours * 120}"}}'
    alert = "{exp_labels: {}}"
    cases = (
        ("", hours, alert),
        (growing, hours, ""),
        (still, hours + 2, alert),
        (still, 2, ""),
    )
    text = RULES.format(
        cases="".join(CASE.format(series=one, hours=at, expected=e) for one, at, e in cases)
    )
    (tmp_path / "test.yml").write_text(text)
    done = subprocess.run(
        [promtool, "test", "rules", tmp_path / "test.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
