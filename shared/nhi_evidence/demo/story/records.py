"""Build CloudTrail records with the field order and shapes that CloudTrail writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

WORKLOAD = "444455556666"
PRODUCTION = "111122223333"
SHARED_SERVICES = "123456789012"
SANDBOX = "210987654321"
ACCOUNTS = (WORKLOAD, PRODUCTION, SHARED_SERVICES, SANDBOX)
REGIONS = ("us-east-1", "eu-west-1")


class Recorder:
    """Makes records with seeded ids, at the times the caller gives."""

    def __init__(self, seed: int) -> None:
        """Start from a seed."""
        self.random = Random(seed)  # noqa: S311 repeatable sample data, nothing secret

    def uid(self) -> str:
        """Return a UUID in CloudTrail's spelling."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def record(
        self,
        at: timedelta,
        identity: dict[str, Any],
        source: str,
        name: str,
        *,
        account: str,
        region: str = "us-east-1",
        ip: str = "192.0.2.44",
        agent: str = "Boto3/1.34.0 md/Botocore#1.34.0 lang/python#3.12.1",
        request: Any = None,
        response: Any = None,
        error: tuple[str, str] | None = None,
        read_only: bool = True,
        category: str = "Management",
        **extra: Any,
    ) -> dict[str, Any]:
        """Return one record; `extra` adds or replaces attributes."""
        moment = START + at
        record: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": ip,
            "userAgent": agent,
        }
        if error is not None:
            record["errorCode"], record["errorMessage"] = error
        record |= {
            "requestParameters": request,
            "responseElements": response,
            "requestID": self.uid(),
            "eventID": self.uid(),
            "readOnly": read_only,
            "eventType": "AwsApiCall",
            "managementEvent": category == "Management",
            "recipientAccountId": account,
            "eventCategory": category,
        }
        if ip[:1].isdigit():
            record["tlsDetails"] = {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": f"{source}.{region}.amazonaws.com",
            }
        return record | extra


def letters(text: str, length: int = 16) -> str:
    """Return the end of an id in the documentation's manner: letters, ending in EXAMPLE."""
    kept = "".join(one for one in text.upper() if one.isalnum())
    return (kept + "Q" * length)[: length - 7] + "EXAMPLE"


def iam_user(account: str, name: str, *, key: str, mfa: bool = False) -> dict[str, Any]:
    """Return the identity of an IAM user calling with a key."""
    identity: dict[str, Any] = {
        "type": "IAMUser",
        "principalId": f"AIDA{letters(name + account[:2], 17)}",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "accessKeyId": key,
        "userName": name,
    }
    if mfa:
        identity["sessionContext"] = {
            "attributes": {"creationDate": "2026-03-02T07:45:00Z", "mfaAuthenticated": "true"}
        }
    return identity


def role_session(
    account: str,
    role: str,
    session: str,
    *,
    path: str = "/",
    context: dict[str, Any] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Return the identity of an assumed role."""
    role_id = f"AROA{letters(role + account[:2], 17)}"
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "accessKeyId": f"ASIA{letters(session + role)}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": f"arn:aws:iam::{account}:role{path}{role}",
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": "2026-03-02T07:58:12Z", "mfaAuthenticated": "false"},
            **(context or {}),
        },
        **extra,
    }


def service(name: str) -> dict[str, Any]:
    """Return the identity of an AWS service."""
    return {"type": "AWSService", "invokedBy": f"{name}.amazonaws.com"}
