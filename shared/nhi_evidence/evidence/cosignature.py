"""What a cosignature signs (https://c2sp.org/tlog-cosignature): a time, and a checkpoint.

Type 0x04 (Ed25519) signs the time followed by the text of the note. Type 0x06 (ML-DSA-44) signs a
structure of its own, `cosigned_message`, which commits to the cosigner's name and, of the text,
only to origin, size and root.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from struct import pack

TIME_BYTES = 8
"""A cosignature opens with its time, seconds since the epoch, big-endian."""

MAX_TIME = (1 << 63) - 1

_LABEL = b"subtree/v1\n\0"
_LINES = 3
_HASH_BYTES = 32
_MAX_NAME_BYTES = 255
_MAX_SIZE = (1 << 64) - 1


def cosigned_at(signature: bytes) -> int:
    """Return the time a cosignature opens with, in seconds since the epoch."""
    return int.from_bytes(signature[:TIME_BYTES], "big")


def text_message(text: bytes, time: int) -> bytes:
    """Return what type 0x04 signs: its time, and the text of the note."""
    return b"cosignature/v1\ntime %d\n" % time + text


def subtree_message(
    *, cosigner: str, time: int, origin: str, end: int, root: bytes, start: int = 0
) -> bytes:
    """Return what type 0x06 signs: `cosigned_message` of tlog-cosignature.

    For a checkpoint `start` is 0 and `end` its size; `time` is seconds since the epoch, 0 where
    no time is stated. Raises `ValueError` on what the structure cannot hold.
    """
    names = [cosigner.encode(), origin.encode()]
    if not all(1 <= len(name) <= _MAX_NAME_BYTES for name in names):
        raise ValueError(f"a cosigner and an origin have 1 to {_MAX_NAME_BYTES} bytes")
    if len(root) != _HASH_BYTES or not 0 <= start <= end <= _MAX_SIZE:
        raise ValueError(f"no subtree: {start} to {end} with a hash of {len(root)} bytes")
    if not 0 <= time <= MAX_TIME or (start and time):
        raise ValueError(f"no time of a cosignature: {time}")
    named, logged = (bytes([len(name)]) + name for name in names)
    return _LABEL + named + pack(">Q", time) + logged + pack(">QQ", start, end) + root


def checkpoint_message(cosigner: str, text: str, time: int) -> bytes:
    """Return what type 0x06 signs of a checkpoint.

    The text must be exactly the one that origin, size and root give, since only they are signed.
    Raises `ValueError` where it is not.
    """
    origin, size, root = read_lines(text)
    if write_lines(origin, size, root) != text:
        raise ValueError("a checkpoint that is not in canonical form")
    return subtree_message(cosigner=cosigner, time=time, origin=origin, end=size, root=root)


def write_lines(origin: str, size: int, root: bytes) -> str:
    """Return the text of a checkpoint (https://c2sp.org/tlog-checkpoint), no extension lines."""
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n"


def read_lines(text: str) -> tuple[str, int, bytes]:
    """Return origin, size and root of a checkpoint. Raises `ValueError` when it is not one.

    Extension lines are refused: nothing here writes any.
    """
    lines = text.split("\n")
    if len(lines) != _LINES + 1 or lines[_LINES]:
        raise ValueError("a checkpoint has three lines")
    origin, size, encoded = lines[:_LINES]
    try:
        root = b64decode(encoded, validate=True)
    except ValueError as error:
        raise ValueError(f"root of a checkpoint: {error}") from error
    digits = size.isascii() and size.isdigit() and len(size) <= len(str(_MAX_SIZE))
    if not origin or not digits or size != str(int(size)):
        raise ValueError(f"size of a checkpoint: {size[:40]!r}")
    if len(root) != _HASH_BYTES:
        raise ValueError(f"root of a checkpoint has {len(root)} bytes")
    return origin, int(size), root
