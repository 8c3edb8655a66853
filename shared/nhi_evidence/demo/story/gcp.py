"""The story in Google Cloud: log entries as a sink exports them, and the crossing among them.

Shapes follow Google's reference of LogEntry and AuditLog and its example logs of workload
identity federation and of service account impersonation.
https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
https://cloud.google.com/iam/docs/audit-logging/examples-workload-identity
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from nhi_evidence.demo.story.crossing import AGENT, FOREIGN, ISSUER, SUBJECT
from nhi_evidence.demo.story.gcp_entry import NUMBER, PROJECT, Caller, entry
from nhi_evidence.demo.story.records import Recorder
from nhi_evidence.demo.story.step import Step

_POOL = f"projects/{NUMBER}/locations/global/workloadIdentityPools/ci"
_PROVIDER = f"{_POOL}/providers/github"
PRINCIPAL = f"principal://iam.googleapis.com/{_POOL}/subject/{SUBJECT}"
"""Google's name for the CI job once its token is exchanged."""

_DEPLOYER = f"deployer@{PROJECT}.iam.gserviceaccount.com"
_SECRET = f"projects/{NUMBER}/secrets/payments-api/versions/3"
_CALL = {"ip": FOREIGN, "agent": AGENT}

_STS = "google.identity.sts.v1.SecurityTokenService"
_ADMIN = "google.iam.admin.v1"
_SECRETS = "google.cloud.secretmanager.v1.SecretManagerService"

STEPS = (
    Step("mint", 36, "sts", f"{_STS}.ExchangeToken", "success", "Token Issuance"),
    Step("mint", 36, "iamcredentials", "GenerateAccessToken", "success", "Token Issuance"),
    Step("enumerate", 37, "iam", f"{_ADMIN}.ListServiceAccounts", "success", "Enumeration"),
    Step(
        "probe",
        37,
        "cloudresourcemanager",
        "TestIamPermissions",
        "success",
        "Permission Probing",
    ),
    Step(
        "read secret",
        38,
        "secretmanager",
        f"{_SECRETS}.AccessSecretVersion",
        "denied",
        "Secret Access",
    ),
    Step(
        "read secret",
        38,
        "secretmanager",
        f"{_SECRETS}.AccessSecretVersion",
        "success",
        "Secret Access",
    ),
    Step(
        "persist",
        39,
        "iam",
        f"{_ADMIN}.CreateServiceAccountKey",
        "success",
        "Credential Lifecycle",
    ),
)
"""What the stolen token does in Google Cloud, in order."""


def trusted(recorder: Recorder) -> dict[str, Any]:
    """Return the entry of the day's first act: an administrator trusts the CI's issuer.

    Only this one states the issuer: what the token does later names the provider of the pool.
    """
    return entry(
        recorder,
        timedelta(minutes=1, seconds=4),
        Caller(email="admin@example.com", agent="google-cloud-sdk gcloud/502.0.0"),
        "iam",
        "google.iam.v1.WorkloadIdentityPools.CreateWorkloadIdentityPoolProvider",
        resource=_PROVIDER,
        permission=("iam.workloadIdentityPoolProviders.create", "ADMIN_WRITE"),
        request={
            "@type": "type.googleapis.com/google.iam.v1.CreateWorkloadIdentityPoolProviderRequest",
            "parent": _POOL,
            "workloadIdentityPoolProviderId": "github",
            "workloadIdentityPoolProvider": {
                "oidc": {"issuerUri": ISSUER},
                "attributeMapping": {"google.subject": "assertion.sub"},
            },
        },
    )


def attack(recorder: Recorder) -> list[dict[str, Any]]:
    """Return the entries of the crossing, one per step, in the order of `STEPS`."""
    return [
        entry(
            recorder,
            timedelta(minutes=step.minute, seconds=position * 6),
            _caller(step),
            step.service,
            step.operation,
            denied=step.outcome == "denied",
            **_WHAT[position],
        )
        for position, step in enumerate(STEPS)
    ]


def _caller(step: Step) -> Caller:
    if step.service == "sts":
        return Caller(subject=SUBJECT, **_CALL)
    if step.service == "iamcredentials":
        return Caller(subject=PRINCIPAL, **_CALL)
    return Caller(email=_DEPLOYER, through=PRINCIPAL, **_CALL)


_WHAT: tuple[dict[str, Any], ...] = (
    {
        "resource": _PROVIDER,
        "permission": ("sts.identityProviders.checkLogging", "ADMIN_READ"),
        "request": {
            "@type": "type.googleapis.com/google.identity.sts.v1.ExchangeTokenRequest",
            "audience": f"//iam.googleapis.com/{_PROVIDER}",
            "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
            "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
            "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
        },
        "metadata": {
            "@type": "type.googleapis.com/google.identity.sts.v1.AuditData",
            "mapped_principal": PRINCIPAL,
        },
    },
    {
        "resource": f"projects/-/serviceAccounts/{_DEPLOYER}",
        "permission": ("iam.serviceAccounts.getAccessToken", "ADMIN_READ"),
        "request": {
            "@type": "type.googleapis.com/google.iam.credentials.v1.GenerateAccessTokenRequest",
            "name": f"projects/-/serviceAccounts/{_DEPLOYER}",
        },
    },
    {
        "resource": f"projects/{PROJECT}",
        "permission": ("iam.serviceAccounts.list", "ADMIN_READ"),
    },
    {
        "resource": f"projects/{PROJECT}",
        "permission": ("resourcemanager.projects.get", "ADMIN_READ"),
        "request": {
            "@type": "type.googleapis.com/google.iam.v1.TestIamPermissionsRequest",
            "resource": PROJECT,
            "permissions": ["iam.serviceAccountKeys.create", "secretmanager.versions.access"],
        },
    },
    {
        "resource": f"projects/{NUMBER}/secrets/root-ca/versions/1",
        "permission": ("secretmanager.versions.access", "DATA_READ"),
    },
    {
        "resource": _SECRET,
        "permission": ("secretmanager.versions.access", "DATA_READ"),
    },
    {
        "resource": f"projects/-/serviceAccounts/backup@{PROJECT}.iam.gserviceaccount.com",
        "permission": ("iam.serviceAccountKeys.create", "ADMIN_WRITE"),
        "request": {
            "@type": "type.googleapis.com/google.iam.admin.v1.CreateServiceAccountKeyRequest",
            "name": f"projects/-/serviceAccounts/backup@{PROJECT}.iam.gserviceaccount.com",
        },
        "response": {
            "@type": "type.googleapis.com/google.iam.admin.v1.ServiceAccountKey",
            "name": f"projects/{PROJECT}/serviceAccounts/backup@{PROJECT}.iam.gserviceaccount.com"
            "/keys/0123456789abcdef0123456789abcdef01234567",
        },
    },
)
