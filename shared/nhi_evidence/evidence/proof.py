"""What a proof bundle shows, checked against pinned keys (docs/verification.md, "Proof").

A bundle is a folder of small files; `check` needs nothing but them and a pinned key.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.errors import EvidenceError
from nhi_evidence.evidence import anchor, checkpoint, leaf, merkle, note, provider
from nhi_evidence.evidence.batch import Header
from nhi_evidence.evidence.leaf import ObjectLeaf

PROOF_HEADER = "c2sp.org/tlog-proof@v1"

RECORD = "record.json"
RAW = "raw.txt"
HEADER = "header.json"
RECORD_PATH = "record-path.txt"
HEADER_PATH = "header-path.txt"
LEAF = "leaf.json"
PROOF = "leaf.tlog-proof"
KEYS = "keys.txt"
ANCHOR = "anchor-"
"""Opens the name of what somebody outside said of the checkpoint."""


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


def raw_text(line: bytes) -> bytes:
    """Return the exact raw bytes a record line holds. Raises `ProveError` without any."""
    try:
        held = msgspec.json.decode(line)
        raw = held["r"].encode() if "r" in held else b64decode(held["r64"], validate=True)
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProveError(f"{RECORD}: holds no raw text: {error}") from error
    return bytes(raw)


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
    anchored: dict[str, int] = {}
    """Who of those trusted saw the checkpoint, and when (milliseconds since the epoch)."""
    provider_signature: provider.ProviderSignature | None = None
    """What the provider signed of the file the record came in, where that was kept."""


def check(
    files: Mapping[str, bytes],
    pinned: Sequence[note.Key],
    name: str,
    trusts: Sequence[anchor.Trust] = (),
    provider_keys: Mapping[str, bytes] | None = None,
) -> Checked:
    """Check a bundle against pinned keys and the log's name. Raises `ProveError`.

    Every file that carries proof is checked, anchors by `trusts` too; what is not part of the
    chain is not believed.
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
    return Checked(
        uid=uid_of(files[RECORD]),
        raw_sha256=sha256(files[RAW]).hexdigest(),
        key=sealed.key,
        origin=stated.origin,
        index=index,
        size=stated.size,
        signed_by=signers,
        record=read_path(files[RECORD_PATH], RECORD_PATH).index,
        anchored=dict(_anchored(files, stated, trusts)),
        provider_signature=_provider_signature(files, provider_keys or {}),
    )


def uid_of(line: bytes) -> str | None:
    """Return the native id a record line states, or None."""
    try:
        return _uid.decode(line).n.metadata.uid
    except msgspec.MsgspecError:
        return None


class _Metadata(msgspec.Struct, frozen=True):
    uid: str | None = None


class _Normalized(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class _Line(msgspec.Struct, frozen=True):
    n: _Normalized = _Normalized()


_uid = msgspec.json.Decoder(_Line)
_header = msgspec.json.Decoder(Header)


def _provider_signature(
    files: Mapping[str, bytes], trusted: Mapping[str, bytes]
) -> provider.ProviderSignature | None:
    try:
        return provider.check(files, _header.decode(files[HEADER]), trusted)
    except (provider.ProviderError, msgspec.MsgspecError) as error:
        raise ProveError(str(error)) from error


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


def _anchored(
    files: Mapping[str, bytes], stated: checkpoint.Checkpoint, trusts: Sequence[anchor.Trust]
) -> Iterator[tuple[str, int]]:
    for trust in trusts:
        file = ANCHOR + anchor.file_name(trust.name, trust.form)
        if file not in files:
            continue
        try:
            yield trust.name, anchor.check(trust, files[file], stated)
        except anchor.AnchorError as error:
            raise ProveError(f"{file}: {error}") from error


def _parse_proof(data: bytes) -> tuple[int, list[bytes], bytes]:
    head, gap, signed = data.partition(b"\n\n")
    try:
        first, number, *hashes = head.decode().split("\n")
        index = number.removeprefix("index ")
        if first != PROOF_HEADER or not gap or number == index or index != str(int(index)):
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
