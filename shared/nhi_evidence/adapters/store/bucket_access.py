"""Opening a bucket in another account, with the user's profile or through a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters.aws.session import role_session
from nhi_evidence.adapters.store.s3_versions import S3EvidenceLog
from nhi_evidence.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from nhi_evidence.adapters.store.evidence_uri import Access


def open_bucket(bucket: str, access: Access, endpoint: str | None) -> S3EvidenceLog:
    """Return a bucket as an evidence store. Raises `SettingsError` if AWS cannot be reached."""
    return S3EvidenceLog(_client(access, endpoint), bucket)


def _client(access: Access, endpoint: str | None) -> S3Client:
    try:
        if access.role_arn is None:
            session = boto3.session.Session(profile_name=access.profile)
        else:
            session = role_session(
                access.role_arn,
                session_name="nhi-evidence-audit",
                external_id=access.external_id,
                profile=access.profile,
                endpoint_url=endpoint,
            )
        return session.client("s3", endpoint_url=endpoint)
    except (BotoCoreError, ClientError) as error:
        raise SettingsError(f"no access to AWS: {error}") from error
