"""A signing key in AWS KMS: Ed25519, or ECDSA on P-256 where there is none.

https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.errors import SettingsError, StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.literals import SigningAlgorithmSpecType
    from mypy_boto3_kms.type_defs import GetPublicKeyResponseTypeDef

_ALGORITHMS: dict[str, SigningAlgorithmSpecType] = {
    "ECC_NIST_EDWARDS25519": "ED25519_SHA_512",
    "ECC_NIST_P256": "ECDSA_SHA_256",
}
"""Key spec to the algorithm whose signatures a note holds; both sign the message itself."""


class KmsSigner:
    """A `Signer` on one KMS key, for a role that may `kms:Sign` and `kms:GetPublicKey`."""

    def __init__(self, client: KMSClient, key_id: str) -> None:
        """Sign with the key of this id, ARN or alias."""
        self._client = client
        self._key_id = key_id

    def public_key(self) -> bytes:
        """See `Signer.public_key`. Raises `SettingsError` on a key of another kind."""
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

    def _algorithm(self) -> SigningAlgorithmSpecType:
        spec = self._described["KeySpec"]
        algorithm = _ALGORITHMS.get(spec)
        if algorithm is None or self._described["KeyUsage"] != "SIGN_VERIFY":
            known = ", ".join(_ALGORITHMS)
            raise SettingsError(f"KMS key {self._key_id} is {spec}; a log is signed by {known}")
        return algorithm

    @cached_property
    def _described(self) -> GetPublicKeyResponseTypeDef:
        try:
            return self._client.get_public_key(KeyId=self._key_id)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailableError(f"KMS key {self._key_id}: {error}") from error
