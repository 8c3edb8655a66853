"""Who may do what in the embedded store: the roles of a deployment, in SeaweedFS's terms.

SeaweedFS does enforce: identity policies, role policies, and the trust policy's principal. It does
not enforce: `ExpectedBucketOwner` (ignored), external ids, and accounts as such: every static
identity is `arn:aws:iam::000000000000:user/<name>` to a trust policy.

For a web identity it checks signature, issuer, times, audience and the conditions of the trust
policy. Where AWS names a provider by URL or ARN, and claims after the provider, SeaweedFS uses the
provider's configured name, and `oidc:` for the claims of every provider.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import Any

import msgspec

WORKLOAD_ACCOUNT = "111111111111"
EVIDENCE_ACCOUNT = "222222222222"
AUDIT_ACCOUNT = "333333333333"

TRAIL_BUCKET = "log-archive-111111111111"
EVIDENCE_BUCKET = "nhi-evidence-222222222222"

_SEAWEEDFS_ACCOUNT = "000000000000"
_ROLE = f"arn:aws:iam::{EVIDENCE_ACCOUNT}:role/"


class Credentials(msgspec.Struct, frozen=True):
    """One identity's access key, created for one run of the embedded store."""

    name: str
    access_key: str
    secret_key: str

    def __repr__(self) -> str:
        return f"Credentials(name={self.name!r}, access_key={self.access_key!r})"


class WebIdentity(msgspec.Struct, frozen=True):
    """The one function outside AWS that may assume a source's writer role."""

    source: str
    provider: str
    issuer: str
    keys_url: str
    subject: str
    audience: str


def new_credentials(name: str) -> Credentials:
    """Return new random credentials."""
    return Credentials(name, secrets.token_hex(10), secrets.token_hex(20))


def writer_role(source: str) -> str:
    """Return the ARN of the put-only role of one source."""
    return f"{_ROLE}nhi-evidence-writer-{source}"


RECON_ROLE = f"{_ROLE}nhi-evidence-op-recon"
"""The role the reconciling function assumes to put its statements."""
CONFIG_ROLE = f"{_ROLE}nhi-evidence-op-config"
COVERAGE_ROLE = f"{_ROLE}nhi-evidence-op-coverage"
"""The role the function that reads settings assumes to put its readings and verdicts."""
READER_ROLE = f"arn:aws:iam::{WORKLOAD_ACCOUNT}:role/nhi-evidence-settings-reader"
"""The role it assumes to read settings."""
AUDITOR_ROLE = f"{_ROLE}nhi-evidence-auditor"
CUSTODY_ROLE = f"{_ROLE}nhi-evidence-op-custody"
"""The role that whoever makes a case assumes to put its record."""
LEGAL_ROLE = f"{_ROLE}legal"
"""The one role that may set and release legal holds."""
SEALER_ROLE = f"{_ROLE}nhi-evidence-sealer"

_READING = [
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:GetObjectRetention",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:GetBucketVersioning",
    "s3:GetBucketObjectLockConfiguration",
]
_CONFIGURATION = [
    "s3:GetBucketPolicy",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
]


def identities(
    *,
    admin: Credentials,
    exporter: Credentials,
    sealer: Credentials,
    reconciler: Credentials,
    collector: Credentials,
    investigator: Credentials,
) -> dict[str, Any]:
    """Return the static identities: only the administrator holds anything but policies."""
    everything = ["Admin", "Read", "Write", "List", "Tagging"]
    return {
        "identities": [
            _identity(admin, EVIDENCE_ACCOUNT, actions=everything),
            _identity(exporter, WORKLOAD_ACCOUNT, policies=["exporter"]),
            _identity(sealer, EVIDENCE_ACCOUNT, policies=["sealing"]),
            _identity(reconciler, EVIDENCE_ACCOUNT, policies=["reconcile"]),
            _identity(collector, EVIDENCE_ACCOUNT, policies=["collect"]),
            _identity(investigator, AUDIT_ACCOUNT, policies=["investigator"]),
        ]
    }


