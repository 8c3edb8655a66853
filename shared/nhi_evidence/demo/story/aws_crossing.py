"""The crossing in AWS: the CI job's token becomes a role session, which explores and reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from nhi_evidence.demo.story import records
from nhi_evidence.demo.story.crossing import AGENT, FOREIGN, ISSUER, SUBJECT
from nhi_evidence.demo.story.records import SHARED_SERVICES, Recorder
from nhi_evidence.demo.story.step import Step

SESSION_KEY = "ASIACIJOBQQQQEXAMPLE"
"""Id of the credential issued to the CI job."""

_ROLE = "ci-deploy"
_PROVIDER = f"arn:aws:iam::{SHARED_SERVICES}:oidc-provider/{ISSUER.removeprefix('https://')}"

STEPS = (
    Step("mint", 32, "sts", "AssumeRoleWithWebIdentity", "success", "Token Issuance"),
    Step("validate", 32, "sts", "GetCallerIdentity", "success", "Credential Validation"),
    Step("enumerate", 33, "iam", "ListRoles", "success", "Enumeration"),
    Step("read secret", 33, "secretsmanager", "GetSecretValue", "success", "Secret Access"),
    Step("take", 34, "iam", "CreateUser", "denied", "Identity Lifecycle"),
)
"""What the stolen token does in AWS, in order."""


def attack(recorder: Recorder) -> list[dict[str, Any]]:
    """Return the records of the crossing in AWS, one per step."""
    return [_record(recorder, position, step) for position, step in enumerate(STEPS)]


def _record(recorder: Recorder, position: int, step: Step) -> dict[str, Any]:
    options: dict[str, Any] = dict(_OPTIONS.get(step.operation, {}))
    identity = _job() if position == 0 else _session()
    if step.outcome == "denied":
        message = f"User: {identity['arn']} is not authorized to perform: iam:{step.operation}"
        options["error"] = ("AccessDenied", message)
    return recorder.record(
        timedelta(minutes=step.minute, seconds=position * 7),
        identity,
        step.service,
        step.operation,
        account=SHARED_SERVICES,
        ip=FOREIGN,
        agent=AGENT,
        **options,
    )


def _job() -> dict[str, Any]:
    return {
        "type": "WebIdentityUser",
        "principalId": f"{_PROVIDER}:sts.amazonaws.com:{SUBJECT}",
        "userName": SUBJECT,
        "identityProvider": _PROVIDER,
    }


def _session() -> dict[str, Any]:
    context = {"webIdFederationData": {"federatedProvider": _PROVIDER, "attributes": {}}}
    who = records.role_session(SHARED_SERVICES, _ROLE, "GitHubActions", context=context)
    return who | {"accessKeyId": SESSION_KEY}


_OPTIONS: dict[str, dict[str, Any]] = {
    "AssumeRoleWithWebIdentity": {
        "request": {
            "roleArn": f"arn:aws:iam::{SHARED_SERVICES}:role/{_ROLE}",
            "roleSessionName": "GitHubActions",
            "durationSeconds": 3600,
        },
        "response": {
            "credentials": {
                "accessKeyId": SESSION_KEY,
                "sessionToken": "EXAMPLE-NOT-A-TOKEN",
                "expiration": "Mar 2, 2026, 9:32:00 AM",
            },
            "subjectFromWebIdentityToken": SUBJECT,
            "assumedRoleUser": {
                "assumedRoleId": f"AROA{records.letters(_ROLE + '12', 17)}:GitHubActions",
                "arn": f"arn:aws:sts::{SHARED_SERVICES}:assumed-role/{_ROLE}/GitHubActions",
            },
            "provider": _PROVIDER,
            "audience": "sts.amazonaws.com",
        },
        "resources": [
            {
                "accountId": SHARED_SERVICES,
                "type": "AWS::IAM::Role",
                "ARN": f"arn:aws:iam::{SHARED_SERVICES}:role/{_ROLE}",
            }
        ],
    },
    "GetSecretValue": {"request": {"secretId": "ci/cloud-targets"}},
    "CreateUser": {"request": {"userName": "ci-backup"}, "read_only": False},
}
