"""ML-DSA-44 cosignatures: a vector by another implementation, the message, and refusals."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import checkpoint, cosignature, note
from nhi_evidence.evidence.log_signers import LogSigners
from tests.signing import LocalCosigner, LocalSigner

VECTORS = Path(__file__).parents[1] / "vectors"
PUBLISHED_KEY = note.parse_key((VECTORS / "torchwood-ml-dsa.vkey").read_text())
PUBLISHED = (VECTORS / "torchwood-ml-dsa.note").read_bytes()
PUBLISHED_ORIGIN = "example.com/mldsa-log"

LOG = "example.org/log"
ORIGIN = f"{LOG}/2026"
AT = 1_790_000_000_123
HEAD = checkpoint.Checkpoint(ORIGIN, 3, bytes(range(32)))
SIGNERS = LogSigners(LOG, [LocalSigner("cosigned"), LocalCosigner("cosigned")])
PRIMARY, COSIGNING = SIGNERS.keys
SIGNED = SIGNERS.sign(HEAD, AT)


def lines(signed: bytes) -> list[str]:
    """Return the signature lines of a note."""
    return signed.decode().rpartition("\n\n")[2].splitlines(keepends=True)


def with_lines(signed: bytes, *kept: str) -> bytes:
    """Return the note with only these signature lines."""
    return (signed.decode().rpartition("\n\n")[0] + "\n\n" + "".join(kept)).encode()


def test_the_published_example() -> None:
    """Key and cosigned checkpoint by a Go implementation verify; the key prints unchanged."""
    signed = checkpoint.read_signed(PUBLISHED, [PUBLISHED_KEY], PUBLISHED_ORIGIN)
    assert (1, True) == (signed.checkpoint.size, signed.is_cosigned)
    assert (VECTORS / "torchwood-ml-dsa.vkey").read_text().strip() == str(PUBLISHED_KEY)
    assert checkpoint.cosigned(PUBLISHED, PUBLISHED_KEY, PUBLISHED_ORIGIN)


def test_the_message_byte_by_byte() -> None:
    """It is `cosigned_message` as laid out in tlog-cosignature."""
    message = cosignature.subtree_message(
        cosigner="a/b", time=5, origin="c/d/e", end=0x0102, root=b"r" * 32
    )
    assert (
        b"subtree/v1\n\0"
        b"\x03a/b" + bytes(7) + b"\x05"
        b"\x05c/d/e" + bytes(8) + bytes(6) + b"\x01\x02" + b"r" * 32
    ) == message


@pytest.mark.parametrize(
    "wrong",
    [
        {"cosigner": ""},
        {"cosigner": "x" * 256},
        {"origin": ""},
        {"origin": "x" * 256},
        {"root": b"r" * 31},
        {"end": 1 << 64},
        {"time": 1 << 63},
        {"start": 2, "end": 1},
        {"start": 1, "time": 5},
    ],
    ids="-".join,
)
def test_a_message_that_cannot_be_built_is_refused(wrong: dict[str, int]) -> None:
    """By the specification's lengths, bounds and rule on times."""
    right = {"cosigner": "a", "time": 5, "origin": "b", "end": 9, "root": b"r" * 32}
    with pytest.raises(ValueError, match=r"cosign|subtree"):
        cosignature.subtree_message(**{**right, **wrong})  # type: ignore[arg-type]


def test_a_log_signs_and_cosigns() -> None:
    """Both lines have the log's own name; the cosignature states the plan's second."""
    signed = checkpoint.read_signed(SIGNED, SIGNERS.keys, ORIGIN)
    assert (HEAD, True) == (signed.checkpoint, signed.is_cosigned)
    assert [PRIMARY.named(ORIGIN), COSIGNING.named(ORIGIN)] == list(signed.signers)
    _, signatures = note.split(SIGNED)
    (time,) = (
        cosignature.cosigned_at(signature)
        for _, key_id, signature in signatures
        if key_id == COSIGNING.named(ORIGIN).id
    )
    assert AT // 1000 == time
    assert checkpoint.cosigned(SIGNED, COSIGNING, ORIGIN)


def test_pinning_one_key_gives_the_same_checkpoint() -> None:
    """A verifier without the ML-DSA key ignores its line."""
    signed = checkpoint.read_signed(SIGNED, [PRIMARY], ORIGIN)
    assert (HEAD, False) == (signed.checkpoint, signed.is_cosigned)


def test_a_stripped_cosignature_is_noticed() -> None:
    """Without its line the checkpoint is valid, but not cosigned."""
    stripped = with_lines(SIGNED, lines(SIGNED)[0])
    assert not checkpoint.read_signed(stripped, SIGNERS.keys, ORIGIN).is_cosigned
    assert not checkpoint.cosigned(stripped, COSIGNING, ORIGIN)


def test_a_cosignature_alone_is_not_a_signature() -> None:
    """If a signing key is pinned, its line must be present."""
    alone = with_lines(SIGNED, lines(SIGNED)[1])
    with pytest.raises(note.NoteError, match="cosigned but not signed"):
        checkpoint.read_signed(alone, SIGNERS.keys, ORIGIN)
    assert checkpoint.cosigned(alone, COSIGNING, ORIGIN)


@pytest.mark.parametrize("place", [4, 11, 12, 500, 2431])
def test_any_altered_byte_of_a_cosignature_fails(place: int) -> None:
    """In its time or its signature; the whole note is refused."""
    head, _, encoded = lines(SIGNED)[1].rstrip("\n").rpartition(" ")
    data = bytearray(b64decode(encoded))
    data[place] ^= 1
    altered = with_lines(SIGNED, lines(SIGNED)[0], f"{head} {b64encode(data).decode()}\n")
    for keys in (SIGNERS.keys, [COSIGNING]):
        with pytest.raises(note.NoteError, match="does not verify"):
            checkpoint.read_signed(altered, keys, ORIGIN)


def test_a_cosignature_covers_the_checkpoint_and_its_name() -> None:
    """With another size, root, name or form, the cosignature is void."""
    key = COSIGNING.named(ORIGIN)
    _, signatures = note.split(SIGNED)
    signature = signatures[1][2]
    assert key.verify(HEAD.text.encode(), signature)
    for text in (
        checkpoint.Checkpoint(ORIGIN, 4, HEAD.root).text,
        checkpoint.Checkpoint(ORIGIN, 3, bytes(32)).text,
        checkpoint.Checkpoint(f"{ORIGIN}x", 3, HEAD.root).text,
        HEAD.text + "extension\n",
        HEAD.text.replace("Hh8=", "Hh9="),
        "no checkpoint\n",
    ):
        assert not key.verify(text.encode(), signature), text
    assert not COSIGNING.named(f"{ORIGIN}x").verify(HEAD.text.encode(), signature)


def test_a_key_goes_to_spki_and_back() -> None:
    """That is the form KMS and OpenSSL use."""
    der = LocalCosigner("cosigned").public_key()
    assert der == note.spki(note.from_spki(LOG, der))
    assert COSIGNING == note.parse_key(str(COSIGNING))
    with pytest.raises(note.NoteError):
        note.parse_key(str(note.Key(LOG, note.Algorithm.ML_DSA_44, b"short")))


def test_a_log_needs_a_key_that_signs() -> None:
    """ML-DSA-44 alone is not enough for a checkpoint, neither for a sealer nor for a verifier."""
    with pytest.raises(SettingsError, match="only cosigns"):
        LogSigners(LOG, [LocalCosigner("alone")])
    with pytest.raises(note.NoteError, match="not an ML-DSA-44 key"):
        checkpoint.cosigned(SIGNED, PRIMARY, ORIGIN)
