"""Third-party rules pass, except what is acknowledged in infra/aws/acknowledged.py."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra import scan
from infra.scan_templates import acceptances, document, findings, without_acceptances
from tests.infra.aws.estate import Estate
from tests.infra.aws.linting import complaints
from tests.infra.aws.test_matrix import PAGE


def test_cdk_nag_has_no_unacknowledged_findings(nag: list[dict[str, Any]]) -> None:
    """AwsSolutions and NIST 800-53 rev. 5: every finding is fixed or has its reason in code."""
    violations = {
        (pack["pluginName"], one["ruleName"]) for pack in nag for one in pack.get("violations", [])
    }
    assert set() == violations
    assert {"AwsSolutions", "NIST.800.53.R5"} == {pack["pluginName"] for pack in nag}


@pytest.mark.slow
def test_cfn_lint_finds_nothing(assembly: Path) -> None:
    """CloudFormation's own schemas accept every template."""
    assert [] == complaints(assembly)


@pytest.mark.slow
def test_cfn_lint_finds_an_unknown_property(assembly: Path, tmp_path: Path) -> None:
    """A property that no schema has is named, with its stack."""
    broken = tmp_path / "broken"
    shutil.copytree(assembly, broken)
    template = broken / "nhi-evidence-main-170b2e.template.json"
    text = template.read_text()
    template.write_text(text.replace('"VersioningConfiguration"', '"VersionConfiguration"'))
    assert text != template.read_text()
    (complaint,) = {text.partition(":")[0] for text in complaints(broken)}
    assert "nhi-evidence-main-170b2e" == complaint


def test_every_accepted_checkov_finding_has_a_reason(estate: Estate) -> None:
    """In the resource's own metadata, where checkov reads it, and in docs/threat-model.md."""
    reasons = acceptances(estate.templates)
    assert {"CKV_AWS_18", "CKV_AWS_26", "CKV_AWS_27"} <= {one.check for one in reasons}
    assert [] == [one for one in reasons if len(one.reason) < 30]
    assert document(PAGE.read_text(), reasons) == PAGE.read_text()


def test_a_finding_without_a_reason_is_a_fault(estate: Estate) -> None:
    """Failures and acceptances are compared both ways; `make check-infra` runs checkov."""
    reasons = acceptances(estate.templates)
    failed = [
        {
            "file_path": f"/{one.stack}.template.json",
            "resource": f"{one.type_name}.{one.resource}",
            "check_id": one.check,
            "check_name": "Ensure that it is as it should be",
        }
        for one in reasons
    ]

    def faults(failures: list[dict[str, str]]) -> list[str]:
        report = json.dumps({"results": {"failed_checks": failures}})
        return scan.faults(findings(report), reasons)

    assert [] == faults(failed)
    assert 1 == len(faults(failed[1:]))
    assert 1 == len(faults([*failed, {**failed[0], "check_id": "CKV_AWS_999"}]))


def test_templates_are_scanned_without_their_acceptances(estate: Estate) -> None:
    """Otherwise a reason without a failure would never be found."""
    for template in estate.templates.values():
        assert "checkov" not in json.dumps(without_acceptances(template))
