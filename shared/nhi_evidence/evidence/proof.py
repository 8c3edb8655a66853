"""What a proof bundle shows, checked against pinned keys (docs/verification.md, "Proof").

A bundle is a set of small files; `check` needs only them and a pinned key. The same rules are in
the bundle's `check_proof.py` and `walkthrough.sh`, and tests ensure that all three agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import TypeVar

import msgspec

from nhi_evidence.errors import EvidenceError
from nhi_evidence.evidence import (
    anchor,
    checkpoint,
    merkle,
    note,
    proof_lines,
    proof_paths,
    provider,
)
from nhi_evidence.evidence.proof_paths import LinePath

RECORD = "record.json"
RAW = "raw.txt"
RECORD_PATH = "record-path.txt"
UNIT = "unit.json"
UNIT_PATH = "unit-path.txt"
HEADER = "header.json"
HEADER_PATH = "header-path.txt"
LEAF = "leaf.json"
PROOF = "leaf.tlog-proof"
KEYS = "keys.txt"
NEEDED = (RECORD, RAW, RECORD_PATH, UNIT, UNIT_PATH, HEADER, HEADER_PATH, LEAF, PROOF)
ANCHOR = "anchor-"
"""Prefix of the names of anchors."""

_MIB = 1 << 20
SIZES = {
    RECORD: 32 * _MIB,
    RAW: 16 * _MIB,
    UNIT: 32 * _MIB,
    HEADER: _MIB,
    LEAF: _MIB,
    RECORD_PATH: 8192,
    UNIT_PATH: 8192,
    HEADER_PATH: 8192,
    PROOF: _MIB,
    provider.DIGEST: 16 * _MIB,
    provider.SIGNATURE: 8192,
    provider.KEY: 8192,
    provider.FILE: provider.MAX_FILE_BYTES,
}
"""Maximum bytes of each file."""

_P256_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_P256_BYTES = len(_P256_SPKI) + 64

_ML_DSA_BYTES = 8 + 2420
"""Bytes of an ML-DSA-44 cosignature: its time and the signature."""

_T = TypeVar("_T")


class ProveError(EvidenceError):
    """A proof cannot be made or is invalid; the message names the file and what is wrong."""


class MlDsa(StrEnum):
    """State of the log's own post-quantum cosignature (type 0x06)."""

    VERIFIED = "verified"
    NOT_CHECKED = "not_checked"
    """Present, but no key was given to check it with."""
    ABSENT = "absent"


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle shows."""

    uid: str | None
    """The provider's id of the record, as stated by the normalized record; None for one that was
    not kept."""
    raw_sha256: str
    form: str
    """Kind of the record's line: kept, rejected, out_of_scope or companion."""
    is_cut: bool
    """Whether fields were cut out of the raw text before it was written."""
    unit: str
    """The delivered unit the record came in."""
    record: int
    """Index of the record in the unit, from 0."""
    raw_form: str | None
    """`api` if the text is as listed by the source's API, not as delivered by its log."""
    key: str
    """The evidence object."""
    flags: tuple[str, ...]
    """The flags of that object in the log."""
    origin: str
    index: int
    """Index of the object's leaf in the log."""
    size: int
    """Size of the log the checkpoint signs."""
    signed_by: tuple[str, ...]
    ml_dsa: MlDsa
    anchored: dict[str, int] = {}
    """Which trusted names saw the checkpoint, and when (milliseconds since the epoch)."""
    provider_signature: provider.ProviderSignature | None = None
    """What the provider signed about the record's file, if the bundle contains it."""


def check(
    files: Mapping[str, bytes],
    pinned: Sequence[note.Key],
    name: str,
    trusts: Sequence[anchor.Trust] = (),
    provider_keys: Mapping[str, bytes] | None = None,
    *,
    require_cosignature: bool = False,
) -> Checked:
    """Check a bundle against pinned keys and the log's name. Raises `ProveError`.

    Every file that is part of the proof is checked, including anchors by `trusts`; nothing else is
    trusted. `require_cosignature` demands an ML-DSA-44 cosignature by a pinned key.
    """
    _check_sizes(files)
    # 1. The record is a line of its unit, at its index.
    record = _read(RECORD, lambda: proof_lines.record(files[RECORD], files[RAW]))
    unit = _read(UNIT, lambda: proof_lines.unit(files[UNIT]))
    record_path = _path(files, RECORD_PATH)
    _read(RECORD, lambda: proof_lines.check_place(record, record_path.index, unit))
    if record_path.size != unit.lines:
        raise ProveError(f"{RECORD_PATH}: the unit has {unit.lines} lines")
    _included(RECORD, files, record_path, unit.root)
    # 2. The unit and the header are lines of the object's table, the header the first.
    sealed = _read(LEAF, lambda: proof_lines.leaf(files[LEAF]))
    header = _read(HEADER, lambda: proof_lines.header(files[HEADER]))
    _read(LEAF, lambda: proof_lines.check_object(sealed, header))
    for line, path_file in ((UNIT, UNIT_PATH), (HEADER, HEADER_PATH)):
        place = _path(files, path_file)
        if place.size != header.units + 1 or (place.index == 0) != (line == HEADER):
            raise ProveError(f"{path_file}: not its place in a table of {header.units} units")
        _included(line, files, place, sealed.root)
    # 3. The object is a leaf of the log, whose checkpoint a pinned key signed.
    log = _read(PROOF, lambda: proof_paths.read_log_proof(files[PROOF]))
    if log.name != name:
        raise ProveError(f"{PROOF}: is from the log {log.name!r}, not {name!r}")
    by, ml_dsa = _signed(log.signed, pinned)
    head = by.checkpoint
    if require_cosignature and ml_dsa is not MlDsa.VERIFIED:
        raise ProveError(f"{PROOF}: no cosignature by a pinned ML-DSA-44 key, which is required")
    _included(LEAF, files, LinePath(log.index, head.size, log.path), head.root)
    return Checked(
        uid=uid_of(files[RECORD]) if record.form == "kept" else None,
        raw_sha256=sha256(files[RAW]).hexdigest(),
        form=record.form,
        is_cut=record.is_cut,
        unit=unit.unit.decode(errors="replace"),
        record=record.index,
        raw_form=unit.raw_form,
        key=sealed.key.decode(errors="replace"),
        flags=sealed.flags,
        origin=head.origin,
        index=log.index,
        size=head.size,
        signed_by=tuple(f"{key.name}+{key.id.hex()}" for key in by.signers),
        ml_dsa=ml_dsa,
        anchored=dict(_anchored(files, head, trusts)),
        provider_signature=_provider_signature(files, header, unit, record, provider_keys or {}),
    )


