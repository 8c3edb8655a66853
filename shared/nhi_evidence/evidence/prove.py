"""Proof bundles: one record, and everything needed to check it without us (docs/verification.md).

A bundle is a folder of small files; `check` needs nothing but them and a pinned key.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.errors import EvidenceError
from nhi_evidence.evidence import checkpoint, frame, leaf, log, merkle, note, tiles
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.stored_log import StoredLog

MAX_LINES_BYTES = 1 << 30

_PROOF_HEADER = "c2sp.org/tlog-proof@v1"

RECORD = "record.json"
RAW = "raw.txt"
HEADER = "header.json"
RECORD_PATH = "record-path.txt"
HEADER_PATH = "header-path.txt"
LEAF = "leaf.json"
PROOF = "leaf.tlog-proof"
KEYS = "keys.txt"


class ProveError(EvidenceError):
    """No proof can be made, or one does not hold: says what is wrong and in which file."""


class RecordPath(msgspec.Struct, frozen=True):
    """Where a line stands in the record tree of its object."""

    index: int
    size: int
    path: tuple[bytes, ...]

    def write(self) -> bytes:
        """One value a line: index, size, then the hashes from the leaf up, in base64."""
        lines = [str(self.index), str(self.size), *(b64encode(one).decode() for one in self.path)]
        return ("\n".join(lines) + "\n").encode()


def read_path(data: bytes, name: str) -> RecordPath:
    """Read a record path. Raises `ProveError` naming the file."""
    try:
        index, size, *hashes = data.decode("ascii").splitlines()
        path = tuple(b64decode(one, validate=True) for one in hashes)
        return RecordPath(int(index), int(size), path)
    except ValueError as error:
        raise ProveError(f"{name}: {error}") from error


def record(lines: Sequence[bytes], index: int) -> dict[str, bytes]:
    """Return the files that show line `index` of an object, and its header, to be the object's."""
    hashes = [merkle.leaf_hash(line) for line in lines]
    subtree = merkle.of_leaves(hashes)
    size = len(lines)
    files = {
        HEADER: lines[0],
        HEADER_PATH: RecordPath(0, size, tuple(merkle.inclusion_path(0, size, subtree))).write(),
        RECORD: lines[index],
        RECORD_PATH: RecordPath(
            index, size, tuple(merkle.inclusion_path(index, size, subtree))
        ).write(),
    }
    raw = raw_text(lines[index])
    return files | {RAW: raw}


def raw_text(line: bytes) -> bytes:
    """Return the exact raw bytes a record line holds. Raises `ProveError` without any."""
    try:
        held = msgspec.json.decode(line)
        raw = held["r"].encode() if "r" in held else b64decode(held["r64"], validate=True)
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProveError(f"{RECORD}: holds no raw text: {error}") from error
    return bytes(raw)


