"""Fixes can be pasted: they say what they replace, and their commands are valid."""

from __future__ import annotations

import re

import msgspec
import pytest

from nhi_evidence.coverage import judges
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.cells import Setting, cells, settings
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.terminal import coverage_report

PROGRAMS = ("aws", "az", "gcloud", "gh", "nhi-evidence", "vault")
REPLACING = re.compile(
    r"\bput-(?!public)|\bset-iam-policy\b|--method put\b|\bdiagnostic-settings (\w+ )?create\b"
    r"|\bop=replace\b|\bsinks update\b|\bbuckets update\b|enabled_cluster_log_types"
    r"|_iam_audit_config\b"
)
"""Commands and resources that replace everything with their argument."""
COLLECTED = {"aws", "azure", "gcp", "github", "okta", "vault"}
"""What `nhi-evidence collect` reads."""
ALL = pytest.mark.parametrize("setting", settings().values(), ids=lambda setting: setting.id)


def commands(cli: str) -> tuple[list[str], str]:
    """Return the commands in a fix, and the words around them."""
    if cli.split(maxsplit=1)[0] in PROGRAMS:
        bare = re.sub(r"'[^']*'", "''", cli)
        return [part.strip() for part in bare.split(";")], ""
    return re.findall(r"`([^`]*)`", cli), re.sub(r"`[^`]*`", "", cli)


@ALL
def test_a_fix_that_replaces_says_so(setting: Setting) -> None:
    """A pasted PutEventSelectors would drop the trail's other data events."""
    fix = setting.fix
    replacing = any(REPLACING.search(text) for text in (fix.cdk, fix.terraform, fix.cli))
    assert replacing == bool(fix.replaces), fix
    assert "replaces " in fix.replaces or not replacing


@ALL
def test_a_command_is_a_command(setting: Setting) -> None:
    """Between semicolons and in backticks, a program's name comes first; other words are prose."""
    for text in (setting.fix.cli, setting.fix.replaces):
        if text:
            programs, words = commands(text)
            assert all(command.split(maxsplit=1)[0] in PROGRAMS for command in programs), programs
            assert ";" not in words
            assert not re.search(rf"\b({'|'.join(PROGRAMS)}) [a-z0-9]+ [a-z-]+ --", words), words
    assert "--method get" not in setting.fix.cli


def test_a_rest_call_that_puts_has_a_body() -> None:
    """A PUT without a body changes nothing."""
    puts = [one.fix.cli for one in settings().values() if "--method put" in one.fix.cli]
    assert puts
    assert all("--body" in cli for cli in puts)


def _readings(*, denied: bool) -> list[Reading]:
    return [
        msgspec.structs.replace(
            reading,
            answers=tuple(
                msgspec.structs.replace(answer, status="denied", error="Denied", answer=None)
                if denied and not answer.call.startswith("nhi-evidence:")
                else answer
                for answer in reading.answers
            ),
        )
        for reading in estate.readings(0)
    ]


@pytest.mark.parametrize("denied", [False, True])
def test_the_fix_for_an_unknown_cell_only_reads_or_probes(*, denied: bool) -> None:
    """Its settings may be right: the next step is to find out."""
    report = matrix(_readings(denied=denied))
    unknown = [cell for cell in report.cells if cell.verdict is Verdict.UNKNOWN]
    assert len(unknown) > (100 if denied else 5)
    for cell in unknown:
        assert cell.fix is None, cell.cell
        assert cell.next, cell.cell
        if match := re.match(r"nhi-evidence collect (\w+)", cell.next):
            assert match[1] in COLLECTED
        else:
            assert cell.next.startswith(("try it", "no probe", "no command of this release"))
    printed = "\n".join(coverage_report.lines(report))
    assert all(f"  next: {cell.next}" in printed for cell in unknown)
    assert all(not cell.next for cell in report.cells if cell.verdict is not Verdict.UNKNOWN)


def test_a_cell_recorded_elsewhere_has_a_fix_only_if_it_brings_the_record_here() -> None:
    """A rule that already forwards reads is not an evidence path, however it is set."""
    report = matrix(_readings(denied=False))
    elsewhere = {c.cell: c.fix for c in report.cells if c.verdict is Verdict.ELSEWHERE}
    assert elsewhere["aws.enumeration.event_bus"] is None
    assert elsewhere["azure_agent.agent_action.foundry_tools"] is None
    telemetry = elsewhere["aws.enumeration.telemetry"]
    assert telemetry is not None
    assert telemetry.cli.startswith("aws cloudtrail create-trail")


def test_no_reason_begins_with_none() -> None:
    """A timeline would show the word where a sentence should be."""
    for cell in cells():
        for reason in judges.judge(cell, None).reasons:
            assert not reason.startswith("None"), cell.id


def test_no_command_is_suggested_for_a_setting_it_cannot_read() -> None:
    """GitHub's setting for API request events is only on a page: collecting again shows nothing."""
    report = matrix(_readings(denied=True))
    steps = {cell.cell: cell.next for cell in report.cells}
    assert steps["github.permission_probing.private"].startswith("no command of this release")
    assert steps["aws.enumeration.control_plane"].startswith("nhi-evidence collect aws, with")
