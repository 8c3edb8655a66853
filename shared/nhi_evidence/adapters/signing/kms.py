"""A signing key in AWS KMS: Ed25519, ECDSA on P-256 where Ed25519 is unavailable, or ML-DSA-44.

https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.errors import SettingsError, StoreUnavailableError
from nhi_evidence.stored import Unreadable

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.literals import SigningAlgorithmSpecType
    from mypy_boto3_kms.type_defs import GetPublicKeyResponseTypeDef

_ALGORITHMS: dict[SigningAlgorithmSpecType, str] = {
    "ED25519_SHA_512": "ECC_NIST_EDWARDS25519",
    "ECDSA_SHA_256": "ECC_NIST_P256",
    "ML_DSA_SHAKE_256": "ML_DSA_44",
}
"""Algorithms whose signatures a note can hold, with their key specs; all sign the message itself.

Keys of other specs also offer the last two (secp256k1, ML-DSA-65 and 87); their public keys are
refused where the log's keys are read. KMS signs pure ML-DSA with an empty context.
"""


class KmsSigner:
    """A `Signer` on one KMS key, for a role that may `kms:Sign` and `kms:GetPublicKey`."""

    def __init__(self, client: KMSClient, key_id: str) -> None:
        """Sign with the key of this id, ARN or alias."""
        self._client = client
        self._key_id = key_id

    def public_key(self) -> bytes:
        """See `Signer.public_key`. Raises `SettingsError` on a key of another kind."""
        self._algorithm()
        return self._described["PublicKey"]

    def sign(self, text: bytes) -> bytes:
        """See `Signer.sign`."""
        algorithm = self._algorithm()
        try:
            answer = self._client.sign(
                KeyId=self._key_id, Message=text, MessageType="RAW", SigningAlgorithm=algorithm
            )
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailableError(f"KMS key {self._key_id}: {error}") from error
        return answer["Signature"]

    def configuration(self) -> Mapping[str, str | Unreadable]:
        """See `Signer.configuration`: the key's policy, for a role that may `kms:GetKeyPolicy`."""
        try:
            # GetKeyPolicy takes only the key's own id, not an alias.
            answer = self._client.get_key_policy(KeyId=self._described["KeyId"])
        except ClientError as error:
            return {"policy": Unreadable(error.response.get("Error", {}).get("Code", "unknown"))}
        except BotoCoreError as error:
            raise StoreUnavailableError(f"KMS key {self._key_id}: {error}") from error
        return {"policy": answer["Policy"]}

    def _algorithm(self) -> SigningAlgorithmSpecType:
        offered = self._described.get("SigningAlgorithms", [])
        for algorithm in _ALGORITHMS:
            if algorithm in offered:
                return algorithm
        known = ", ".join(_ALGORITHMS.values())
        raise SettingsError(
            f"KMS key {self._key_id} signs with {', '.join(offered) or 'nothing'}; "
            f"a log's key must be one of {known}"
        )

    @cached_property
    def _described(self) -> GetPublicKeyResponseTypeDef:
        try:
            return self._client.get_public_key(KeyId=self._key_id)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailableError(f"KMS key {self._key_id}: {error}") from error