def roles(
    sources: tuple[str, ...],
    *,
    exporter: str,
    sealer: str,
    reconciler: str,
    collector: str,
    investigator: str,
    web_identities: tuple[WebIdentity, ...] = (),
    session_seconds: int = 3600,
) -> dict[str, Any]:
    """Return roles and policies: put-only writers, a sealer, a reading auditor.

    The writer role of a source with a web identity is assumed with that token only; every other
    writer role, by the exporter.
    """
    evidence = f"arn:aws:s3:::{EVIDENCE_BUCKET}"
    federated = {one.source: one for one in web_identities}
    writers = [writer_role(source) for source in sources if source not in federated]
    policies = {
        "exporter": [
            # CloudTrail's files, and those of each other source under its name.
            _allow(
                ["s3:GetObject", "s3:GetObjectVersion"],
                [
                    _trail("AWSLogs/*"),
                    *(_trail(f"{one}/*") for one in sources if one not in federated),
                ],
            ),
            _allow(["sts:AssumeRole"], writers),
        ],
        "investigator": [_allow(["sts:AssumeRole"], [AUDITOR_ROLE, CUSTODY_ROLE, LEGAL_ROLE])],
        "sealing": [_allow(["sts:AssumeRole"], [SEALER_ROLE])],
        "reconcile": [
            _allow(_READING, [evidence, f"{evidence}/*"]),
            _allow(["sts:AssumeRole"], [RECON_ROLE]),
        ],
        "collect": [
            _allow(
                ["s3:GetObject", "s3:GetObjectVersion"],
                [
                    *(f"{evidence}/op/v1/{kind}/*" for kind in ("config", "coverage")),
                    f"{evidence}/op/v1/recon/*.canaries.ndjson.zst",
                ],
            ),
            # It does not support conditions on the prefix of a listing.
            _allow(["s3:ListBucket", "s3:ListBucketVersions"], [evidence]),
            _allow(["s3:GetBucketObjectLockConfiguration"], [evidence]),
            _allow(["sts:AssumeRole"], [CONFIG_ROLE, COVERAGE_ROLE, READER_ROLE]),
        ],
        "config": [_allow(["s3:PutObject"], [f"{evidence}/op/v1/config/*"])],
        "coverage": [_allow(["s3:PutObject"], [f"{evidence}/op/v1/coverage/*"])],
        "settings": [_allow(["s3:GetBucketNotification"], [f"arn:aws:s3:::{TRAIL_BUCKET}"])],
        "recon": [_allow(["s3:PutObject"], [f"{evidence}/op/v1/recon/*"])],
        "custody": [_allow(["s3:PutObject"], [f"{evidence}/op/v1/custody/*"])],
        "legal": [_allow(["s3:PutObjectLegalHold"], [f"{evidence}/*"])],
        "auditor": [_allow(_READING, [evidence, f"{evidence}/*"])],
        "sealer": [
            _allow([*_READING, *_CONFIGURATION], [evidence, f"{evidence}/*"]),
            _allow(["s3:PutObject", "s3:PutObjectRetention"], [f"{evidence}/log/v1/*"]),
        ],
    }
    for source in sources:
        prefixes = [f"{evidence}/ev/v1/{source}/*"]
        policies[f"writer-{source}"] = [_allow(["s3:PutObject"], prefixes)]
    return {
        "sts": {
            "tokenDuration": f"{session_seconds}s",
            "maxSessionLength": "12h",
            "issuer": "nhi-evidence-embedded",
            "signingKey": b64encode(secrets.token_bytes(32)).decode(),
        },
        "policy": {"defaultEffect": "Deny", "storeType": "memory"},
        "policies": [
            {"name": name, "document": {"Version": "2012-10-17", "Statement": statements}}
            for name, statements in policies.items()
        ],
        "roles": [
            _role(AUDITOR_ROLE, _trust(investigator), policy="auditor"),
            _role(CUSTODY_ROLE, _trust(investigator), policy="custody"),
            _role(LEGAL_ROLE, _trust(investigator), policy="legal"),
            _role(SEALER_ROLE, _trust(sealer), policy="sealer"),
            _role(RECON_ROLE, _trust(reconciler), policy="recon"),
            _role(CONFIG_ROLE, _trust(collector), policy="config"),
            _role(COVERAGE_ROLE, _trust(collector), policy="coverage"),
            _role(READER_ROLE, _trust(collector), policy="settings"),
            *(
                _role(
                    writer_role(source),
                    _trust_web(federated[source]) if source in federated else _trust(exporter),
                    policy=f"writer-{source}",
                )
                for source in sources
            ),
        ],
        "providers": [_provider(one) for one in web_identities],
    }


def _identity(
    credentials: Credentials,
    account: str,
    *,
    actions: list[str] | None = None,
    policies: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "name": credentials.name,
        "credentials": [{"accessKey": credentials.access_key, "secretKey": credentials.secret_key}],
        "actions": actions or [],
        "policyNames": policies or [],
        "account": {"id": account, "displayName": credentials.name},
    }


def _role(arn: str, trust: dict[str, Any], *, policy: str) -> dict[str, Any]:
    return {
        "roleName": arn.rpartition("/")[2],
        "roleArn": arn,
        "trustPolicy": {"Version": "2012-10-17", "Statement": [trust]},
        "attachedPolicies": [policy],
    }


def _trust(name: str) -> dict[str, Any]:
    principal = f"arn:aws:iam::{_SEAWEEDFS_ACCOUNT}:user/{name}"
    return _allow(["sts:AssumeRole"], None) | {"Principal": {"AWS": principal}}


def _trust_web(identity: WebIdentity) -> dict[str, Any]:
    """Return the trust in one subject's tokens for one audience, both exact."""
    return _allow(["sts:AssumeRoleWithWebIdentity"], None) | {
        "Principal": {"Federated": identity.provider},
        "Condition": {
            "StringEquals": {"oidc:sub": identity.subject, "oidc:aud": identity.audience}
        },
    }


def _provider(identity: WebIdentity) -> dict[str, Any]:
    return {
        "name": identity.provider,
        "type": "oidc",
        "enabled": True,
        "config": {
            "issuer": identity.issuer,
            "clientId": identity.audience,
            "jwksUri": identity.keys_url,
        },
    }


def _allow(actions: list[str], resources: list[str] | None) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": actions}
    return statement if resources is None else statement | {"Resource": resources}


def _trail(key: str) -> str:
    return f"arn:aws:s3:::{TRAIL_BUCKET}/{key}"
