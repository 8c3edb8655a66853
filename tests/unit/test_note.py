"""Signed notes and checkpoints: the published example, round trips, and every malformed note."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, mldsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nhi_evidence.evidence import checkpoint, note
from tests.signing import LocalSigner

# From the package documentation of golang.org/x/mod/sumdb/note.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PUBLISHED = (
    f"{PUBLISHED_TEXT}\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
    "otpRZb6KE6RyyBwJnAM=\n"
).encode()

SIGNER = LocalSigner("note")
KEY = note.from_spki("example.org/log", SIGNER.public_key())
TEXT = "example.org/log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def signed(text: str = TEXT, key: note.Key = KEY) -> bytes:
    return note.write(text, [(key, SIGNER.sign(text.encode()))])


def test_the_published_example() -> None:
    """The note and key of the reference implementation verify; its key prints as published."""
    key = note.parse_key(PUBLISHED_KEY)
    assert (PUBLISHED_TEXT, [key]) == note.read(PUBLISHED, [key])
    assert PUBLISHED_KEY == str(key)


def test_p256() -> None:
    """Type 0x02: the key id is the hash of the SPKI, the signature ECDSA with SHA-256."""
    private = ec.generate_private_key(ec.SECP256R1())
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = note.from_spki("example.org/log", spki)
    assert key == note.parse_key(str(key))
    signed_text = note.write(TEXT, [(key, private.sign(TEXT.encode(), ec.ECDSA(SHA256())))])
    assert (TEXT, [key]) == note.read(signed_text, [key])
    assert spki == note.spki(key)


def test_ed25519_spki() -> None:
    """An Ed25519 key goes to SPKI and back."""
    assert SIGNER.public_key() == note.spki(KEY)


def test_unknown_signatures_are_ignored() -> None:
    """'Verifiers MUST ignore signatures from unknown keys'."""
    extra = signed() + "— example.org/witness AAAAAAAAAAAA\n".encode()
    assert (TEXT, [KEY]) == note.read(extra, [KEY])


def test_a_known_key_must_verify() -> None:
    """'If a signature from a known key fails to verify, clients SHOULD reject the whole note'."""
    other = note.write(TEXT, [(KEY, SIGNER.sign(b"something else"))])
    with pytest.raises(note.NoteError, match="does not verify"):
        note.read(other, [KEY])


def test_another_name_is_another_key() -> None:
    """A signature counts only for the name it was made under."""
    with pytest.raises(note.NoteError, match="no pinned key signed"):
        note.read(signed(), [KEY.named("example.org/other")])


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\nno dash\n",
        "text\n\n— name\n".encode(),
        "text\n\n— name AAAA\n".encode(),
        "text\n\n— name !!!!\n".encode(),
        "te\x01xt\n\n— name AAAAAAAA\n".encode(),
        "text\r\n\n— name AAAAAAAA\n".encode(),
        b"\xff\n\n" + "— name AAAAAAAA\n".encode(),
        b"text\n\n" + "— name AAAAAAAA\n".encode() * 65,
        b"x" * (note.MAX_NOTE_BYTES + 1),
    ],
    ids=range(12),
)
def test_malformed_notes_are_refused(bad: bytes) -> None:
    """Every malformed note is a NoteError, never another exception."""
    with pytest.raises(note.NoteError):
        note.read(bad, [KEY])


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "name",
        "name+id",
        "name+00000000+!!",
        "name+00000000+",
        "name+00000000+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "name+c74f20a3+CRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "na me+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "name+d74c8be8+AQAA",
        "name+6e340b9c+AgA=",
    ],
)
def test_malformed_keys_are_refused(bad: str) -> None:
    """A key that is truncated, of another type or with another id is refused with the reason."""
    with pytest.raises(note.NoteError):
        note.parse_key(bad)


def test_other_algorithms_are_refused() -> None:
    """A log is signed with Ed25519, P-256 or ML-DSA-44, and nothing else."""
    for private in (
        ed448.Ed448PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
        mldsa.MLDSA65PrivateKey.generate(),
    ):
        spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(note.NoteError, match="P-256"):
            note.from_spki("name", spki)
    with pytest.raises(note.NoteError):
        note.from_spki("name", b"junk")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("example.org/log\n1\n", "three lines"),
        ("example.org/log\n01\nAAAA\n", "size"),
        ("example.org/log\n-1\nAAAA\n", "size"),
        ("example.org/log\n1\nAAAA\n", "3 bytes"),
        ("example.org/log\n1\n!!\n", "root"),
        ("\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", "size"),
        (TEXT + "extension\n", "three lines"),
    ],
)
def test_malformed_checkpoints_are_refused(text: str, problem: str) -> None:
    """A signature does not turn another text into a checkpoint."""
    with pytest.raises(note.NoteError, match=problem):
        checkpoint.read(signed(text), [KEY], "example.org/log")


def test_a_checkpoint_round_trip() -> None:
    """Text and value are the same thing; a checkpoint of another origin is not this log's."""
    read_back = checkpoint.read(signed(), [KEY], "example.org/log")
    assert (TEXT, 1) == (read_back.text, read_back.size)
    text = TEXT.replace("example.org/log", "example.org/other")
    with pytest.raises(note.NoteError, match="not of"):
        checkpoint.read(signed(text), [KEY], "example.org/log")
