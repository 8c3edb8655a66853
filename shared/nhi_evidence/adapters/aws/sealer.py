"""What an AWS execution environment of the sealer builds once: settings, clients, the sealer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache

import msgspec

from nhi_evidence.adapters import clock, environ
from nhi_evidence.adapters.aws import session
from nhi_evidence.adapters.signing import signers
from nhi_evidence.adapters.store.s3_versions import S3EvidenceLog
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealed, Sealer

DAY_MS = 86_400_000

_MARGIN = 2
"""Another epoch is started while at least this many times the last one's duration is left."""


class Encryption(StrEnum):
    """The encryption a store must report of each version (docs/evidence-format.md, "Entries")."""

    AES256 = "AES256"
    NONE = "none"
    """For an embedded store, which reports none."""


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of the function that seals."""

    bucket: str
    bucket_owner: str
    log_name: str
    """The origin of a shard is `<log_name>/<year>`."""
    signing_keys: tuple[str, ...]
    """KMS keys by id, ARN or alias: Ed25519 or P-256, optionally with ML-DSA-44, and both the old
    and the new one while a key is being replaced."""
    retention_days: float
    """Minimum lock of every version; shorter locks are flagged."""
    grace_days: float
    """Days from the end of a lock to expiry by lifecycle."""
    lock_log: bool = True
    """Whether to lock the log until retention and grace after the end of its shard's year."""
    encryption: Encryption = Encryption.AES256


@cache
def sealer() -> Sealer:
    """Read the settings and build the clients, on first use. Raises `SettingsError`."""
    settings = environ.read_settings(Settings)
    return Sealer(
        S3EvidenceLog(session.own_client(), settings.bucket, owner=settings.bucket_owner),
        signers.open_signers([], settings.signing_keys),
        clock.now,
        name=settings.log_name,
        lock_policy=LockPolicy(
            retention_ms=int(settings.retention_days * DAY_MS),
            grace_ms=int(settings.grace_days * DAY_MS),
            encryption=None if settings.encryption is Encryption.NONE else settings.encryption,
        ),
        lock_log=settings.lock_log,
    )


def seal(remaining_ms: Callable[[], int]) -> Iterator[Sealed]:
    """Seal epoch after epoch while something is left and there is time for another.

    `remaining_ms` returns how long this invocation may still take; the next invocation seals the
    rest. Raises `StoreUnavailableError` and `LogError` as `Sealer.run` does.
    """
    left = remaining_ms()
    while True:
        done = sealer().run()
        yield done
        before, left = left, remaining_ms()
        if not done.more or left < _MARGIN * (before - left):
            return
