"""What the design assumes of S3 and KMS, each with a question that settles it.

Every question writes under one prefix of its own, `conform/<run>/`, and leaves locked versions
there until the bucket's retention ends: use a trial bucket, whose locks last a day.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

BODY = b"conform"


class Bucket(NamedTuple):
    """A bucket to ask, and the prefix of this run."""

    s3: Any
    name: str
    prefix: str

    def put(self, key: str, body: bytes = BODY, **more: Any) -> str:
        """Write as the exporter does: create-only, with a checksum; return the version."""
        wanted = {"IfNoneMatch": "*", "ChecksumAlgorithm": "SHA256"} | more
        chosen = {name: value for name, value in wanted.items() if value is not None}
        stored = self.s3.put_object(Bucket=self.name, Key=self.at(key), Body=body, **chosen)
        return str(stored["VersionId"])

    def at(self, key: str) -> str:
        """Return a key of this run."""
        return f"{self.prefix}{key}"


class Fact(NamedTuple):
    """One fact: what the design assumes, and how it is asked."""

    name: str
    expected: str
    why: str
    ask: Callable[[Bucket], str]


def answer_to(act: Callable[[], Any]) -> str:
    """Return what the service says of an act: `done`, or status and code."""
    try:
        act()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return f"{status} {error.response['Error']['Code']}"
    return "done"


def twice(bucket: Bucket) -> str:
    bucket.put("twice")
    return answer_to(lambda: bucket.put("twice"))


def over_a_marker(bucket: Bucket) -> str:
    first = bucket.put("marked")
    marked = answer_to(lambda: bucket.s3.delete_object(Bucket=bucket.name, Key=bucket.at("marked")))
    if marked != "done":
        return f"no marker could be put: {marked}"
    again = bucket.put("marked")
    listed = bucket.s3.list_object_versions(Bucket=bucket.name, Prefix=bucket.at("marked"))
    versions = {one["VersionId"] for one in listed["Versions"]}
    return "a second version" if versions == {first, again} else f"versions {versions}"


def at_once(bucket: Bucket) -> str:
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(answer_to(lambda: bucket.put("race"))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    others = sorted(set(answers) - {"done"})
    allowed = {"412 PreconditionFailed", "409 ConditionalRequestConflict"}
    if answers.count("done") == 1 and set(others) <= allowed:
        return "one write, the others 412 or 409"
    return f"{answers.count('done')} writes, {', '.join(others)}"


def inherited(bucket: Bucket) -> str:
    version = bucket.put("inherited")
    head = bucket.s3.head_object(Bucket=bucket.name, Key=bucket.at("inherited"), VersionId=version)
    mode, until = head.get("ObjectLockMode"), head.get("ObjectLockRetainUntilDate")
    locked = until is not None and until > datetime.now(UTC)
    return "COMPLIANCE, in force" if (mode, locked) == ("COMPLIANCE", True) else f"{mode} {until}"


def checksum(bucket: Bucket) -> str:
    bucket.put("checksum")
    head = bucket.s3.head_object(
        Bucket=bucket.name, Key=bucket.at("checksum"), ChecksumMode="ENABLED"
    )
    wanted = b64encode(sha256(BODY).digest()).decode()
    return "the SHA-256 of the body" if head.get("ChecksumSHA256") == wanted else str(head)


def wrong_checksum(bucket: Bucket) -> str:
    wrong = b64encode(sha256(b"other").digest()).decode()
    return answer_to(
        lambda: bucket.put("wrong", ChecksumAlgorithm=None, ChecksumSHA256=wrong)
    ).partition(" ")[0]


def deleted(bucket: Bucket) -> str:
    version = bucket.put("deleted")
    return answer_to(
        lambda: bucket.s3.delete_object(
            Bucket=bucket.name, Key=bucket.at("deleted"), VersionId=version
        )
    )


def shortened(bucket: Bucket) -> str:
    version = bucket.put("shortened")
    soon = datetime.now(UTC) + timedelta(minutes=5)
    return answer_to(
        lambda: bucket.s3.put_object_retention(
            Bucket=bucket.name,
            Key=bucket.at("shortened"),
            VersionId=version,
            Retention={"Mode": "COMPLIANCE", "RetainUntilDate": soon},
            BypassGovernanceRetention=True,
        )
    )


def unconditional(bucket: Bucket) -> str:
    return answer_to(lambda: bucket.put("unconditional", IfNoneMatch=None))


def foreign_key(bucket: Bucket) -> str:
    return answer_to(lambda: bucket.put("kms", ServerSideEncryption="aws:kms"))


def own_retention(bucket: Bucket) -> str:
    later = datetime.now(UTC) + timedelta(days=2)
    return answer_to(
        lambda: bucket.put(
            "retention", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=later
        )
    )


def copied(bucket: Bucket) -> str:
    bucket.put("copied")
    source = {"Bucket": bucket.name, "Key": bucket.at("copied")}
    answer = answer_to(
        lambda: bucket.s3.copy_object(Bucket=bucket.name, Key=bucket.at("copy"), CopySource=source)
    )
    return answer.partition(" ")[0]


LOCK = (
    Fact("a create-only write over a key", "412 PreconditionFailed", "412 is success", twice),
    Fact(
        "a create-only write over a delete marker",
        "a second version",
        "readers take the first version, never the current one",
        over_a_marker,
    ),
    Fact(
        "eight create-only writes of one key at once",
        "one write, the others 412 or 409",
        "409 is tried again, 412 is success",
        at_once,
    ),
    Fact("a new version's lock", "COMPLIANCE, in force", "writers set no lock", inherited),
    Fact("HEAD's checksum", "the SHA-256 of the body", "the sealer reads no body", checksum),
    Fact("a wrong checksum", "400", "what is stored is what was sent", wrong_checksum),
    Fact("deleting a locked version", "403 AccessDenied", "the lock", deleted),
    Fact("shortening a lock", "403 AccessDenied", "the lock", shortened),
)
"""Facts of any bucket with a COMPLIANCE default."""

POLICY = (
    Fact(
        "a write without If-None-Match",
        "403 AccessDenied",
        "Null on s3:if-none-match in a bucket policy sees plain writes",
        unconditional,
    ),
    Fact("a write under a KMS key", "403 AccessDenied", "no key on evidence", foreign_key),
    Fact("a write with its own lock", "403 AccessDenied", "writers set no lock", own_retention),
    Fact("a copy inside the bucket", "403", "a copy carries no If-None-Match", copied),
)
"""Facts of a bucket with the evidence policy, asked as a principal that may put."""


def signed(kms: Any, key: str) -> str:
    """Return what KMS signs with: verified here with the public half."""
    described = kms.get_public_key(KeyId=key)
    public = load_der_public_key(described["PublicKey"])
    message = b"example.org/evidence/2026\n1\nAAAA\n"

    def sign(algorithm: str) -> bytes:
        answer = kms.sign(KeyId=key, Message=message, MessageType="RAW", SigningAlgorithm=algorithm)
        return bytes(answer["Signature"])

    try:
        if isinstance(public, ed25519.Ed25519PublicKey):
            algorithm = "ED25519_SHA_512"
            public.verify(sign(algorithm), message)
        elif isinstance(public, mldsa.MLDSA44PublicKey):
            algorithm = "ML_DSA_SHAKE_256"  # pure, with an empty context
            public.verify(sign(algorithm), message)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            algorithm = "ECDSA_SHA_256"
            public.verify(sign(algorithm), message, ec.ECDSA(SHA256()))
        else:
            return f"another key: {described['KeySpec']}"
    except InvalidSignature:
        return f"{described['KeySpec']}: a signature that does not verify"
    return f"{algorithm} over the message itself"
