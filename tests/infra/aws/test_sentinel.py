"""Microsoft Sentinel gets access with a token of its own tenant, in sessions of one workspace."""

from __future__ import annotations

import pytest

from nhi_evidence.config import ConfigError, read
from nhi_evidence.config.aws.subscription import sentinel_role, subscription
from tests.infra.aws.estate import EVIDENCE, Estate, documents
from tests.infra.aws.iam import Request, trusts
from tests.infra.aws.test_role_trusts import trust
from tests.unit.test_subscriber_rules import EXAMPLE, table

ROLE = "OIDC_nhi-evidence-main-170b2e-sentinel"
TENANT = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/"
AUDIENCE = "api://1462b192-27f7-4cb9-8523-0f4ecb54b47e"
WORKSPACE = "66666666-7777-8888-9999-aaaaaaaaaaaa"


def token(**claims: str) -> Request:
    payload = {
        f"{TENANT}:aud": AUDIENCE,
        "sts:RoleSessionName": f"MicrosoftSentinel_{WORKSPACE}",
        **claims,
    }
    return Request(
        f"federated:arn:aws:iam::{EVIDENCE}:oidc-provider/{TENANT}",
        "sts:AssumeRoleWithWebIdentity",
        "role",
        payload,
    )


def test_a_session_of_the_workspace_is_let_in_by_either_name(estate: Estate) -> None:
    for begin in ("MicrosoftSentinel_", "MicrosoftDefenderForClouds_"):
        named = token(**{"sts:RoleSessionName": f"{begin}{WORKSPACE}"})
        assert trusts(trust(estate, ROLE), named)


@pytest.mark.parametrize(
    "claims",
    [
        {"sts:RoleSessionName": "MicrosoftSentinel_00000000-0000-0000-0000-000000000000"},
        {"sts:RoleSessionName": WORKSPACE},
        {"sts:RoleSessionName": f"MicrosoftSentinel_{WORKSPACE}0"},
        {f"{TENANT}:aud": "api://other"},
    ],
)
def test_another_workspace_or_audience_is_refused(estate: Estate, claims: dict[str, str]) -> None:
    assert not trusts(trust(estate, ROLE), token(**claims))


def test_sentinel_cannot_assume_any_other_role(estate: Estate) -> None:
    """The guardrails allow its audience, so each role's own trust policy decides."""
    taken = [
        one.properties["RoleName"]
        for one in estate.of("AWS::IAM::Role")
        if trusts(one.properties["AssumeRolePolicyDocument"], token())
    ]
    assert taken == [ROLE]


def test_sentinel_has_the_subscriber_s_permissions(estate: Estate) -> None:
    both = [documents(estate.role(name)) for name in (ROLE, "nhi-evidence-main-170b2e-subscriber")]
    assert both[0] == both[1]


def test_the_account_gets_a_provider_for_microsofts_tenant(estate: Estate) -> None:
    provider = estate.only("AWS::IAM::OIDCProvider", "nhi-evidence-main-170b2e-forward").properties
    assert provider["Url"] == f"https://{TENANT}"
    assert provider["ClientIdList"] == [AUDIENCE]


def test_without_sentinel_there_is_no_role() -> None:
    config = read(EXAMPLE + table())
    what = subscription(config, config.bucket("main"))
    assert what is not None
    assert sentinel_role(what) is None


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ('{ workspace = "x", provider = "new" }', "sentinel.workspace"),
        (f'{{ workspace = "{WORKSPACE}" }}', "provider"),
        (f'{{ workspace = "{WORKSPACE}", provider = "mine" }}', "provider"),
    ],
)
def test_what_is_not_a_sentinel_is_refused(more: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        read(EXAMPLE + table(sentinel=more))
