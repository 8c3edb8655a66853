"""Writers outside AWS: which token of Google's or Entra's is worth a session, to the letter.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from nhi_evidence.config.documents import Statement, trust
from nhi_evidence.config.naming import partition

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
GOOGLE = "accounts.google.com"


def google_trust(*, service_account_id: str, audience: str) -> Statement:
    """Return trust in the ID tokens of one service account for one audience.

    AWS knows Google as a provider of its own. For tokens with an `azp` claim, which those of
    service accounts have, the key `aud` holds `azp` and `oaud` holds `aud`.
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
    """Return the issuer of the tokens a managed identity gets for an application of the tenant.

    Without its scheme, as IAM names providers; the slash at the end belongs to it. Tokens of
    version 1.0, which applications get unless their manifest asks for others:
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


def entra_provider_arn(region: str, account: str, tenant: str) -> str:
    """Return the ARN of the account's provider for a tenant; `region` tells the partition."""
    return f"arn:{partition(region)}:iam::{account}:oidc-provider/{entra_issuer(tenant)}"
