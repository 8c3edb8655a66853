"""The signers that a command or function names: key files, or keys in KMS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nhi_evidence.adapters.signing.key_file import KeyFile
from nhi_evidence.errors import SettingsError

if TYPE_CHECKING:
    from nhi_evidence.adapters.signing.kms import KmsSigner


def open_signer(
    key_file: Path | None, kms_key: str | None, *, profile: str | None = None
) -> KeyFile | KmsSigner:
    """Return the signer that is named. Raises `SettingsError` unless exactly one is."""
    if (key_file is None) == (kms_key is None):
        raise SettingsError("name one key: a key file, or a KMS key")
    (signer,) = open_signers(
        [key_file] if key_file else [], [kms_key] if kms_key else [], profile=profile
    )
    return signer


def open_signers(
    key_files: Sequence[Path], kms_keys: Sequence[str], *, profile: str | None = None
) -> list[KeyFile | KmsSigner]:
    """Return all named signers. Raises `SettingsError` if there is none, or one is not a key."""
    if not key_files and not kms_keys:
        raise SettingsError("name a key: a key file, or a KMS key")
    signers: list[KeyFile | KmsSigner] = [KeyFile(path) for path in key_files]
    if kms_keys:
        signers += _of_kms(kms_keys, profile)
    return signers


def _of_kms(keys: Sequence[str], profile: str | None) -> list[KmsSigner]:
    # Amazon's library is only loaded when KMS is used: a key in a file signs without it.
    import boto3  # noqa: PLC0415 as said
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    from nhi_evidence.adapters.signing.kms import KmsSigner  # noqa: PLC0415

    try:
        session = boto3.session.Session(profile_name=profile)
        return [KmsSigner(session.client("kms", region_name=_region(key)), key) for key in keys]
    except BotoCoreError as error:
        raise SettingsError(f"no access to KMS: {error}") from error


def _region(key: str) -> str | None:
    """Return the region in the ARN of a key or alias; None for a plain id or alias."""
    named = re.match(r"arn:[a-z0-9-]+:kms:([a-z0-9-]+):", key)
    return named[1] if named else None
