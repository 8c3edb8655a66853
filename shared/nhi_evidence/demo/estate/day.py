"""A morning of the estate as evidence: files and digests of CloudTrail, canaries, readings.

It is stored in a directory like a copy of a bucket, every object with the time at which it was
locked, so that silence is as old as it has to be. A draw removes settings, one canary and one file
from it.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.completeness import provider_keys
from nhi_evidence.coverage import reading_file
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.plan import Announced, Plan
from nhi_evidence.coverage.canary.probes import probes
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import amazon
from nhi_evidence.demo.estate.plants import PLANTS, Plant, planted
from nhi_evidence.event import Delivery, Kind
from nhi_evidence.evidence import keys
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.stored import Description, Receipt, Version

NAME = "demo.example/estate"
DAY = 1_772_409_600_000
"""2026-03-02 00:00 UTC."""
HOUR_MS = 3_600_000
HOURS = (6, 7, 8, 9)
ACCOUNT = amazon.WORKLOAD
CANARY = f"arn:aws:iam::{ACCOUNT}:user/nhi-evidence-canary"
SEALED_AT = DAY + 72 * HOUR_MS
"""Late enough for every digest and for the delay of every canary."""
PLATFORMS = ("aws", "gcp", "azure")
"""Of which a seed takes settings away."""
READ = (*PLATFORMS, "github", "okta", "vault")
"""Whose settings are read: all that the story of the demo crosses."""
_FINGERPRINT = "0123456789abcdef0123456789abcdef"
_FOLDER = f"AWSLogs/{ACCOUNT}"
_FILES_AN_HOUR = 3


class Drawn(msgspec.Struct, frozen=True):
    """What a seed removes."""

    seed: int
    plants: tuple[Plant, ...]
    canary: str
    """Cell whose probe has no record in one hour."""
    canary_hour: str
    withheld: str
    """`<bucket>/<key>` of the file that a digest names and nobody delivered."""


def draw(seed: int) -> Drawn:
    """Draw two gaps of two platforms, a canary and a file. The same seed draws the same."""
    first = _draw_from(seed, "platform", PLATFORMS)
    second = _draw_from(seed, "another", [name for name in PLATFORMS if name != first])
    plants = tuple(
        _draw_from(seed, name, [one for one in PLANTS if one.platform == name])
        for name in (first, second)
    )
    gaps = {cell for plant in plants for cell in plant.expected}
    last = keys.hour_of(DAY + HOURS[-1] * HOUR_MS)
    announced = [
        one.cell for one in _plan(last).probes if one.expect == "record" and one.cell not in gaps
    ]
    hour = _draw_from(seed, "hour", HOURS[:-1])
    number = _draw_from(seed, "file", range(_FILES_AN_HOUR))
    return Drawn(
        seed,
        plants,
        _draw_from(seed, "canary", sorted(set(announced))),
        last,
        f"{amazon.TRAIL_BUCKET}/{_file_key(hour, number)}",
    )


def _draw_from(seed: int, what: str, of: Iterable[Any]) -> Any:
    """Choose an item, by the hash of the seed and of what it is for."""
    choices = list(of)
    number = int.from_bytes(sha256(f"{seed} {what}".encode()).digest())
    return choices[number % len(choices)]


def write(folder: Path, drawn: Drawn) -> bytes:
    """Write the morning's evidence, not yet sealed; return the provider's list of public keys."""
    store = DirectoryStore(folder)
    for hour in HOURS:
        plan = _plan(keys.hour_of(DAY + hour * HOUR_MS))
        operation = plans.write(plan)
        _keep(store, operation.key, operation.body, DAY + (hour - 1) * HOUR_MS)
    for at in (DAY + 5 * HOUR_MS, DAY + 10 * HOUR_MS):
        for platform in READ:
            operation = reading_file.write(planted(estate.reading(platform, at), drawn.plants))
            _keep(store, operation.key, operation.body, at)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    mapper = Mapper("aws_cloudtrail", scope=Scope.NHI, keep_out_of_scope_raw=True)
    previous: tuple[str, bytes, bytes] | None = None
    for hour in HOURS:
        files = [
            (_file_key(hour, number), _file(hour, number, drawn))
            for number in range(_FILES_AN_HOUR)
        ]
        delivered = [
            Delivery(f"{amazon.TRAIL_BUCKET}/{name}@v1", gzip.compress(body, mtime=0))
            for name, body in files
            if f"{amazon.TRAIL_BUCKET}/{name}" != drawn.withheld
        ]
        name, content, signature = _digest(key, hour, files, previous)
        previous = (name, content, signature)
        digest = Delivery(
            f"{amazon.TRAIL_BUCKET}/{name}@v1",
            gzip.compress(content, mtime=0),
            Kind.COMPANION,
            {"meta.signature": signature.hex(), "meta.signature-algorithm": "SHA256withRSA"},
        )
        at = DAY + (hour + 1) * HOUR_MS
        lock_batch(mapper, [*delivered, digest], _Stamped(store, at))
    listed = _listed(key)
    operation_ = provider_keys.write(listed, keys.hour_of(DAY + HOURS[0] * HOUR_MS))
    _keep(store, operation_.key, operation_.body, DAY + HOURS[0] * HOUR_MS)
    return listed


class _Stamped:
    """Puts objects as of a given time."""

    def __init__(self, store: DirectoryStore, at: int) -> None:
        self._store = store
        self._at = at

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str],
        retain_until: int | None = None,  # noqa: ARG002 a directory locks nothing
    ) -> Receipt:
        description = Description(len(body), sha256(body).hexdigest(), dict(metadata), None, None)
        return self._store.keep(Version(key, "v1", self._at, len(body)), description, body)


def _keep(store: DirectoryStore, key: str, body: bytes, at: int) -> None:
    _Stamped(store, at).put_new(key, body, metadata={})


def _plan(hour: str) -> Plan:
    delays = {cell.id: setting_of(cell).delay_minutes for cell in cells()}
    return plans.plan(NAME, "aws", hour, CANARY, delays)


def _file_key(hour: int, number: int) -> str:
    name = f"{ACCOUNT}_CloudTrail_{amazon.REGION}_20260302T{hour:02}{number * 20 + 5:02}Z"
    return f"{_FOLDER}/CloudTrail/{amazon.REGION}/2026/03/02/{name}_Estate{hour}{number}.json.gz"


def _file(hour: int, number: int, drawn: Drawn) -> bytes:
    """Return one file: canaries in the first of an hour, everyday records in the others."""
    records = [_record(hour, number, index, "GetCallerIdentity", "sts") for index in range(3)]
    if number == 0:
        records += _canaries(hour, drawn)
    return json.dumps({"Records": records}).encode()


def _canaries(hour: int, drawn: Drawn) -> Iterator[dict[str, Any]]:
    plan = _plan(keys.hour_of(DAY + hour * HOUR_MS))
    calls = {(one.cell, one.operation): one for one in probes("aws")}
    for index, probe in enumerate(plan.probes, start=100):
        is_drawn = probe.cell == drawn.canary and plan.hour == drawn.canary_hour
        if probe.expect == "record" and not is_drawn:
            planned = calls[probe.cell, probe.operation]
            refused = {"errorCode": "AccessDenied"} if planned.outcome == "refused" else {}
            service = planned.call.partition(":")[0]
            yield _record(hour, 0, index, probe.operation, service, nonce=probe, **refused)


def _record(
    hour: int,
    number: int,
    index: int,
    operation: str,
    service: str,
    *,
    nonce: Announced | None = None,
    **members: Any,
) -> dict[str, Any]:
    name = "shop" if nonce is None else CANARY.rpartition("/")[2]
    agent = "aws-sdk-go-v2/1.30" if nonce is None else f"Boto3/1.44 nhi-canary/{nonce.nonce}"
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDACKCEVSQ6C2{name[:6].upper():X<7}",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "userName": name,
        },
        "eventTime": f"2026-03-02T{hour:02}:{number * 20:02}:{index % 60:02}Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": operation,
        "awsRegion": amazon.REGION,
        "sourceIPAddress": "203.0.113.7",
        "userAgent": agent,
        "requestParameters": None,
        "responseElements": None,
        "eventID": f"{hour:04}{number:04}-0000-4000-8000-{index:012}",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        **members,
    }


def _digest(
    key: rsa.RSAPrivateKey,
    hour: int,
    files: list[tuple[str, bytes]],
    previous: tuple[str, bytes, bytes] | None,
) -> tuple[str, bytes, bytes]:
    """Return name, text and signature of the digest of an hour, chained to the one before."""
    bucket, end = amazon.TRAIL_BUCKET, f"2026-03-02T{hour + 1:02}:00:00Z"
    name = (
        f"{_FOLDER}/CloudTrail-Digest/{amazon.REGION}/2026/03/02/{ACCOUNT}_CloudTrail-Digest_"
        f"{amazon.REGION}_organization_{amazon.REGION}_20260302T{hour + 1:02}0000Z.json.gz"
    )
    stated = {
        "awsAccountId": ACCOUNT,
        "digestStartTime": f"2026-03-02T{hour:02}:00:00Z",
        "digestEndTime": end,
        "digestS3Bucket": bucket,
        "digestS3Object": name,
        "digestPublicKeyFingerprint": _FINGERPRINT,
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": bucket if previous else None,
        "previousDigestS3Object": previous[0] if previous else None,
        "previousDigestHashValue": sha256(previous[1]).hexdigest() if previous else None,
        "previousDigestHashAlgorithm": "SHA-256" if previous else None,
        "previousDigestSignature": previous[2].hex() if previous else None,
        "logFiles": [
            {
                "s3Bucket": bucket,
                "s3Object": file,
                "hashValue": sha256(body).hexdigest(),
                "hashAlgorithm": "SHA-256",
            }
            for file, body in files
        ],
    }
    content = json.dumps(stated).encode()
    before = previous[2].hex() if previous else "null"
    signed = "\n".join((end, f"{bucket}/{name}", sha256(content).hexdigest(), before))
    return name, content, key.sign(signed.encode(), padding.PKCS1v15(), SHA256())


def _listed(key: rsa.RSAPrivateKey) -> bytes:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    published = {"Value": b64encode(public).decode(), "Fingerprint": _FINGERPRINT}
    return json.dumps({"PublicKeyList": [published]}).encode()
