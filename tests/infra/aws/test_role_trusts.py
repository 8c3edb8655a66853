"""Who may assume a writer role: by account and organization, or by a token's claims."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.aws.estate import (
    ARCHIVE,
    EVIDENCE,
    ORGANIZATION,
    TENANT,
    Estate,
    arn,
)
from tests.infra.aws.iam import Request, statements, trusts

EXPORTER = arn(ARCHIVE, "nhi-evidence-main-170b2e-aws_cloudtrail-organization")


GOOGLE_ID = "101234567890123456789"


OBJECT_ID = "33333333-4444-5555-6666-777777777777"


ISSUER = f"sts.windows.net/{TENANT}/"


TOKENS = {
    "gcp_audit": (
        "federated:accounts.google.com",
        {
            "accounts.google.com:sub": GOOGLE_ID,
            "accounts.google.com:aud": GOOGLE_ID,
            "accounts.google.com:oaud": "nhi-evidence",
        },
    ),
    "azure_monitor": (
        f"federated:arn:aws:iam::{EVIDENCE}:oidc-provider/{ISSUER}",
        {f"{ISSUER}:sub": OBJECT_ID, f"{ISSUER}:aud": f"api://{TENANT}/nhi-evidence"},
    ),
}


def trust(estate: Estate, role: str) -> dict[str, Any]:
    document: dict[str, Any] = estate.role(role).properties["AssumeRolePolicyDocument"]
    return document


def exporter_request(principal: str = EXPORTER, **context: str) -> Request:
    return Request(principal, "sts:AssumeRole", "role", context)


def test_the_aws_writer_trusts_only_the_organization_s_exporters(estate: Estate) -> None:
    """Both the exact ARN and the organization are required; knowing the name does not help."""
    role = trust(estate, "nhi-evidence-main-170b2e-writer-aws_cloudtrail")
    inside = {"aws:PrincipalOrgID": ORGANIZATION}
    assert trusts(role, exporter_request(**inside))
    fresh = arn(ARCHIVE, "nhi-evidence-main-170b2e-aws_cloudtrail-fresh")
    assert trusts(role, exporter_request(fresh, **inside))
    for hostile in (
        exporter_request(),
        exporter_request(**{"aws:PrincipalOrgID": "o-elsewhere1"}),
        exporter_request(arn(ARCHIVE, "administrator"), **inside),
        exporter_request(
            arn(ARCHIVE, "nhi-evidence-main-170b2e-aws_cloudtrail-organization2"), **inside
        ),
        exporter_request(
            arn("666677778888", "nhi-evidence-main-170b2e-aws_cloudtrail-organization"), **inside
        ),
        exporter_request(f"arn:aws:iam::{ARCHIVE}:root", **inside),
        exporter_request(arn(EVIDENCE, "administrator"), **inside),
    ):
        assert not trusts(role, hostile), hostile


@pytest.mark.parametrize("source", TOKENS)
def test_a_token_is_accepted_only_if_every_claim_matches(estate: Estate, source: str) -> None:
    """It needs the exact subject, audience and provider."""
    role = trust(estate, f"nhi-evidence-main-170b2e-writer-{source}")
    provider, claims = TOKENS[source]
    action = "sts:AssumeRoleWithWebIdentity"
    assert trusts(role, Request(provider, action, "role", claims))
    assert not trusts(role, Request(provider, "sts:AssumeRole", "role", claims))
    assert not trusts(role, Request("federated:example.com", action, "role", claims))
    assert not trusts(role, Request(arn(EVIDENCE, "administrator"), action, "role", claims))
    assert not trusts(role, Request(provider, action, "role", {}))
    for claim, value in claims.items():
        without = {key: one for key, one in claims.items() if key != claim}
        assert not trusts(role, Request(provider, action, "role", without)), claim
        for wrong in ("", "*", value.upper() + "0", value[:-1], f"{value} ", "999999999999"):
            other = {**claims, claim: wrong}
            assert not trusts(role, Request(provider, action, "role", other)), (claim, wrong)


def test_one_cloud_cannot_assume_the_other_s_role(estate: Estate) -> None:
    """Both tokens are valid, each for its own role."""
    google, entra = TOKENS["gcp_audit"], TOKENS["azure_monitor"]
    action = "sts:AssumeRoleWithWebIdentity"
    for source, (provider, claims) in (("gcp_audit", entra), ("azure_monitor", google)):
        role = trust(estate, f"nhi-evidence-main-170b2e-writer-{source}")
        assert not trusts(role, Request(provider, action, "role", {**google[1], **entra[1]}))
        assert not trusts(role, Request(provider, action, "role", claims))


def test_identity_claims_are_never_optional(estate: Estate) -> None:
    """No ...IfExists, no wildcard operator, and no aws:SourceArn where there is none."""
    for role in estate.of("AWS::IAM::Role"):
        for statement in statements(role.properties["AssumeRolePolicyDocument"]):
            operators = set(statement.get("Condition", {}))
            assert operators <= {"StringEquals", "ArnEquals", "Bool"}
            keys = {key for tests in statement.get("Condition", {}).values() for key in tests}
            if "Service" not in statement["Principal"]:
                assert "aws:SourceArn" not in keys
                assert keys, role.properties["RoleName"]


def test_the_tenant_is_a_provider_for_one_audience(estate: Estate) -> None:
    """The issuer is the tenant's own; the audience is the configured one."""
    provider = estate.only("AWS::IAM::OIDCProvider", "nhi-evidence-main-170b2e").properties
    assert provider["Url"] == f"https://{ISSUER}"
    assert provider["ClientIdList"] == [f"api://{TENANT}/nhi-evidence"]


def test_a_provider_that_others_may_use_outlives_the_stack(estate: Estate) -> None:
    """`existing` instead of `new` takes it out of the template, and out of nothing else."""
    provider = estate.only("AWS::IAM::OIDCProvider", "nhi-evidence-main-170b2e")
    assert "RetainExceptOnCreate" == provider.definition["DeletionPolicy"]
    assert "Delete" == provider.definition["UpdateReplacePolicy"], "the tenant has changed"


def test_an_auditor_needs_the_external_id(estate: Estate) -> None:
    """The named principal of another organization needs the agreed id."""
    role = trust(estate, "nhi-evidence-main-170b2e-auditor-external")
    auditor = arn("444455556666", "auditor")
    right = {"sts:ExternalId": "audit-2026-7f3b9c51d0"}
    assert trusts(role, Request(auditor, "sts:AssumeRole", "role", right))
    assert not trusts(role, Request(auditor, "sts:AssumeRole", "role"))
    assert not trusts(role, Request(auditor, "sts:AssumeRole", "role", {"sts:ExternalId": "x"}))
    assert not trusts(role, Request(arn("444455556666", "x"), "sts:AssumeRole", "role", right))
