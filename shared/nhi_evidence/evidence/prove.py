"""Making a proof bundle: one record, and everything needed to check it without us."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

import msgspec

from nhi_evidence.evidence import frame, log, merkle, note, tiles
from nhi_evidence.evidence.proof import (
    ANCHOR,
    HEADER,
    HEADER_PATH,
    LEAF,
    PROOF,
    PROOF_HEADER,
    RAW,
    RECORD,
    RECORD_PATH,
    ProveError,
    RecordPath,
    raw_text,
    uid_of,
)
from nhi_evidence.evidence.stored_log import StoredLog

MAX_LINES_BYTES = 1 << 30


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
    proof = [PROOF_HEADER, f"index {index}", *(b64encode(one).decode() for one in path), ""]
    return {
        LEAF: bundle[index % tiles.WIDTH],
        PROOF: ("\n".join(proof) + "\n").encode() + signed,
    }


def anchors(stored: StoredLog, shard: str, epoch: int) -> dict[str, bytes]:
    """Return what somebody outside said of the checkpoint of an epoch, whoever it was."""
    prefix = log.anchor_key(shard, epoch, "")
    return {
        ANCHOR + key.removeprefix(prefix): stored.get(key) or b"" for key in stored.keys(prefix)
    }


def anchored_epoch(stored: StoredLog, shard: str, first: int, newest: int) -> int:
    """Return the newest signed epoch from `first` on that somebody outside spoke of.

    Without any, the newest signed one.
    """
    prefix = f"{log.PREFIX}{shard}/anchor/"
    spoken = {key.removeprefix(prefix).partition("/")[0] for key in stored.keys(prefix)}
    numbers = sorted(int(one) for one in spoken if one.isascii() and one.isdigit())
    for number in reversed(numbers):
        if first <= number <= newest and stored.checkpoint(shard, number) is not None:
            return number
    return newest


def find(body: bytes, uid: str) -> tuple[list[bytes], int] | None:
    """Return the lines of an evidence object and the place of the record with a native id.

    Raises `ValueError` when the object cannot be read.
    """
    lines = frame.unpack(body, limit=MAX_LINES_BYTES)
    wanted = msgspec.json.encode(uid)
    for number, line in enumerate(lines[1:], start=1):
        if wanted in line and uid_of(line) == uid:
            return lines, number
    return None


def keys_file(keys: Iterable[note.Key]) -> bytes:
    """Verifier keys, one a line. Whoever checks a bundle pins keys from elsewhere."""
    return "".join(f"{key}\n" for key in keys).encode()
