"""Checkpoints (https://c2sp.org/tlog-checkpoint): origin, size and root of a log, signed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

import msgspec

from nhi_evidence.evidence import merkle, note

_LINES = 3


class Checkpoint(msgspec.Struct, frozen=True):
    """What a log says of itself at one size."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The signed text: three lines, no extension lines."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def parse(text: str) -> Checkpoint:
    """Read the text of a checkpoint. Raises `note.NoteError` when it is not one.

    Extension lines are refused: this log writes none.
    """
    lines = text.split("\n")
    if len(lines) != _LINES + 1 or lines[_LINES]:
        raise note.NoteError("a checkpoint has three lines")
    origin, size, encoded = lines[:_LINES]
    try:
        root = b64decode(encoded, validate=True)
    except ValueError as error:
        raise note.NoteError(f"root of a checkpoint: {error}") from error
    if not origin or not (size.isascii() and size.isdigit()) or size != str(int(size)):
        raise note.NoteError(f"size of a checkpoint: {size[:40]!r}")
    if len(root) != merkle.HASH_BYTES:
        raise note.NoteError(f"root of a checkpoint has {len(root)} bytes")
    return Checkpoint(origin, int(size), root)


def read(signed: bytes, keys: Sequence[note.Key], origin: str) -> Checkpoint:
    """Return the checkpoint of a log's note, signed by a pinned key under the log's own name.

    Raises `note.NoteError` when it is malformed, of another origin, or not signed so.
    """
    text, _ = note.read(signed, [key.named(origin) for key in keys])
    checkpoint = parse(text)
    if checkpoint.origin != origin:
        raise note.NoteError(f"a checkpoint of {checkpoint.origin!r}, not of {origin!r}")
    return checkpoint
