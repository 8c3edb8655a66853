"""One synthesis for all: a production configuration with everything in it, checked by cdk-nag."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.aws.estate import Estate
from tests.infra.unstaged import unstaged

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / "nhi-evidence.example.toml").read_text()

NEW_TRAIL = """
[[trails]]
name = "fresh"
kind = "new"
bucket = "fresh-trail-111122223333"
region = "us-east-1"
data_events = ["AWS::S3::Object", "AWS::Lambda::Function"]
keep_days = 90

[[sources]]
source = "aws_cloudtrail"
evidence = "main"
trail = "fresh"
keep_out_of_scope_raw = false
batch_window_seconds = 300
scope = "all"
"""


def production() -> str:
    """Return the example for real: no trial, and every option it shows switched on."""
    text = EXAMPLE
    for before, after in (
        ('profile = "trial"\n', ""),
        ("# management_account", "management_account"),
        ("# legal_role", "legal_role"),
        ("# custody = true", "custody = true"),
        ("# retention_days", "retention_days"),
        ("# confirm_compliance_days", "confirm_compliance_days"),
        ("# archive_after_days", "archive_after_days"),
        ("# [evidence.buckets.replica]", "[evidence.buckets.replica]"),
        ('# account = "555566667777"', 'account = "555566667777"'),
        ('# region = "eu-west-1"', 'region = "eu-west-1"'),
        ('# bucket = "nhi-evidence-replica', 'bucket = "nhi-evidence-replica'),
        ("# [coverage]", "[coverage]"),
        ('# accounts = ["999988887777"', 'accounts = ["999988887777"'),
        ("# gcp_provider", "gcp_provider"),
        ("# azure_client_id", "azure_client_id"),
        ("# identities", "identities"),
        ("# [[canaries]]", "[[canaries]]"),
        ('# evidence = "main"\n# accounts', 'evidence = "main"\n# accounts'),
        (
            '# accounts = ["333344445555"]             # fewer',
            'accounts = ["333344445555"]  # fewer',
        ),
        ("# google = {", "google = {"),
        ("# entra = {", "entra = {"),
        ("# [[subscribers]]", "[[subscribers]]"),
        ('# evidence = "main"\n# bucket', 'evidence = "main"\n# bucket'),
        ('# bucket = "nhi-evidence-siem', 'bucket = "nhi-evidence-siem'),
        ('# principals = ["arn:aws:iam::777788889999', 'principals = ["arn:aws:iam::777788889999'),
        ('# external_id = "siem', 'external_id = "siem'),
        ("# sentinel = {", "sentinel = {"),
        ("# [evidence.buckets.athena]", "[evidence.buckets.athena]"),
        ("# results", "results"),
        ("# since", "since"),
        ("# gigabytes_a_query", "gigabytes_a_query"),
        ("# [guardrails]", "[guardrails]"),
        ("# targets", "targets"),
        ("# pipeline_roles", "pipeline_roles"),
        ("# pipeline_principals", "pipeline_principals"),
    ):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text.replace("[gcp]", f"{NEW_TRAIL}\n[gcp]", 1)


def synthesize(out: Path) -> None:
    """Write the assembly of the production estate, and what the rule packs say of it."""
    # Imported here: no other test pays for starting jsii.
    from infra.aws.application import compose  # noqa: I001, PLC0415
    import aws_cdk as cdk  # noqa: PLC0415
    import cdk_nag  # noqa: PLC0415
    from nhi_evidence.config import read  # noqa: PLC0415

    app = cdk.App(outdir=str(out), analytics_reporting=False)
    compose(app, read(production()), staged=unstaged(out.with_name(f"{out.name}-functions")))
    packs = cdk_nag.AwsSolutionsChecks(app), cdk_nag.NIST80053R5Checks(app)
    cdk.Validations.of(app).add_plugins(*packs)
    try:
        app.synth()
    except RuntimeError as error:
        # Which rules are broken is a test of its own; the templates are there all the same.
        assert "Validation" in str(error)


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the synthesized production estate."""
    out = tmp_path_factory.mktemp("assembly")
    synthesize(out)
    return out


@pytest.fixture(scope="session")
def streamed_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the example with streams (`stream_estate`)."""
    # Imported here: it takes the example from this module.
    from tests.infra.aws.stream_estate import synthesized  # noqa: PLC0415

    return synthesized(tmp_path_factory.mktemp("streams"))


@pytest.fixture(scope="session")
def streamed(streamed_assembly: Path) -> Estate:
    """The resources of the example with streams."""
    return Estate(streamed_assembly)


@pytest.fixture(scope="session")
def estate(assembly: Path) -> Estate:
    """The resources of the production estate."""
    return Estate(assembly)


@pytest.fixture(scope="session")
def nag(assembly: Path) -> list[dict[str, Any]]:
    """What each rule pack reports."""
    report = json.loads((assembly / "validation-report.json").read_text())
    return list(report["pluginReports"])