def uid_of(line: bytes) -> str | None:
    """Return the native id a record line states, or None."""
    try:
        return _uid.decode(line).n.metadata.uid
    except (ValueError, RecursionError):
        return None


class _Metadata(msgspec.Struct, frozen=True):
    uid: str | None = None


class _Normalized(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class _Line(msgspec.Struct, frozen=True):
    n: _Normalized = _Normalized()


_uid = msgspec.json.Decoder(_Line)


def _check_sizes(files: Mapping[str, bytes]) -> None:
    missing = [name for name in NEEDED if name not in files]
    if missing:
        raise ProveError(f"the bundle lacks {', '.join(missing)}")
    for name, limit in SIZES.items():
        if len(files.get(name, b"")) > limit:
            raise ProveError(f"{name}: {len(files[name])} bytes, more than {limit}")


def _read(name: str, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except ValueError as error:
        raise ProveError(f"{name}: {error}") from error


def _path(files: Mapping[str, bytes], name: str) -> LinePath:
    return _read(name, lambda: proof_paths.read_path(files[name]))


def _included(name: str, files: Mapping[str, bytes], place: LinePath, root: bytes) -> None:
    leaf = merkle.leaf_hash(files[name])
    _read(name, lambda: merkle.check_inclusion(leaf, place.index, place.size, place.path, root))


def _signed(signed: bytes, pinned: Sequence[note.Key]) -> tuple[checkpoint.Signed, MlDsa]:
    """Check the checkpoint of a proof: by a pinned key, of a shard of the named log."""
    try:
        text, signatures = note.split(signed)
        origin = checkpoint.parse(text).origin
        named = [key.named(origin) for key in pinned]
        for key in named:
            if key.algorithm is note.Algorithm.ECDSA_P256 and not (
                key.public.startswith(_P256_SPKI) and len(key.public) == _P256_BYTES
            ):
                raise ProveError(f"key {key.id.hex()}: a P-256 key in a non-canonical form")
            if [line[:2] for line in signatures].count((key.name, key.id)) > 1:
                raise ProveError(f"{PROOF}: two signatures of {key.name} ({key.id.hex()})")
        by = checkpoint.read_signed(signed, pinned, origin)
    except note.NoteError as error:
        raise ProveError(f"{PROOF}: {error}") from error
    if by.is_cosigned:
        return by, MlDsa.VERIFIED
    is_there = any(
        name == origin and len(signature) == _ML_DSA_BYTES for name, _, signature in signatures
    )
    return by, MlDsa.NOT_CHECKED if is_there else MlDsa.ABSENT


def _anchored(
    files: Mapping[str, bytes], head: checkpoint.Checkpoint, trusts: Sequence[anchor.Trust]
) -> Iterator[tuple[str, int]]:
    for trust in trusts:
        file = ANCHOR + anchor.file_name(trust.name, trust.form)
        if file not in files:
            continue
        try:
            yield trust.name, anchor.check(trust, files[file], head)
        except anchor.AnchorError as error:
            raise ProveError(f"{file}: {error}") from error


def _provider_signature(
    files: Mapping[str, bytes],
    header: proof_lines.HeaderLine,
    unit: proof_lines.UnitRow,
    record: proof_lines.RecordLine,
    trusted: Mapping[str, bytes],
) -> provider.ProviderSignature | None:
    is_file = unit.kind == "records" and unit.raw_sha256 is not None
    delivered = provider.Delivered(
        source=header.source,
        unit=unit.unit.decode(errors="surrogateescape"),
        raw_sha256=unit.raw_sha256.decode() if is_file and unit.raw_sha256 else None,
        index=record.index,
        raw=files[RAW],
    )
    try:
        return provider.check(files, delivered, trusted)
    except provider.ProviderError as error:
        raise ProveError(str(error)) from error
