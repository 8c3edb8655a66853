"""Scanner findings are fixed or accepted with a reason, and the documents list those."""

from __future__ import annotations

import json
import re

import pytest

from infra import scan
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


def test_the_threat_model_shows_what_is_accepted(reasons: list[scan.Acceptance]) -> None:
    """Its table matches the metadata: python -m infra.scan --document docs/threat-model.md."""
    text = THREATS.read_text()
    assert scan.OPENING in text
    assert text == scan.document(text, reasons)
