"""A sealed directory: CloudTrail files of some hours, and readings, with a head that is signed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.coverage import reading_file
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import note
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Policy
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.stored import Description, Version
from tests.memory_store import DAY_MS
from tests.signing import LocalCosigner, LocalSigner

NAME = "example.org/evidence"
BUCKET = "organization-trail-111122223333"
DAY = 1_772_409_600_000
"""2026-03-02 00:00 UTC."""
HOUR = 3_600_000
ACCOUNT = "333344445555"
TRAIL = "arn:aws:cloudtrail:eu-central-1:999988887777:trail/organization"
BOT = f"arn:aws:iam::{ACCOUNT}:user/bot"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"


def record(event: str, minute: int, number: int, **members: Any) -> dict[str, Any]:
    """A CloudTrail record of an IAM user of documentation, minutes after the day began."""
    hour, rest = divmod(minute, 60)
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDACKCEVSQ6C2EXAMPLE",
            "arn": BOT,
            "accountId": ACCOUNT,
            "accessKeyId": KEY_ID,
            "userName": "bot",
        },
        "eventTime": f"2026-03-02T{hour:02}:{rest:02}:00Z",
        "eventSource": "sts.amazonaws.com",
        "eventName": event,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-sdk-go-v2/1.30",
        "requestParameters": None,
        "responseElements": None,
        "requestID": f"request-{number}",
        "eventID": f"{number:08}-0000-4000-8000-000000000000",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        **members,
    }


def change(event: str, minute: int, number: int, **parameters: Any) -> dict[str, Any]:
    """A record of CloudTrail's own change of a trail."""
    return record(
        event,
        minute,
        number,
        eventSource="cloudtrail.amazonaws.com",
        readOnly=False,
        requestParameters=parameters,
    )


def delivery(hour: int, records: Iterable[dict[str, Any]], mark: str = "AbCdEf") -> Delivery:
    """The file of an hour, named as CloudTrail names it."""
    key = (
        f"AWSLogs/{ACCOUNT}/CloudTrail/eu-central-1/2026/03/02/"
        f"{ACCOUNT}_CloudTrail_eu-central-1_20260302T{hour:02}05Z_{mark}.json.gz"
    )
    body = gzip.compress(json.dumps({"Records": list(records)}).encode(), mtime=0)
    return Delivery(f"{BUCKET}/{key}@v1", body)


class Sealed:
    """A sealed directory and the key that signed it."""

    def __init__(self, folder: Path, signer: str = "log", *, cosigner: str = "") -> None:
        """Begin an empty one."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.store = DirectoryStore(folder)
        self.signer = LocalSigner(signer)
        self.key = note.from_spki(NAME, self.signer.public_key())
        self.cosigners = [LocalCosigner(cosigner)] if cosigner else []

    @property
    def stored(self) -> StoredLog:
        """Its log."""
        return StoredLog(self.store, NAME, (self.key,))

    @property
    def vkey(self) -> str:
        """The verifier key, as `--key` takes it."""
        return str(self.key)

    @property
    def policy(self) -> Policy:
        """Its keys, and nothing that is asked for."""
        more = (note.from_spki(NAME, each.public_key()) for each in self.cosigners)
        return Policy(name=NAME, keys=(self.key, *more))

    def lock(self, *deliveries: Delivery) -> None:
        """Lock files."""
        mapper = Mapper("aws_cloudtrail", scope=Scope.NHI, keep_out_of_scope_raw=True)
        assert not lock_batch(mapper, list(deliveries), self.store).failed

    def state(self, reading: Reading) -> None:
        """Put a reading where a collector does."""
        operation = reading_file.write(reading)
        self.store.put_new(operation.key, operation.body, metadata=operation.metadata)

    def put(
        self, key: str, body: bytes, at: int, metadata: Mapping[str, str] | None = None
    ) -> None:
        """Put an object as of a time, as a copy of a bucket has it."""
        digest = sha256(body).hexdigest()
        description = Description(len(body), digest, dict(metadata or {}), None, None)
        self.store.keep(Version(key, "v1", at, len(body)), description, body)

    def seal(self, at: int = DAY + 30 * HOUR) -> None:
        """Seal everything."""
        Sealer(
            self.store,
            [self.signer, *self.cosigners],
            lambda: at,
            name=NAME,
            lock_policy=LockPolicy(retention_ms=DAY_MS),
        ).run(everything=True)
