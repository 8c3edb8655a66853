"""The text files of a proof: the position of a line in its tree, and of a leaf in the log.

Both are read strictly: one value per line, numbers and base64 in canonical form.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

import msgspec

from nhi_evidence.evidence.proof_lines import INTEGER

PROOF_HEADER = "c2sp.org/tlog-proof@v1"

_HASH = rb"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
"""32 bytes in canonical base64."""
_GROUP, _TAIL = rb"[A-Za-z0-9+/]{4}", rb"[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]="
_SIGNATURE = rb"(?:(?:%b){2,}(?:[A-Za-z0-9+/][AQgw]==|%b)?|%b%b)" % (_GROUP, _TAIL, _GROUP, _TAIL)
"""A key id and at least one byte, in canonical base64."""
_NAME = rb"[!-*,-~]+"
_PATH = re.compile(rb"(%b)\n(%b)\n((?:%b\n){0,64})" % (INTEGER, INTEGER, _HASH))
_PROOF = re.compile(
    rb"c2sp\.org/tlog-proof@v1\nindex (%b)\n((?:%b\n){0,64})\n"
    rb"((%b)/[0-9]{4}\n(%b)\n%b\n\n(?:\xe2\x80\x94 %b %b\n){1,64})"
    % (INTEGER, _HASH, _NAME, INTEGER, _HASH, _NAME, _SIGNATURE)
)


class LinePath(msgspec.Struct, frozen=True):
    """The position of a line in a tree of lines: of its unit, or of its object's table."""

    index: int
    size: int
    path: tuple[bytes, ...]

    def write(self) -> bytes:
        """One value per line: index, size, then the hashes from the leaf up, in base64."""
        hashes = (b64encode(sibling).decode() for sibling in self.path)
        return ("\n".join((str(self.index), str(self.size), *hashes)) + "\n").encode()


class LogProof(msgspec.Struct, frozen=True):
    """The position of a leaf in the log, and the note that signs the log (c2sp.org/tlog-proof)."""

    name: str
    """Name of the log: the checkpoint's origin without its shard."""
    index: int
    path: tuple[bytes, ...]
    signed: bytes
    """The checkpoint with its signature lines, not verified."""


def read_path(data: bytes) -> LinePath:
    """Read a path file. Raises `ValueError`."""
    match = _PATH.fullmatch(data)
    if match is None:
        raise ValueError("not an index, a size and hashes, one per line")
    return LinePath(int(match[1]), int(match[2]), _hashes(match[3]))


def read_log_proof(data: bytes) -> LogProof:
    """Read the proof of a leaf. Raises `ValueError`."""
    match = _PROOF.fullmatch(data)
    if match is None:
        raise ValueError(f"not a {PROOF_HEADER} with a checkpoint")
    return LogProof(match[4].decode(), int(match[1]), _hashes(match[2]), match[3])


def _hashes(lines: bytes) -> tuple[bytes, ...]:
    return tuple(b64decode(line) for line in lines.splitlines())
