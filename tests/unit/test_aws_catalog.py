"""The AWS catalog holds together, and names operations that exist."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from ocsf_json_schema import get_ocsf_schema

from nhi_evidence import sources
from nhi_evidence.catalog import Catalog
from nhi_evidence.phases import Phase

TABLE: dict[str, Any] = json.loads(sources.table("aws_cloudtrail", "catalog.json"))

WITHOUT_SDK_OPERATION = {
    "aws-mcp": "managed MCP server events, named in the user guide",
    "bedrock": "PutFoundationModelEntitlement and RenderPrompt are console and data events",
    "bedrock-agentcore": "InvokeGateway and InvokeMcp are data events",
    "codecommit": "GitPull is a git operation",
    "ec2": "SharedSnapshot* are service events",
    "rdsdata": "the SDK calls the service rds-data",
    "rolesanywhere": "CreateSession is called by the credential helper, not by an SDK",
    "s3": "CloudTrail has its own names for public access block and object lock calls",
    "secretsmanager": "Rotation* are service events",
    "signin": "console sign-in events",
    "sso": "access portal and OIDC events",
    "sso-directory": "the directory has no SDK",
}
"""Services whose rows may name what no SDK model has, and why."""


def test_it_loads() -> None:
    """Every phase, class, activity, condition and comparison is a known one."""
    Catalog(
        sources.table("aws_cloudtrail", "catalog.json"),
        name="aws",
        access_levels=sources.table("aws_cloudtrail", "access_levels.json"),
    )


def test_rows_are_sorted_and_unique() -> None:
    """A row has one place, so that two people cannot add it twice."""
    keys = [(row["service"], row["operation"]) for row in TABLE["rows"]]
    assert sorted(keys) == keys
    assert [] == [key for key, count in Counter(keys).items() if count > 1]


def test_override_ids_are_unique() -> None:
    """An id in nhi_phase_rules names one override."""
    ids = [row["id"] for row in TABLE["overrides"]]
    assert len(ids) == len(set(ids))


def test_every_claim_beyond_enumeration_says_why() -> None:
    """A phase that accuses gives its reason."""
    silent = [
        f"{row['service']}:{row['operation']}"
        for row in TABLE["rows"]
        if not row.get("why") and row["phase"] != Phase.ENUMERATION.name.lower()
    ]
    assert [] == silent


@cache
def operations() -> dict[str, set[str]]:
    """Operations by every name a service goes by in the SDK's models."""
    session = botocore.session.get_session()
    found: dict[str, set[str]] = {}
    for service in session.get_available_services():
        model = session.get_service_model(service)
        for name in (service, model.signing_name, model.endpoint_prefix):
            found.setdefault(name, set()).update(model.operation_names)
    return found


def test_operations_exist() -> None:
    """Every operation is in the SDK's models, or its service is listed with the reason."""
    unknown = {
        row["service"]
        for row in TABLE["rows"]
        if row["operation"] not in operations().get(row["service"], ())
    }
    assert unknown == set(WITHOUT_SDK_OPERATION)


def test_activities_are_the_schemas() -> None:
    """Class and activity are a pair of the published OCSF 1.8.0."""
    enums = {
        one["uid"]: {int(value) for value in one["attributes"]["activity_id"]["enum"]}
        for one in get_ocsf_schema("1.8.0")["classes"].values()
    }
    wrong = [
        row
        for row in (*TABLE["rows"], *TABLE["fallback"])
        if row["activity"] not in enums[row["class"]]
    ]
    assert [] == wrong


def test_corrections_are_documented() -> None:
    """docs/catalog-aws.md names every derived rule a row refers to."""
    text = (Path(__file__).parents[2] / "docs" / "catalog-aws.md").read_text()
    named = {rule for row in TABLE["rows"] for rule in row.get("refinable_by", ())}
    assert [] == [rule for rule in sorted(named) if rule not in text]
