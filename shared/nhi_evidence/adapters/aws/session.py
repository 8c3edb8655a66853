"""AWS clients, and keyless access to the evidence account.

The function's own role assumes the writer role; the SDK refreshes the session by itself. No access
key is ever configured, read or stored.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import NoCredentialsError
from botocore.session import Session as BotocoreSession

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="nhi-evidence",
)
_METHOD = "sts-assume-role"


def own_client() -> S3Client:
    """Return an S3 client of the function's own role."""
    return boto3.session.Session().client("s3", config=CLIENT_CONFIG)


def own_queue_client() -> SQSClient:
    """Return an SQS client of the function's own role, in its region like the queues it reads."""
    return boto3.session.Session().client("sqs", config=CLIENT_CONFIG)


def role_client(role_arn: str, *, session_name: str, external_id: str | None = None) -> S3Client:
    """Return an S3 client of an assumed role; its session is renewed before it expires."""
    session = role_session(role_arn, session_name=session_name, external_id=external_id)
    return session.client("s3", config=CLIENT_CONFIG)


def role_session(
    role_arn: str,
    *,
    session_name: str,
    external_id: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
) -> boto3.session.Session:
    """Return a session of an assumed role, renewed before it expires.

    The role is assumed as `profile` of the user's configuration, or as whatever identity the
    environment provides; `endpoint_url` is that of an STS other than Amazon's. Raises
    `BotoCoreError` if there is no such identity; the role itself is assumed by the first call.
    """
    own = BotocoreSession(profile=profile)
    identity = own.get_credentials()
    if identity is None:
        raise NoCredentialsError
    extra = {"RoleSessionName": session_name}
    if external_id:
        extra["ExternalId"] = external_id
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(own.create_client, endpoint_url=endpoint_url),
        source_credentials=identity,
        role_arn=role_arn,
        extra_args=extra,
    )
    assumed = BotocoreSession(profile=profile)
    credentials = DeferredRefreshableCredentials(
        method=_METHOD, refresh_using=fetcher.fetch_credentials
    )
    # The SDK offers no public setter for credentials that refresh themselves.
    assumed._credentials = credentials  # type: ignore[attr-defined] # noqa: SLF001
    return boto3.session.Session(botocore_session=assumed)
