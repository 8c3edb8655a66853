"""A CloudTrail trail in a dictionary: files, digests that name them, and what happens to both.

Digest and file layout are those of AWS's documentation; the key that signs is of our own making.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import md5, sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nhi_evidence.completeness import reconcile
from nhi_evidence.completeness.judge import Known
from nhi_evidence.completeness.statement import Scope, Statement, Statements
from nhi_evidence.event import Delivery, Kind
from nhi_evidence.evidence import note
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.verify.sorting import MemorySorter
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope as Kept
from tests.memory_store import DAY_MS, MemoryStore
from tests.signing import LocalSigner

NAME = "example.org/evidence"
BUCKET = "example-trail"
ACCOUNT = "111122223333"
REGION = "us-east-1"
FOLDER = f"AWSLogs/{ACCOUNT}"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCOPE = Scope(ACCOUNT, REGION, f"{BUCKET}/AWSLogs/")
SOURCE = "aws_cloudtrail"


@cache
def key_pair(number: int = 0) -> rsa.RSAPrivateKey:
    """A signing key of the provider."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def der(number: int = 0) -> bytes:
    """Its public half, as the provider publishes it."""
    return key_pair(number).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def fingerprint(number: int = 0) -> str:
    """What the provider names it by."""
    return md5(der(number), usedforsecurity=False).hexdigest()


def public_keys(*numbers: int) -> dict[str, bytes]:
    """DER by fingerprint."""
    return {fingerprint(number): der(number) for number in numbers or (0,)}


def listed_keys(*numbers: int) -> bytes:
    """What `aws cloudtrail list-public-keys` prints."""
    keys = [
        {"Value": b64encode(der(number)).decode(), "Fingerprint": fingerprint(number)}
        for number in numbers or (0,)
    ]
    return json.dumps({"PublicKeyList": keys}).encode()


@dataclass
class Stored:
    """An object of the trail's bucket."""

    body: bytes
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class Trail:
    """A trail's bucket, by key."""

    objects: dict[str, Stored] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)
    """Keys of the digests of the chain, in order."""
    name: str = "trail"
    region: str = REGION
    account: str = ACCOUNT

    def file(self, at: datetime, suffix: str = "AbCdEf", records: int = 2) -> str:
        """Deliver a log file; return its key."""
        content = json.dumps({"Records": [record(at, suffix, n) for n in range(records)]})
        key = (
            f"AWSLogs/{self.account}/CloudTrail/{self.region}/{at:%Y/%m/%d}/"
            f"{self.account}_CloudTrail_{self.region}_{at:%Y%m%dT%H%MZ}_{suffix}.json.gz"
        )
        self.objects[key] = Stored(gzip.compress(content.encode(), mtime=0))
        return key

    def digest(
        self,
        ends: datetime,
        files: list[str],
        *,
        begins: datetime | None = None,
        key: int = 0,
        first: bool = False,
        backfill: bool = False,
        **changes: Any,
    ) -> str:
        """Deliver a digest that names files and the digest before it; return its key."""
        ending = "_backfill.json.gz" if backfill else ".json.gz"
        place = (
            f"AWSLogs/{self.account}/CloudTrail-Digest/{self.region}/{ends:%Y/%m/%d}/"
            f"{self.account}_CloudTrail-Digest_{self.region}_{self.name}_{self.region}_"
            f"{ends:%Y%m%dT%H%M%SZ}{ending}"
        )
        chain = [one for one in self.digests if one.endswith("_backfill.json.gz") is backfill]
        before = None if first or not chain else chain[-1]
        content = json.dumps(
            {
                "awsAccountId": self.account,
                "digestStartTime": f"{begins or ends - HOUR:%Y-%m-%dT%H:%M:%SZ}",
                "digestEndTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
                "digestS3Bucket": BUCKET,
                "digestS3Object": place,
                "digestPublicKeyFingerprint": fingerprint(key),
                "digestSignatureAlgorithm": "SHA256withRSA",
                "newestEventTime": None,
                "oldestEventTime": None,
                "previousDigestS3Bucket": BUCKET if before else None,
                "previousDigestS3Object": before,
                "previousDigestHashValue": self._sha256(before),
                "previousDigestHashAlgorithm": "SHA-256" if before else None,
                "previousDigestSignature": (
                    self.objects[before].metadata["signature"] if before else None
                ),
                "logFiles": [
                    {
                        "s3Bucket": BUCKET,
                        "s3Object": file,
                        "hashValue": self._sha256(file),
                        "hashAlgorithm": "SHA-256",
                        "newestEventTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
                        "oldestEventTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
                    }
                    for file in files
                ],
                **changes,
            }
        ).encode()
        metadata = {"signature": sign(content, key), "signature-algorithm": "SHA256withRSA"}
        if backfill:
            metadata["backfill-generation-timestamp"] = f"{ends:%Y-%m-%dT%H:%M:%SZ}"
        self.objects[place] = Stored(gzip.compress(content, mtime=0), metadata)
        self.digests.append(place)
        return place

    def hours(self, count: int, *, files: int = 1, start: datetime = START) -> list[str]:
        """Deliver so many hours of files, each with its digest; return the keys of the files."""
        delivered = []
        for number in range(count):
            begins = start + number * HOUR
            own = [self.file(begins + timedelta(minutes=5), f"f{n:05d}") for n in range(files)]
            self.digest(begins + HOUR, own)
            delivered += own
        return delivered

    def _sha256(self, key: str | None) -> str | None:
        return None if key is None else sha256(gzip.decompress(self.objects[key].body)).hexdigest()

    def deliveries(self) -> list[Delivery]:
        """What an exporter is given of the bucket."""
        return [
            Delivery(
                f"{BUCKET}/{key}@v1",
                stored.body,
                kind=Kind.COMPANION if "/CloudTrail-Digest/" in key else Kind.RECORDS,
                source_metadata={f"meta.{name}": text for name, text in stored.metadata.items()},
            )
            for key, stored in sorted(self.objects.items())
        ]


