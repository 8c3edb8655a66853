"""What is refused as a signed note or verifier key, each for its own reason, and edge cases."""

from __future__ import annotations

import re
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nhi_evidence.evidence import cosignature, note
from tests.unit.test_note import KEY, PUBLISHED_KEY, SIGNER, TEXT, signed

LINE = "— name AAAAAAAA\n"
"""A signature line: the id of a key, and two bytes."""


def test_algorithms_are_those_of_the_registry() -> None:
    """Signature types are those of C2SP signed-note; a key's type signs the text itself."""
    assert {
        "ED25519": 0x01,
        "ECDSA_P256": 0x02,
        "COSIGNATURE_V1": 0x04,
        "ML_DSA_44": 0x06,
    } == {algorithm.name: algorithm.value for algorithm in note.Algorithm}
    primary = {
        algorithm for algorithm in note.Algorithm if note.Key("n", algorithm, b"").is_primary
    }
    assert {note.Algorithm.ED25519, note.Algorithm.ECDSA_P256} == primary


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"text\n", "an empty line and signature lines"),
        (b"text\n\n", "an empty line and signature lines"),
        (f"text\n\n{LINE[:-1]}".encode(), "an empty line and signature lines"),
        (b"text\n\nname AAAAAAAA\n", "not a signature line: 'name AAAAAAAA'"),
        ("text\n\n— AAAAAAAA\n".encode(), "not a signature line"),
        ("text\n\n—  AAAAAAAA\n".encode(), "not a signature line"),
        ("text\n\n— name\n".encode(), "not a signature line: '— name'"),
        ("text\n\n— name AAAAAA==\n".encode(), "not a signature line"),  # four bytes: the id alone
        ("text\n\n— name AAAA?AAAA\n".encode(), "not a signature line"),
        (f"te\x01xt\n\n{LINE}".encode(), "no other control character"),
        (f"text\n\n{LINE * 65}".encode(), "a note with 65 signatures"),
        (b"x" * ((1 << 20) + 1), "a note of 1048577 bytes"),
        (b"\xff\n\n", "a note is UTF-8"),
    ],
    ids=range(13),
)  # fmt: skip
def test_a_malformed_note_is_refused_for_its_reason(bad: bytes, message: str) -> None:
    """It is refused with or without a key."""
    with pytest.raises(note.NoteError, match=re.escape(message)):
        note.read(bad, [KEY])
    with pytest.raises(note.NoteError, match=re.escape(message)):
        note.split(bad)


def test_a_note_may_be_as_large_as_the_bounds() -> None:
    """A MiB, and 64 signatures."""
    text = "x" * ((1 << 20) - len(f"\n\n{LINE}".encode()))
    assert f"{text}\n" == note.split(f"{text}\n\n{LINE}".encode())[0]
    assert 64 == len(note.split(f"text\n\n{LINE * 64}".encode())[1])


@pytest.mark.parametrize("text", ["", "text", "te\x01xt\n"])
def test_a_text_that_no_note_can_hold_is_not_written(text: str) -> None:
    """A text ends in a newline and has no other control character; a note has a signature."""
    with pytest.raises(note.NoteError, match="ends in a newline"):
        note.write(text, [(KEY, b"signature")])
    with pytest.raises(note.NoteError, match="a note needs a signature"):
        note.write(TEXT, [])


@pytest.mark.parametrize("name", ["", "a+b", "a b", "a\tb", "a\x01b", "a\u2003b"])
def test_a_key_name_is_one_word(name: str) -> None:
    """It has no plus sign, which separates the parts of a key, no blank, no control character."""
    with pytest.raises(note.NoteError, match="not a key name"):
        KEY.named(name)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("name", "<name>+<id>+<key>: 'name'"),
        ("name+id", "<name>+<id>+<key>: 'name+id'"),
        (PUBLISHED_KEY.replace("+c7", "+c8"), "its id is c74f20a3, not c84f20a3"),
        (f"{PUBLISHED_KEY[:-4]}?0TW", "verifier key of 'PeterNeumann': "),
        (f"{PUBLISHED_KEY}?", "verifier key of 'PeterNeumann': "),
        ("name+00000000+", "verifier key of 'name' is empty"),
    ],
)
def test_a_malformed_key_is_refused_for_its_reason(bad: str, message: str) -> None:
    """It has three parts, strict Base64, and the id of its content."""
    with pytest.raises(note.NoteError, match=re.escape(message)):
        note.parse_key(bad)


def test_a_wrong_signature_of_any_algorithm_is_refused() -> None:
    """`verify` returns false, and never raises."""
    p256 = ec.generate_private_key(ec.SECP256R1())
    ed = ed25519.Ed25519PrivateKey.generate()
    ml_dsa = mldsa.MLDSA44PrivateKey.generate()
    text, other = TEXT.encode(), TEXT.replace("\n1\n", "\n2\n").encode()
    spki = p256.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = note.from_spki("name", spki)
    signature = p256.sign(text, ec.ECDSA(SHA256()))
    assert (True, False) == (key.verify(text, signature), key.verify(other, signature))
    time = (1_772_439_330).to_bytes(8, "big")
    cosigning = note.Key("name", note.Algorithm.COSIGNATURE_V1, ed.public_key().public_bytes_raw())
    signature = time + ed.sign(cosignature.text_message(text, 1_772_439_330))
    assert (True, False) == (cosigning.verify(text, signature), cosigning.verify(other, signature))
    spki = ml_dsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = note.from_spki("name", spki)
    assert (note.Algorithm.ML_DSA_44, spki) == (key.algorithm, note.spki(key))
    signature = time + ml_dsa.sign(
        cosignature.checkpoint_message("name", text.decode(), 1_772_439_330)
    )
    assert (True, False) == (key.verify(text, signature), key.verify(other, signature))
    assert False is KEY.verify(text, b"")


def test_every_pinned_key_is_tried() -> None:
    """A key that did not sign does not end the search."""
    stranger = note.parse_key(PUBLISHED_KEY)
    assert (TEXT, [KEY]) == note.read(signed(), [stranger, KEY])
    twice = signed() + signed()[len(TEXT) + 1 :]
    assert (TEXT, [KEY]) == note.read(twice, [KEY])
    assert b64encode(KEY.id + SIGNER.sign(TEXT.encode())) in twice