def entry(stored: StoredLog, shard: str, epoch: int, index: int) -> dict[str, bytes]:
    """Return the files that show leaf `index` to be in the log under the checkpoint of an epoch.

    Raises `ProveError` when the epoch is not signed or has no such leaf.
    """
    stated = stored.checkpoint(shard, epoch)
    signed = stored.get(log.checkpoint_key(shard, epoch))
    if stated is None or signed is None:
        raise ProveError(f"epoch {epoch} of shard {shard} is not signed yet")
    if index >= stated.size:
        raise ProveError(f"leaf {index} is not in the tree of epoch {epoch}")

    def read(path: str) -> bytes:
        return stored.tile(shard, path)

    width = min(tiles.WIDTH, stated.size - index // tiles.WIDTH * tiles.WIDTH)
    try:
        bundle = tiles.unbundle(read(tiles.path(tiles.ENTRIES, index // tiles.WIDTH, width)))
        path = merkle.inclusion_path(index, stated.size, tiles.subtree_of(stated.size, read))
    except (KeyError, ValueError) as error:
        raise ProveError(f"tiles of {stated.origin}: {error}") from error
    proof = [_PROOF_HEADER, f"index {index}", *(b64encode(one).decode() for one in path), ""]
    return {
        LEAF: bundle[index % tiles.WIDTH],
        PROOF: ("\n".join(proof) + "\n").encode() + signed,
    }


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle shows."""

    uid: str | None
    """The provider's id of the record."""
    raw_sha256: str
    key: str
    """The evidence object the record is in."""
    origin: str
    index: int
    """Place of the object's leaf in the log."""
    size: int
    """Size of the log the checkpoint signs."""
    signed_by: tuple[str, ...]
    record: int
    """Place of the record in its object; the header is 0."""


def check(files: Mapping[str, bytes], pinned: Sequence[note.Key], name: str) -> Checked:
    """Check a bundle against pinned keys and the log's name. Raises `ProveError`.

    Every file that carries proof is checked; what is not part of the chain is not believed.
    """
    need = (RECORD, RAW, HEADER, RECORD_PATH, HEADER_PATH, LEAF, PROOF)
    missing = [one for one in need if one not in files]
    if missing:
        raise ProveError(f"the bundle lacks {', '.join(missing)}")
    if raw_text(files[RECORD]) != files[RAW]:
        raise ProveError(f"{RAW}: not the raw text in {RECORD}")
    sealed = _leaf(files[LEAF])
    root = sealed.md.get("record-root", "")
    for line, path_file in ((RECORD, RECORD_PATH), (HEADER, HEADER_PATH)):
        _included(files[line], read_path(files[path_file], path_file), root, line)
    if read_path(files[HEADER_PATH], HEADER_PATH).index != 0:
        raise ProveError(f"{HEADER_PATH}: the header is line 0")
    index, path, signed = _parse_proof(files[PROOF])
    stated, signers = _signed(signed, pinned, name)
    _included(files[LEAF], RecordPath(index, stated.size, tuple(path)), stated.root.hex(), LEAF)
    held = msgspec.json.decode(files[RECORD])
    normalised = held.get("n") or {}
    return Checked(
        uid=normalised.get("metadata", {}).get("uid"),
        raw_sha256=sha256(files[RAW]).hexdigest(),
        key=sealed.key,
        origin=stated.origin,
        index=index,
        size=stated.size,
        signed_by=signers,
        record=read_path(files[RECORD_PATH], RECORD_PATH).index,
    )


def find(body: bytes, uid: str) -> tuple[list[bytes], int] | None:
    """Return the lines of an evidence object and the place of the record with a native id.

    Raises `ProveError` when the object cannot be read.
    """
    try:
        lines = frame.unpack(body, limit=MAX_LINES_BYTES)
    except ValueError as error:
        raise ProveError(str(error)) from error
    wanted = msgspec.json.encode(uid)
    for number, line in enumerate(lines[1:], start=1):
        if wanted in line and _uid(line) == uid:
            return lines, number
    return None


def keys_file(keys: Iterable[note.Key]) -> bytes:
    """Verifier keys, one a line. Whoever checks a bundle pins keys from elsewhere."""
    return "".join(f"{key}\n" for key in keys).encode()


def _uid(line: bytes) -> str | None:
    held = msgspec.json.decode(line)
    uid = (held.get("n") or {}).get("metadata", {}).get("uid")
    return uid if isinstance(uid, str) else None


def _leaf(data: bytes) -> ObjectLeaf:
    try:
        sealed = leaf.decode(data)
    except ValueError as error:
        raise ProveError(f"{LEAF}: {error}") from error
    if not isinstance(sealed, ObjectLeaf):
        raise ProveError(f"{LEAF}: not the leaf of an object")
    return sealed


def _included(line: bytes, place: RecordPath, root: str, name: str) -> None:
    try:
        expected = bytes.fromhex(root)
        merkle.check_inclusion(
            merkle.leaf_hash(line), place.index, place.size, place.path, expected
        )
    except ValueError as error:
        raise ProveError(f"{name}: {error}") from error


def _parse_proof(data: bytes) -> tuple[int, list[bytes], bytes]:
    head, gap, signed = data.partition(b"\n\n")
    try:
        first, number, *hashes = head.decode().split("\n")
        index = number.removeprefix("index ")
        if first != _PROOF_HEADER or not gap or number == index or index != str(int(index)):
            raise ValueError("not a tlog-proof")
        return int(index), [b64decode(one, validate=True) for one in hashes], signed
    except ValueError as error:
        raise ProveError(f"{PROOF}: {error}") from error


def _signed(
    signed: bytes, pinned: Sequence[note.Key], name: str
) -> tuple[checkpoint.Checkpoint, tuple[str, ...]]:
    """Check the checkpoint of a proof: by a pinned key, of a shard of the named log."""
    try:
        text, _ = note.split(signed)
        origin = checkpoint.parse(text).origin
        if origin.rpartition("/")[0] != name:
            raise ProveError(f"{PROOF}: of the log {origin!r}, not of {name!r}")
        stated = checkpoint.read(signed, pinned, origin)
        _, by = note.read(signed, [key.named(origin) for key in pinned])
    except note.NoteError as error:
        raise ProveError(f"{PROOF}: {error}") from error
    return stated, tuple(f"{key.name}+{key.id.hex()}" for key in by)
