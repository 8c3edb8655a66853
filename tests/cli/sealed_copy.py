"""A sealed directory with a CloudTrail file, the digest that names it, and the keys around both."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.demo.story import generate
from nhi_evidence.event import Delivery, Kind
from nhi_evidence.evidence import keys
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock
from nhi_evidence.pipeline.scope import Scope

NAME = "example.org/evidence"
BUCKET = "example-trail"
FOLDER = "AWSLogs/111122223333"
KEY = f"{FOLDER}/CloudTrail/us-east-1/2026/03/02/111122223333_CloudTrail_us-east-1_a.json.gz"
DIGEST_KEY = (
    f"{FOLDER}/CloudTrail-Digest/us-east-1/2026/03/02/111122223333_CloudTrail-Digest_a.json.gz"
)


class Provider(NamedTuple):
    """The provider's signing key, as it publishes it."""

    private: rsa.RSAPrivateKey
    fingerprint: str

    def listed(self) -> bytes:
        """What `aws cloudtrail list-public-keys` prints."""
        der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
        one = {
            "Value": b64encode(der).decode(),
            "ValidityStartTime": "2026-03-01T00:00:00+00:00",
            "ValidityEndTime": "2026-04-01T00:00:00+00:00",
            "Fingerprint": self.fingerprint,
        }
        return json.dumps({"PublicKeyList": [one]}).encode()

    def digest(self, file: bytes) -> tuple[bytes, str]:
        """A digest file that names `file`, and its signature."""
        content = json.dumps(
            {
                "awsAccountId": "111122223333",
                "digestStartTime": "2026-03-02T08:00:00Z",
                "digestEndTime": "2026-03-02T09:00:00Z",
                "digestS3Bucket": BUCKET,
                "digestS3Object": DIGEST_KEY,
                "digestPublicKeyFingerprint": self.fingerprint,
                "digestSignatureAlgorithm": "SHA256withRSA",
                "previousDigestSignature": None,
                "logFiles": [
                    {
                        "s3Bucket": BUCKET,
                        "s3Object": KEY,
                        "hashValue": sha256(gzip.decompress(file)).hexdigest(),
                        "hashAlgorithm": "SHA-256",
                    }
                ],
            }
        ).encode()
        signed = f"2026-03-02T09:00:00Z\n{BUCKET}/{DIGEST_KEY}\n{sha256(content).hexdigest()}\nnull"
        signature = self.private.sign(signed.encode(), padding.PKCS1v15(), SHA256())
        return gzip.compress(content, mtime=0), signature.hex()


def provider() -> Provider:
    """A provider with a new key."""
    return Provider(rsa.generate_private_key(public_exponent=65537, key_size=2048), "ab" * 16)


def write(folder: Path, by: Provider | None = None) -> str:
    """Lock a file, of `by` the digest that names it, in a directory; return a record's id."""
    folder.mkdir()
    store, mapper = DirectoryStore(folder), Mapper("aws_cloudtrail", scope=Scope.ALL)
    records = [
        one for file in generate()[:3] for one in json.loads(gzip.decompress(file.body))["Records"]
    ]
    body = gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)
    hour = keys.hour_of(clock.now())
    lock(mapper, Delivery(f"{BUCKET}/{KEY}@v1", body, hour=hour), store)
    if by is not None:
        digest, signature = by.digest(body)
        said = {"bucket": BUCKET, "key": DIGEST_KEY, "meta.signature": signature}
        unit = f"{BUCKET}/{DIGEST_KEY}@v1"
        delivery = Delivery(unit, digest, kind=Kind.COMPANION, hour=hour, provenance=said)
        lock(mapper, delivery, store)
    return str(records[1]["eventID"])
