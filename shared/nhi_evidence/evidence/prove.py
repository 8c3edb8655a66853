"""Making a proof bundle: one record, with everything needed to check it independently."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

from nhi_evidence.evidence import bundle, log, merkle, note, tiles
from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.proof import (
    ANCHOR,
    HEADER,
    HEADER_PATH,
    LEAF,
    PROOF,
    RAW,
    RECORD,
    RECORD_PATH,
    UNIT,
    UNIT_PATH,
    ProveError,
)
from nhi_evidence.evidence.proof_paths import PROOF_HEADER, LinePath
from nhi_evidence.evidence.stored_log import StoredLog


def record(table: Table, number: int, lines: Sequence[bytes], place: int) -> dict[str, bytes]:
    """Return the files that prove that a record is in its object.

    The record is line `place` of `lines`, the lines of the unit in line `number` of the table.
    Raises `ProveError` for a line without raw text.
    """
    try:
        raw = decode_line(lines[place]).raw
    except (ValueError, RecursionError) as error:
        raise ProveError(f"line {place} of the unit: {error}") from error
    if raw is None:
        raise ProveError(f"line {place} of the unit holds no raw text")
    return {
        RECORD: lines[place],
        RAW: raw,
        RECORD_PATH: _path(lines, place),
        UNIT: table.lines[number],
        UNIT_PATH: _path(table.lines, number),
        HEADER: table.lines[0],
        HEADER_PATH: _path(table.lines, 0),
    }


def _path(lines: Sequence[bytes], index: int) -> bytes:
    subtree = merkle.of_leaves([merkle.leaf_hash(line) for line in lines])
    path = merkle.inclusion_path(index, len(lines), subtree)
    return LinePath(index, len(lines), tuple(path)).write()


def entry(stored: StoredLog, shard: str, epoch: int, index: int) -> dict[str, bytes]:
    """Return the files that prove that leaf `index` is in the log under an epoch's checkpoint.

    Raises `ProveError` when the epoch is not signed or has no such leaf.
    """
    head = stored.checkpoint(shard, epoch)
    signed = stored.get(log.checkpoint_key(shard, epoch))
    if head is None or signed is None:
        raise ProveError(f"epoch {epoch} of shard {shard} is not signed yet")
    if index >= head.size:
        raise ProveError(f"leaf {index} is not in the tree of epoch {epoch}")

    def read(path: str) -> bytes:
        return stored.tile(shard, path)

    width = min(tiles.WIDTH, head.size - index // tiles.WIDTH * tiles.WIDTH)
    try:
        bundle = tiles.unbundle(read(tiles.path(tiles.ENTRIES, index // tiles.WIDTH, width)))
        path = merkle.inclusion_path(index, head.size, tiles.subtree_of(head.size, read))
    except (KeyError, ValueError) as error:
        raise ProveError(f"tiles of {head.origin}: {error}") from error
    hashes = (b64encode(sibling).decode() for sibling in path)
    proof = "\n".join((PROOF_HEADER, f"index {index}", *hashes, "", ""))
    return {LEAF: bundle[index % tiles.WIDTH], PROOF: proof.encode() + signed}


def anchors(stored: StoredLog, shard: str, epoch: int) -> dict[str, bytes]:
    """Return the anchors of an epoch's checkpoint, whoever made them.

    A key that does not have the form of an anchor's is skipped, as it cannot be a file name.
    """
    prefix = log.anchor_key(shard, epoch, "")
    named = {ANCHOR + key.removeprefix(prefix): key for key in stored.keys(prefix)}
    return {
        name: stored.get(key) or b""
        for name, key in named.items()
        if bundle.PLAIN_NAME.fullmatch(name)
    }


def anchored_epoch(stored: StoredLog, shard: str, first: int, newest: int) -> int:
    """Return the newest anchored, signed epoch from `first` on.

    If none is anchored, return the newest signed one.
    """
    prefix = f"{log.PREFIX}{shard}/anchor/"
    anchored = {key.removeprefix(prefix).partition("/")[0] for key in stored.keys(prefix)}
    numbers = sorted(int(number) for number in anchored if number.isascii() and number.isdigit())
    for number in reversed(numbers):
        if first <= number <= newest and stored.checkpoint(shard, number) is not None:
            return number
    return newest


def keys_file(keys: Iterable[note.Key]) -> bytes:
    """Return verifier keys, one per line. Whoever checks a bundle pins keys from elsewhere."""
    return "".join(f"{key}\n" for key in keys).encode()
