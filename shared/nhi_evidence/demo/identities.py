"""The identities of the demo's functions outside AWS, and the writer role each may assume."""

from __future__ import annotations

from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.issuer import ENTRA, GOOGLE, EmbeddedIssuer, Subject

PLATFORMS = ("aws_api_gateway", "github_audit", "k8s_audit", "okta_system", "vault_audit")
"""Platforms beside the clouds; their logs are files in S3, which the AWS function exports."""

SOURCES = ("aws_cloudtrail", "gcp_audit", "azure_monitor", *PLATFORMS)
AUDIENCE = {GOOGLE: f"nhi-evidence-{iam.EVIDENCE_ACCOUNT}", ENTRA: "api://nhi-evidence"}

_SOURCE = {GOOGLE: "gcp_audit", ENTRA: "azure_monitor"}
_SERVICE_ACCOUNT = "104321098765432109876"
_MANAGED_IDENTITY = "99998888-7777-6666-5555-444433332222"


def platforms() -> EmbeddedIssuer:
    """Return the token servers of the service account and of the managed identity."""
    return EmbeddedIssuer(
        google=Subject(
            _SERVICE_ACCOUNT,
            {
                "azp": _SERVICE_ACCOUNT,
                "email": "nhi-evidence@example-security.iam.gserviceaccount.com",
                "email_verified": True,
            },
        ),
        entra=Subject(_MANAGED_IDENTITY, {"oid": _MANAGED_IDENTITY, "idtyp": "app"}),
    )


def writers(running: EmbeddedIssuer) -> tuple[iam.WebIdentity, ...]:
    """Return, per source outside AWS, the one subject and audience its writer role trusts."""
    return tuple(
        iam.WebIdentity(
            source=source,
            provider=platform,
            issuer=running.issuer(platform),
            keys_url=running.keys_url(platform),
            subject=running.subject(platform),
            audience=AUDIENCE[platform],
        )
        for platform, source in _SOURCE.items()
    )
