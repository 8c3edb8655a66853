"""Trust in writers outside AWS: exactly which Google and Entra tokens are accepted.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from nhi_evidence.config.documents import Statement, trust
from nhi_evidence.config.naming import partition

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
GOOGLE = "accounts.google.com"


def google_trust(*, service_account_id: str, audience: str) -> Statement:
    """Return trust in the ID tokens of one service account for one audience.

    AWS has Google as a built-in provider. For tokens with an `azp` claim, which those of service
    accounts have, the condition key `aud` is the claim `azp`, and `oaud` is the claim `aud`.
    """
    return trust(
        "Google",
        {"Federated": GOOGLE},
        WEB_IDENTITY,
        {
            "StringEquals": {
                f"{GOOGLE}:sub": service_account_id,
                f"{GOOGLE}:aud": service_account_id,
                f"{GOOGLE}:oaud": audience,
            }
        },
    )


def entra_issuer(tenant: str) -> str:
    """Return the issuer of the tokens that a managed identity gets for an application.

    It has no scheme, as in IAM's names of providers; the trailing slash belongs to it. This is the
    issuer of version 1.0 tokens, which applications get unless their manifest requests others:
    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    return f"sts.windows.net/{tenant}/"


def entra_trust(
    *, region: str, account: str, tenant: str, object_id: str, audience: str
) -> Statement:
    """Return trust in the tokens of one managed identity for one audience."""
    issuer = entra_issuer(tenant)
    return trust(
        "Entra",
        {"Federated": entra_provider_arn(region, account, tenant)},
        WEB_IDENTITY,
        {"StringEquals": {f"{issuer}:sub": object_id, f"{issuer}:aud": audience}},
    )


SENTINEL = {
    "aws": ("33e01921-4d64-4f8c-a055-5bdaffd5e33d", "api://1462b192-27f7-4cb9-8523-0f4ecb54b47e"),
    "aws-us-gov": (
        "cab8a31a-1906-4287-a0d8-4eef66b95f6e",
        "api://d4230588-5f84-4281-a9c7-2c15194b28f7",
    ),
}
"""By partition, the Microsoft tenant that issues Sentinel's tokens, and their audience:
https://learn.microsoft.com/azure/sentinel/connect-aws-configure-environment"""

SENTINEL_SESSIONS = ("MicrosoftSentinel_", "MicrosoftDefenderForClouds_")
"""Prefixes of Sentinel's session names: the documented one, and the one it used for a while in 2025
(https://github.com/Azure/Azure-Sentinel/issues/11980)."""


def sentinel_trust(*, region: str, account: str, workspace: str) -> Statement:
    """Return trust in Microsoft Sentinel, in the sessions of one workspace.

    Microsoft documents no subject: only the workspace in the session's name, which its service
    sets, distinguishes one of its customers from another.
    """
    tenant, audience = SENTINEL[partition(region)]
    return trust(
        "Sentinel",
        {"Federated": entra_provider_arn(region, account, tenant)},
        WEB_IDENTITY,
        {
            "StringEquals": {
                f"{entra_issuer(tenant)}:aud": audience,
                "sts:RoleSessionName": [f"{begin}{workspace}" for begin in SENTINEL_SESSIONS],
            }
        },
    )


def entra_provider_arn(region: str, account: str, tenant: str) -> str:
    """Return the ARN of an account's provider for a tenant; `region` determines the partition."""
    return f"arn:{partition(region)}:iam::{account}:oidc-provider/{entra_issuer(tenant)}"
