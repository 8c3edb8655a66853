"""Checkpoints (https://c2sp.org/tlog-checkpoint): origin, size and root of a log, signed.

A log signs with one key or more of type 0x01 or 0x02, and may add a cosignature of type 0x06
under its own name (https://c2sp.org/tlog-cosignature), which outlives today's curves.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nhi_evidence.evidence import cosignature, note


class Checkpoint(msgspec.Struct, frozen=True):
    """What a log states about itself at one size."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The signed text: three lines, no extension lines."""
        return cosignature.write_lines(self.origin, self.size, self.root)


class Signed(msgspec.Struct, frozen=True):
    """A checkpoint, and the pinned keys whose signatures under it verified."""

    checkpoint: Checkpoint
    signers: tuple[note.Key, ...]
    """Under the origin's name, as in the signature lines."""

    @property
    def is_cosigned(self) -> bool:
        """Whether one of the signatures is of type 0x06, ML-DSA-44."""
        return any(key.algorithm is note.Algorithm.ML_DSA_44 for key in self.signers)


def parse(text: str) -> Checkpoint:
    """Read the text of a checkpoint. Raises `note.NoteError` when it is not one.

    Extension lines are refused: this log writes none.
    """
    try:
        return Checkpoint(*cosignature.read_lines(text))
    except ValueError as error:
        raise note.NoteError(str(error)) from error


def read_signed(signed: bytes, keys: Sequence[note.Key], origin: str) -> Signed:
    """Return the checkpoint of a log's note and which pinned keys signed it.

    Every signature that names a pinned key must verify. If a key of type 0x01 or 0x02 is pinned,
    one of them must have signed: a cosignature adds to such a signature, and cannot replace it.
    Raises `note.NoteError` when the note is malformed, of another origin, or lacks a signature.
    """
    text, signers = note.read(signed, [key.named(origin) for key in keys])
    checkpoint = parse(text)
    if checkpoint.origin != origin:
        raise note.NoteError(f"a checkpoint of {checkpoint.origin!r}, not of {origin!r}")
    if any(key.is_primary for key in keys) and not any(key.is_primary for key in signers):
        raise note.NoteError(f"a checkpoint of {origin!r} that is cosigned but not signed")
    return Signed(checkpoint, tuple(signers))


def read(signed: bytes, keys: Sequence[note.Key], origin: str) -> Checkpoint:
    """Return the checkpoint of a log's note, signed by a pinned key under the log's own name.

    Raises `note.NoteError` as `read_signed` does.
    """
    return read_signed(signed, keys, origin).checkpoint


def cosigned(signed: bytes, key: note.Key, origin: str) -> bool:
    """Whether a log's note carries a valid cosignature by this ML-DSA-44 key under the log's name.

    False where it carries none; raises `note.NoteError` where it carries one that does not verify,
    or is not a checkpoint.
    """
    if key.algorithm is not note.Algorithm.ML_DSA_44:
        raise note.NoteError(f"the key of {key.name} is not an ML-DSA-44 key (type 0x06)")
    named = key.named(origin)
    _, signatures = note.split(signed)
    if not any((name, key_id) == (origin, named.id) for name, key_id, _ in signatures):
        return False
    return read_signed(signed, [key], origin).is_cosigned
