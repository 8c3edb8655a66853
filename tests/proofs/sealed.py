"""A sealed store with a record of every form, and the proof bundles of some of them."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nhi_evidence.demo.story import gcp_files, generate
from nhi_evidence.event import Delivery, Kind
from nhi_evidence.evidence import note, objects, search
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.memory_store import DAY_MS, MemoryStore
from tests.signing import LocalSigner

NAME = "example.org/evidence"
NOW = 1_772_442_000_000
BUCKET = "example-trail"
FOLDER = "AWSLogs/111122223333"
FILE_KEY = (
    f"{FOLDER}/CloudTrail/us-east-1/2026/03/02/"
    "111122223333_CloudTrail_us-east-1_20260302T0805Z_AbCdEf.json.gz"
)
DIGEST_KEY = (
    f"{FOLDER}/CloudTrail-Digest/us-east-1/2026/03/02/"
    "111122223333_CloudTrail-Digest_us-east-1_trail_us-east-1_20260302T090000Z.json.gz"
)
FILE_UNIT = f"{BUCKET}/{FILE_KEY}@v1"
FINGERPRINT = "ab" * 16


@cache
def provider_key() -> rsa.RSAPrivateKey:
    """The provider's signing key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def provider_der() -> bytes:
    """Its public half, as the provider publishes it."""
    return provider_key().public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def listed_keys() -> bytes:
    """What `aws cloudtrail list-public-keys` prints."""
    key = {"Value": b64encode(provider_der()).decode(), "Fingerprint": FINGERPRINT}
    return json.dumps({"PublicKeyList": [key]}).encode()


def digest_of(file: bytes, **changes: Any) -> tuple[bytes, str]:
    """A digest that names an inflated file, and its signature, hex."""
    named = {
        "s3Bucket": BUCKET,
        "s3Object": FILE_KEY,
        "hashValue": sha256(file).hexdigest(),
        "hashAlgorithm": "SHA-256",
    }
    content = json.dumps(
        {
            "awsAccountId": "111122223333",
            "digestStartTime": "2026-03-02T08:00:00Z",
            "digestEndTime": "2026-03-02T09:00:00Z",
            "digestS3Bucket": BUCKET,
            "digestS3Object": DIGEST_KEY,
            "digestPublicKeyFingerprint": FINGERPRINT,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestSignature": None,
            "logFiles": [{**named, "s3Object": "another", "hashValue": "0" * 64}, named],
            **changes,
        }
    ).encode()
    return content, sign_digest(content).hex()


def sign_digest(content: bytes) -> bytes:
    """The provider's signature of a digest."""
    stated = json.loads(content)
    signed = "\n".join(
        (
            stated["digestEndTime"],
            f"{stated['digestS3Bucket']}/{stated['digestS3Object']}",
            sha256(content).hexdigest(),
            stated["previousDigestSignature"] or "null",
        )
    )
    return provider_key().sign(signed.encode(), padding.PKCS1v15(), SHA256())


@cache
def trail_file() -> bytes:
    """An inflated CloudTrail file: records to keep, one of a person, one that is no record."""
    records = [
        record
        for file in generate()[:3]
        for record in json.loads(gzip.decompress(file.body))["Records"]
    ][:5]
    person = {"type": "IdentityCenterUser", "accountId": "111122223333", "userName": "né"}
    records += [records[0] | {"userIdentity": person, "eventID": "a-person"}, 7]
    return json.dumps({"Records": records}, ensure_ascii=False, indent=1).encode()


class Sealed(NamedTuple):
    """A store, its log, and who signed it."""

    store: MemoryStore
    key: note.Key
    signer: LocalSigner

    def search(self, **options: Any) -> search.Search:
        """Look through it."""
        stored = StoredLog(self.store, NAME, (self.key,))
        return search.Search(self.store, stored, **options)


def seal(store: MemoryStore, now: int = NOW) -> Sealed:
    """Seal what is in a store."""
    signer = LocalSigner("log")
    lock_policy = LockPolicy(retention_ms=DAY_MS)
    Sealer(store, [signer], lambda: now, name=NAME, lock_policy=lock_policy).run(everything=True)
    return Sealed(store, note.from_spki(NAME, signer.public_key()), signer)


@cache
def mapper(source: str = "aws_cloudtrail", *, keep: bool = True) -> Mapper:
    """A mapper that keeps everything, or what is evidence alone."""
    scope = Scope.ALL if source != "aws_cloudtrail" else Scope.NHI
    return Mapper(source, scope=scope, keep_out_of_scope_raw=keep)


def deliveries(file: bytes) -> list[Delivery]:
    """A CloudTrail file, the digest that names it, and one that cannot be read."""
    digest, signature = digest_of(file)
    return [
        Delivery(FILE_UNIT, gzip.compress(file, mtime=0), source_metadata={"bucket": BUCKET}),
        Delivery(
            f"{BUCKET}/{DIGEST_KEY}@v1",
            gzip.compress(digest, mtime=0),
            kind=Kind.COMPANION,
            source_metadata={"meta.signature": signature},
        ),
        Delivery(f"{BUCKET}/torn.json.gz@v1!h=2026030208", b"{"),
    ]


@cache
def build(*, keep: bool = True) -> Sealed:
    """Everything of this module, sealed. Not to be altered: see `Sealed.store.copy`."""
    store = MemoryStore(now=lambda: NOW)
    lock_batch(mapper(keep=keep), deliveries(trail_file()), store)
    gcp = Delivery("bucket/file@1!h=2026030208", gcp_files()[0].body)
    lock_batch(mapper("gcp_audit"), [gcp], store)
    return seal(store)


def uids() -> list[str]:
    """Ids of the records that are kept."""
    return [
        str(record["eventID"])
        for record in json.loads(trail_file())["Records"]
        if isinstance(record, dict) and record["eventID"] != "a-person"
    ]


def bundle_of(
    sealed: Sealed, uid: str, *, with_key: bool = True, with_file: bool = True
) -> dict[str, bytes]:
    """The proof of a kept record."""
    looking = sealed.search()
    record = looking.find(uid, search.Where())
    assert record is not None, uid
    keys = {FINGERPRINT: provider_der()} if with_key else {}
    return looking.bundle(record, (sealed.key,), keys, with_file=with_file)


def every_bundle(sealed: Sealed) -> dict[str, dict[str, bytes]]:
    """The proof of every line after the tables, whatever its form."""
    looking = sealed.search()
    looking.find("", search.Where())
    bundles: dict[str, dict[str, bytes]] = {}
    for at, table, lines in looking.read(looking.leaves(search.Where())):
        for number, (unit, own) in enumerate(objects.lines_of(table, lines), start=1):
            for place, line in enumerate(own):
                if b'"k":"out_of_scope_ids"' not in line:
                    record = search.SealedRecord(
                        at=at, table=table, number=number, lines=own, place=place
                    )
                    keys = {FINGERPRINT: provider_der()}
                    name = f"{at.source} {unit.kind} {number} {place}"
                    bundles[name] = looking.bundle(record, (sealed.key,), keys)
    return bundles
