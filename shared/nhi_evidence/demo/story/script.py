"""The attack: a leaked CI key is validated, enumerates, probes, mints, reads a secret, stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from nhi_evidence.demo.story import records
from nhi_evidence.demo.story.records import PRODUCTION, WORKLOAD, Recorder
from nhi_evidence.demo.story.step import Step

LEAKED = "AKIAIOSFODNN7EXAMPLE"
_MINTED = "ASIAI44QH8DHBEXAMPLE"
LEAKED_AND_MINTED = frozenset({LEAKED, _MINTED})
"""Ids of the leaked key and of the session minted with it."""

_FOREIGN = "203.0.113.77"
_AGENT = "python-requests/2.31.0 aws-sdk-python"
_CI = records.iam_user(WORKLOAD, "ci-deploy", key=LEAKED)
_SECRET = f"arn:aws:secretsmanager:us-east-1:{PRODUCTION}:secret:prod/payments/db-AbCdEf"
_ROLE = f"arn:aws:iam::{PRODUCTION}:role/deploy-prod"


STEPS = (
    Step("validate", 10, "sts", "GetCallerIdentity", "success", "Credential Validation"),
    Step("enumerate", 12, "iam", "ListUsers", "success", "Enumeration"),
    Step("enumerate", 12, "iam", "ListRoles", "success", "Enumeration"),
    Step("enumerate", 13, "s3", "ListBuckets", "success", "Enumeration"),
    Step("enumerate", 13, "ec2", "DescribeInstances", "success", "Enumeration"),
    Step("enumerate", 14, "secretsmanager", "ListSecrets", "success", "Enumeration"),
    Step("probe", 16, "iam", "SimulatePrincipalPolicy", "denied", "Permission Probing"),
    Step("probe", 17, "ec2", "RunInstances", "success", "Execution"),
    Step("probe", 18, "secretsmanager", "GetSecretValue", "denied", "Secret Access"),
    Step("mint", 21, "sts", "AssumeRole", "success", "Token Issuance"),
    Step("mint", 21, "sts", "AssumeRole", "success", "Token Issuance"),
    Step("read secret", 24, "secretsmanager", "GetSecretValue", "success", "Secret Access"),
    Step("read secret", 24, "kms", "Decrypt", "success", "Secret Access"),
    Step("persist", 27, "iam", "CreateAccessKey", "success", "Credential Lifecycle"),
    Step("hide", 29, "cloudtrail", "StopLogging", "denied", "Defense Evasion"),
    Step("take", 31, "s3", "GetObject", "success", "Data Access"),
)
"""What the attack does, in order."""

_DENIED = "AccessDenied"


def attack(recorder: Recorder) -> list[dict[str, Any]]:
    """Return the attack's records, one per step, in the order of `STEPS`."""
    shared = recorder.uid()
    built = []
    for position, step in enumerate(STEPS):
        minted = position >= _SECOND_COPY
        options = dict(_OPTIONS.get(position, {}))
        identity = options.pop("identity", _minted_session() if minted else _CI)
        if step.operation == "AssumeRole":
            options["sharedEventID"] = shared
        if step.outcome == "denied":
            message = (
                f"User: {identity['arn']} is not authorized to perform: "
                f"{step.service}:{step.operation}"
            )
            options.setdefault("error", (_DENIED, message))
        built.append(
            recorder.record(
                timedelta(minutes=step.minute, seconds=position * 2),
                identity,
                step.service,
                step.operation,
                **{
                    "account": PRODUCTION if minted else WORKLOAD,
                    "ip": _FOREIGN,
                    "agent": _AGENT,
                    **options,
                },
            )
        )
    return built


def _minted_session() -> dict[str, Any]:
    return records.role_session(PRODUCTION, "deploy-prod", "ci") | {"accessKeyId": _MINTED}


_SECOND_COPY = 10
"""AssumeRole across accounts is recorded in both, under one sharedEventID."""

_ASSUME = {
    "request": {"roleArn": _ROLE, "roleSessionName": "ci", "durationSeconds": 3600},
    "response": {
        "credentials": {
            "accessKeyId": _MINTED,
            "sessionToken": "EXAMPLE-NOT-A-TOKEN",
            "expiration": "Mar 2, 2026, 9:21:00 AM",
        },
        "assumedRoleUser": {
            "assumedRoleId": f"AROA{records.letters('deploy-prod11', 17)}:ci",
            "arn": f"arn:aws:sts::{PRODUCTION}:assumed-role/deploy-prod/ci",
        },
    },
    "resources": [{"accountId": PRODUCTION, "type": "AWS::IAM::Role", "ARN": _ROLE}],
}

_OPTIONS: dict[int, dict[str, Any]] = {
    4: {"region": "eu-west-1", "request": {"instancesSet": {}, "filterSet": {}}},
    6: {"request": {"policySourceArn": _CI["arn"], "actionNames": ["s3:GetObject"]}},
    7: {
        "error": (
            "Client.DryRunOperation",
            "Request would have succeeded, but DryRun flag is set.",
        ),
        "request": {"instanceType": "p4d.24xlarge", "instancesSet": {"items": [{"minCount": 1}]}},
        "read_only": False,
    },
    8: {"request": {"secretId": "prod/payments/db"}},
    9: _ASSUME,
    _SECOND_COPY: _ASSUME
    | {
        "identity": {
            "type": "AWSAccount",
            "principalId": _CI["principalId"],
            "accountId": WORKLOAD,
        }
    },
    11: {"request": {"secretId": _SECRET}},
    12: {
        "identity": _minted_session() | {"invokedBy": "secretsmanager.amazonaws.com"},
        "ip": "secretsmanager.amazonaws.com",
        "agent": "secretsmanager.amazonaws.com",
        "request": {
            "encryptionContext": {"SecretARN": _SECRET},
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
        },
        "resources": [
            {
                "accountId": PRODUCTION,
                "type": "AWS::KMS::Key",
                "ARN": f"arn:aws:kms:us-east-1:{PRODUCTION}:key/"
                "1234abcd-12ab-34cd-56ef-1234567890ab",
            }
        ],
    },
    13: {
        "request": {"userName": "backup-svc"},
        "response": {
            "accessKey": {
                "userName": "backup-svc",
                "accessKeyId": "AKIAI55SVCQQQEXAMPLE",
                "status": "Active",
                "createDate": "Mar 2, 2026 8:27:26 AM",
            }
        },
        "read_only": False,
    },
    14: {
        "request": {"name": f"arn:aws:cloudtrail:us-east-1:{PRODUCTION}:trail/org-trail"},
        "read_only": False,
    },
    15: {
        "category": "Data",
        "request": {"bucketName": "payments-exports", "key": "2026/02/settlement.csv"},
        "resources": [
            {
                "type": "AWS::S3::Object",
                "ARN": "arn:aws:s3:::payments-exports/2026/02/settlement.csv",
            },
            {
                "accountId": PRODUCTION,
                "type": "AWS::S3::Bucket",
                "ARN": "arn:aws:s3:::payments-exports",
            },
        ],
    },
}
