"""Scanner findings are fixed or accepted with a reason, and the documents list those."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra import scan, scan_templates
from tests.infra.terrain.synthesis import ROOT, Stacks

THREATS = ROOT / "docs" / "threat-model.md"


def _report(*failures: tuple[str, str, str]) -> str:
    """Return a checkov report of failures, each a stack, a resource and a check."""
    failed = [
        {
            "file_path": f"/{stack}/cdk.tf.json",
            "resource": resource,
            "check_id": check,
            "check_name": "Ensure that it is as it should be",
        }
        for stack, resource, check in failures
    ]
    return json.dumps({"check_type": "terraform_json", "results": {"failed_checks": failed}})


@pytest.fixture(scope="session")
def reasons(stacks: Stacks) -> list[scan.Acceptance]:
    """The acceptances of the example's stacks."""
    return scan.acceptances(stacks)


def _failures(reasons: list[scan.Acceptance]) -> list[tuple[str, str, str]]:
    return [(one.stack, f"{one.type_name}.{one.resource}", one.check) for one in reasons]


def test_every_acceptance_has_a_reason(reasons: list[scan.Acceptance]) -> None:
    """It has a check id and a sentence."""
    assert reasons
    for acceptance in reasons:
        assert re.fullmatch(r"CKV2?_(GCP|AZURE)_\d+", acceptance.check)
        assert re.fullmatch(r"[A-Z].{30,}\.", acceptance.reason)


def test_an_accepted_failure_is_not_a_fault(reasons: list[scan.Acceptance]) -> None:
    """Failures accepted at their resource are not reported."""
    failures = scan.findings(_report(*_failures(reasons)))
    assert [] == scan.faults(failures, reasons)


def test_a_failure_without_a_reason_is_a_fault(reasons: list[scan.Acceptance]) -> None:
    """It is another check, another resource, or a resource of that name in another stack."""
    first = reasons[0]
    beside = [
        (first.stack, first.resource, "CKV_AZURE_999"),
        (first.stack, "azurerm_storage_account.another", first.check),
        ("another-stack", first.resource, first.check),
    ]
    failures = scan.findings(_report(*_failures(reasons), *beside))
    faults = scan.faults(failures, reasons)
    assert 3 == len(faults)
    assert all("fails: Ensure that" in fault for fault in faults)


def test_a_reason_without_a_failure_is_a_fault(reasons: list[scan.Acceptance]) -> None:
    """It would hide the failure if it came back for another cause."""
    (fault,) = scan.faults(scan.findings(_report(*_failures(reasons)[1:])), reasons)
    assert reasons[0].check in fault
    assert "remove it" in fault


def test_reports_of_several_frameworks_and_of_none_are_read() -> None:
    """Checkov prints a list for several frameworks, and no results if there is nothing."""
    report = json.loads(_report(("gcp-export", "google_pubsub_topic.x", "CKV_GCP_83")))
    assert 2 == len(scan.findings(json.dumps([report, report])))
    assert [] == scan.findings(json.dumps({"passed": 0, "failed": 0}))


@pytest.mark.parametrize(
    ("summary", "is_empty", "fault"),
    [
        ({"parsing_errors": 0, "resource_count": 3}, False, None),
        ({"parsing_errors": 0, "resource_count": 3}, True, "there is nothing to scan"),
        ({"parsing_errors": 2, "resource_count": 3}, False, "could not read 2 of the files"),
        ({"parsing_errors": 0, "resource_count": 0}, False, "read no resource"),
        ({}, False, "read no resource"),
    ],
)
def test_a_scan_of_nothing_is_a_fault(
    summary: dict[str, int], is_empty: bool, fault: str | None
) -> None:
    """It has no failures, either; checkov's report of nothing has the counts and nothing else."""
    beside = {"check_type": "terraform_json", "results": {"failed_checks": []}, "summary": summary}
    for report in (beside, [beside], summary):
        lines = scan.unscanned(json.dumps(report), ROOT, is_empty=is_empty)
        assert ([] if fault is None else 1) == (len(lines) or [])
        assert fault is None or fault in lines[0]


def test_the_program_fails_if_there_is_nothing_to_scan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong folder is no clean one."""
    checkov = tmp_path / "checkov"
    checkov.write_text('#!/bin/sh\necho \'{"passed": 0, "failed": 0, "resource_count": 0}\'\n')
    checkov.chmod(0o755)
    for program, option in ((scan, "--stacks"), (scan_templates, "--assembly")):
        assert 1 == program.main(["--checkov", str(checkov), option, str(tmp_path)])
        assert "there is nothing to scan" in capsys.readouterr().err


def test_the_threat_model_shows_what_is_accepted(reasons: list[scan.Acceptance]) -> None:
    """Its table matches the metadata: python -m infra.scan --document docs/threat-model.md."""
    text = THREATS.read_text()
    assert scan.OPENING in text
    assert text == scan.document(text, reasons)
