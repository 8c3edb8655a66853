"""A sealer in a process of its own, which can die at any of its calls to the store.

Only this module is loaded into the server the processes are forked from, so that each starts in
milliseconds.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.s3_versions import S3EvidenceLog
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealed, Sealer
from tests.signing import LocalSigner

NAME = "example.org/killed"
KEY = "killed"
DAY_MS = 86_400_000


class Mortal:
    """An S3 client whose process is killed at a call, before or after it reached the store."""

    def __init__(self, client: Any, call: int, *, after: bool, writes: bool) -> None:
        """Die at call number `call`, counting writes alone where `writes` says so."""
        self._client = client
        self._left = call
        self._after = after
        self._writes = writes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def called(*positional: Any, **named: Any) -> Any:
            if name == "put_object" or not self._writes:
                self._left -= 1
                self._die(after=False)
            answer = method(*positional, **named)
            self._die(after=True)
            return answer

        return called

    def _die(self, *, after: bool) -> None:
        if self._left == 0 and after == self._after:
            os.kill(os.getpid(), signal.SIGKILL)


def seal(
    environment: Mapping[str, str], call: int = -1, *, after: bool = False, writes: bool = False
) -> Sealed:
    """Seal once; die at call number `call`, counted from 1."""
    session = boto3.session.Session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment["AWS_SESSION_TOKEN"],
        region_name=environment["AWS_REGION"],
    )
    client: Any = session.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        config=Config(retries={"total_max_attempts": 1}),
    )
    mortal: Any = Mortal(client, call, after=after, writes=writes)
    sealer = Sealer(
        S3EvidenceLog(mortal, iam.EVIDENCE_BUCKET),
        [LocalSigner(KEY)],
        clock.now,
        name=NAME,
        lock_policy=LockPolicy(retention_ms=DAY_MS, encryption=None),
    )
    return sealer.run()
