"""The signer a command or function names: a key file, or a key in KMS."""

from __future__ import annotations

from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError

from nhi_evidence.adapters.signing.key_file import KeyFile
from nhi_evidence.adapters.signing.kms import KmsSigner
from nhi_evidence.errors import SettingsError


def open_signer(
    key_file: Path | None, kms_key: str | None, *, profile: str | None = None
) -> KeyFile | KmsSigner:
    """Return the one signer that is named. Raises `SettingsError` unless exactly one is."""
    if (key_file is None) == (kms_key is None):
        raise SettingsError("name one key: a key file, or a KMS key")
    if key_file is not None:
        return KeyFile(key_file)
    try:
        return KmsSigner(boto3.session.Session(profile_name=profile).client("kms"), str(kms_key))
    except BotoCoreError as error:
        raise SettingsError(f"no access to KMS: {error}") from error