def sign(content: bytes, key: int = 0) -> str:
    """The provider's signature of a digest, hex."""
    stated = json.loads(content)
    signed = "\n".join(
        (
            stated["digestEndTime"],
            f"{stated['digestS3Bucket']}/{stated['digestS3Object']}",
            sha256(content).hexdigest(),
            stated["previousDigestSignature"] or "null",
        )
    )
    return key_pair(key).sign(signed.encode(), padding.PKCS1v15(), SHA256()).hex()


def record(at: datetime, suffix: str, number: int) -> dict[str, Any]:
    """One record of a log file."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:build",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/build",
            "accountId": ACCOUNT,
        },
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets",
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2",
        "requestID": f"{suffix}-{number}",
        "eventID": f"{at:%Y%m%d%H%M}-{suffix}-{number}",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
    }


class Evidence:
    """A store the deliveries of a trail were locked and sealed in."""

    def __init__(self, now: datetime) -> None:
        self.now = int(now.timestamp() * 1000)
        self.store = MemoryStore(now=lambda: self.now, retention_ms=400 * DAY_MS)
        self.signer = LocalSigner("log")
        self.mapper = Mapper(SOURCE, scope=Kept.ALL, keep_out_of_scope_raw=True)

    @property
    def key(self) -> note.Key:
        return note.from_spki(NAME, self.signer.public_key())

    def lock(self, deliveries: list[Delivery]) -> None:
        """Lock what an exporter is given."""
        lock_batch(self.mapper, deliveries, self.store)

    def seal(self) -> None:
        """Seal what is new."""
        Sealer(
            self.store,
            [self.signer],
            lambda: self.now,
            name=NAME,
            lock_policy=LockPolicy(retention_ms=DAY_MS),
        ).run(everything=True)

    def read(self, *, grace_ms: int = 0) -> reconcile.Read:
        """Everything that is sealed."""
        sealed = reconcile.full(self.store, NAME, [self.key], MemorySorter, now=self.now)
        return reconcile.gather(self.store, sealed, MemorySorter, now=self.now, grace_ms=grace_ms)

    def statements(self, keys: dict[str, bytes] | None = None) -> list[Statements]:
        """The statements on all hours."""
        read = self.read()
        known = Known(log=read.log, keys=public_keys() if keys is None else keys)
        return list(reconcile.statements(read, known))

    def on(
        self, hour: str, scope: Scope = SCOPE, keys: dict[str, bytes] | None = None
    ) -> Statement:
        """The statement on one hour."""
        for each in self.statements(keys):
            if each.hour == hour:
                for statement in each.statements:
                    if statement.scope == scope:
                        return statement
        raise AssertionError(f"no statement on {hour} {scope}")


def evidence_of(trail: Trail, now: datetime = START + 72 * HOUR) -> Evidence:
    """A trail's bucket, exported and sealed."""
    evidence = Evidence(now)
    evidence.lock(trail.deliveries())
    evidence.seal()
    return evidence
