"""What the lock and the roles refuse: each attempt is real, and so is each answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa

from nhi_evidence.adapters import clock, web_identity
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.demo import identities
from nhi_evidence.demo.aws import SOURCE
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.issuer import ENTRA, GOOGLE, EmbeddedIssuer
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GCP = "gcp_audit"
_CHOSEN = datetime(2099, 1, 1, tzinfo=UTC)


class Refusal(msgspec.Struct, frozen=True):
    """One attempt and the store's answer."""

    who: str
    act: str
    refused: bool
    error: str


def of_tokens(store: EmbeddedStore, platforms: EmbeddedIssuer) -> list[Refusal]:
    """Try wrong tokens on the writer role, which trusts one of Google's subjects and audiences."""
    audience = identities.AUDIENCE[GOOGLE]
    stranger = rsa.generate_private_key(65537, 2048)
    right = platforms.token(GOOGLE, audience)
    now = clock.now() // 1000
    wrong = {
        "show a token for another audience": platforms.token(GOOGLE, "https://example.com"),
        "show another account's token": platforms.token(GOOGLE, audience, sub="1"),
        "show a token that has expired": platforms.token(GOOGLE, audience, exp=now - 1),
        "show a token signed by another key": platforms.token(GOOGLE, audience, key=stranger),
        "show another platform's token": platforms.token(ENTRA, audience),
    }
    refusals = [
        _written("who knows the role", act, store, _GCP, token) for act, token in wrong.items()
    ]
    elsewhere = "write under another source's prefix"
    return [*refusals, _written("the right token", elsewhere, store, SOURCE, right)]


def _written(who: str, act: str, store: EmbeddedStore, source: str, token: str) -> Refusal:
    """Assume Google's writer role with a token and write under a source's prefix."""
    client = web_identity.role_client(
        iam.writer_role(_GCP),
        session_name="demo",
        token=lambda: token,
        region="us-east-1",
        endpoint_url=store.endpoint_url,
    )
    key = f"ev/v1/{source}/h=unknown/refused/0"
    try:
        S3EvidenceWriter(client, iam.EVIDENCE_BUCKET).put_new(key, b"x", metadata={})
    except StoreUnavailableError as error:
        cause = error.__cause__
        text = _answer(cause) if isinstance(cause, ClientError) else str(error)
        return Refusal(who, act, refused=True, error=text)
    return Refusal(who, act, refused=False, error="NOT REFUSED")


def collect(store: EmbeddedStore, version: tuple[str, str]) -> list[Refusal]:
    """Try everything that must not work on one locked object version."""
    key, version_id = version
    admin = store.client(store.admin)
    writer = store.client(store.exporter, role_arn=iam.writer_role(SOURCE))
    auditor = store.client(store.investigator, role_arn=iam.AUDITOR_ROLE)
    return [
        *_of_the_lock("administrator", admin, key, version_id),
        *_of_the_writer(writer, key, version_id),
        _attempt(
            "auditor role",
            "overwrite an object",
            lambda: auditor.put_object(Bucket=iam.EVIDENCE_BUCKET, Key=key, Body=b"other"),
        ),
        _attempt(
            "exporter identity",
            "take the auditor's role",
            lambda: store.client(store.exporter, role_arn=iam.AUDITOR_ROLE),
        ),
    ]


def _of_the_lock(who: str, client: S3Client, key: str, version: str) -> list[Refusal]:
    bucket = iam.EVIDENCE_BUCKET
    until = client.get_object_retention(Bucket=bucket, Key=key, VersionId=version)["Retention"][
        "RetainUntilDate"
    ]
    shorter = until - timedelta(hours=1)
    return [
        _attempt(
            who,
            "delete a locked version",
            lambda: client.delete_object(Bucket=bucket, Key=key, VersionId=version),
        ),
        _attempt(
            who,
            "delete it bypassing governance",
            lambda: client.delete_object(
                Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True
            ),
        ),
        _attempt(
            who,
            "shorten its lock",
            lambda: client.put_object_retention(
                Bucket=bucket,
                Key=key,
                VersionId=version,
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": shorter},
            ),
        ),
        _attempt(
            who,
            "overwrite it with a create-only write",
            lambda: client.put_object(Bucket=bucket, Key=key, Body=b"other", IfNoneMatch="*"),
        ),
    ]


def _of_the_writer(client: S3Client, key: str, version: str) -> list[Refusal]:
    who = "exporter's writer role"
    bucket = iam.EVIDENCE_BUCKET
    acts: list[tuple[str, Callable[[], object]]] = [
        ("read an object", lambda: client.get_object(Bucket=bucket, Key=key)),
        ("list the bucket", lambda: client.list_objects_v2(Bucket=bucket)),
        ("delete an object", lambda: client.delete_object(Bucket=bucket, Key=key)),
        (
            "delete a version",
            lambda: client.delete_object(Bucket=bucket, Key=key, VersionId=version),
        ),
        (
            "write under another source's prefix",
            lambda: client.put_object(Bucket=bucket, Key="ev/v1/gcp_audit/h=unknown/x", Body=b"x"),
        ),
        (
            "choose its own retention",
            lambda: client.put_object(
                Bucket=bucket,
                Key=f"{key}.other",
                Body=b"x",
                ObjectLockMode="GOVERNANCE",
                ObjectLockRetainUntilDate=_CHOSEN,
            ),
        ),
    ]
    return [_attempt(who, act, call) for act, call in acts]


def _attempt(who: str, act: str, call: Callable[[], object]) -> Refusal:
    try:
        call()
    except ClientError as error:
        return Refusal(who, act, refused=True, error=_answer(error))
    return Refusal(who, act, refused=False, error="NOT REFUSED")


def _answer(error: ClientError) -> str:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    problem = error.response["Error"]
    return f"{status} {problem.get('Code', '')}: {problem.get('Message', '')}"
