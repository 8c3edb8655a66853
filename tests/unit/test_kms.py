"""The KMS signer: Ed25519 against botocore's model of the service, P-256 against an emulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from nhi_evidence.adapters.signing import signers
from nhi_evidence.adapters.signing.kms import KmsSigner
from nhi_evidence.config import naming
from nhi_evidence.errors import SettingsError, StoreUnavailableError
from nhi_evidence.evidence import cosignature, note
from nhi_evidence.stored import Unreadable
from tests.kms_stub import ALIAS, POLICY, KmsStub

TEXT = b"example.org/log/2026\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def client(endpoint_url: str | None = None) -> Any:
    session = boto3.session.Session("none", "none", region_name="us-east-1")
    return session.client("kms", endpoint_url=endpoint_url)


@pytest.fixture
def stub() -> Iterator[KmsStub]:
    with KmsStub() as running:
        yield running


def test_ed25519(stub: KmsStub) -> None:
    """What KMS signs under an alias verifies as a note's signature of type 0x01."""
    signer = KmsSigner(client(stub.endpoint_url), ALIAS)
    key = note.from_spki("example.org/log/2026", signer.public_key())
    assert key.algorithm is note.Algorithm.ED25519
    assert key.verify(TEXT, signer.sign(TEXT))
    signer.sign(TEXT)
    assert ["GetPublicKey", "Sign", "Sign"] == stub.calls, "the key is asked for once"


def test_p256() -> None:
    """Without Ed25519: ECDSA over SHA-256 of the message itself, type 0x02."""
    with mock_aws():
        kms = client()
        created = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        signer = KmsSigner(kms, created["KeyMetadata"]["KeyId"])
        key = note.from_spki("example.org/log/2026", signer.public_key())
        signature = signer.sign(TEXT)
    assert key.algorithm is note.Algorithm.ECDSA_P256
    assert key.verify(TEXT, signature)
    assert not key.verify(TEXT + b"x", signature)


def test_ml_dsa() -> None:
    """A key of spec ML_DSA_44 signs the message itself: its signature verifies as type 0x06."""
    with KmsStub(post_quantum=True) as stub:
        signer = KmsSigner(client(stub.endpoint_url), ALIAS)
        key = note.from_spki("example.org/log/2026", signer.public_key())
        time = (5).to_bytes(8, "big")
        message = cosignature.checkpoint_message(key.name, TEXT.decode(), 5)
        signature = time + signer.sign(message)
    assert key.algorithm is note.Algorithm.ML_DSA_44
    assert key.verify(TEXT, signature)
    assert not key.verify(TEXT.replace(b"2026", b"2027"), signature)


def test_the_policy_of_the_key(stub: KmsStub) -> None:
    """The policy is read if the role may; if not, the reason is recorded."""
    signer = KmsSigner(client(stub.endpoint_url), ALIAS)
    assert {"policy": POLICY} == signer.configuration()
    stub.refused["GetKeyPolicy"] = "AccessDeniedException"
    assert {"policy": Unreadable("AccessDeniedException")} == signer.configuration()


def test_a_message_past_the_limit_is_refused(stub: KmsStub) -> None:
    """KMS signs at most 4,096 bytes; a checkpoint has about 150."""
    with pytest.raises(StoreUnavailableError, match="4096"):
        KmsSigner(client(stub.endpoint_url), ALIAS).sign(b"x" * 4097)


@pytest.mark.parametrize("operation", ["GetPublicKey", "Sign"])
def test_a_key_that_cannot_be_used(stub: KmsStub, operation: str) -> None:
    """A disabled key is reported as unavailable, and nothing is signed."""
    stub.refused[operation] = "DisabledException"
    with pytest.raises(StoreUnavailableError, match=f"{ALIAS}.*DisabledException"):
        KmsSigner(client(stub.endpoint_url), ALIAS).sign(TEXT)


@pytest.mark.parametrize(
    ("spec", "algorithms"),
    [("RSA_2048", ["RSASSA_PSS_SHA_256"]), ("ECC_NIST_P256", [])],
    ids=["rsa", "key-agreement"],
)
def test_a_key_of_another_kind(stub: KmsStub, spec: str, algorithms: list[str]) -> None:
    """A key that cannot sign a log is refused, with the kinds that can."""
    stub.spec, stub.algorithms = spec, algorithms
    with pytest.raises(SettingsError, match="a log's key must be one of ECC_NIST_EDWARDS25519"):
        KmsSigner(client(stub.endpoint_url), ALIAS).public_key()


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_an_arn_says_where_its_key_is(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    """No region has to be set besides it, and another one that is set does not matter."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        kms = boto3.session.Session("none", "none").client("kms", region_name=region)
        created = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        kms.create_alias(AliasName="alias/log", TargetKeyId=created["KeyId"])
        account = created["Arn"].split(":")[4]
        expected = kms.get_public_key(KeyId=created["KeyId"])["PublicKey"]
        for named in (created["Arn"], naming.alias_arn(region, account, "log")):
            assert expected == signers.open_signer(None, named).public_key()
