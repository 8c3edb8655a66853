"""Copying evidence: the first version of every key, with the store's description of it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import islice

import msgspec

from nhi_evidence.adapters.store.directory import (
    DirectoryStore,
    OtherBytesError,
    UnwritableKeyError,
)
from nhi_evidence.errors import EvidenceError
from nhi_evidence.evidence import log
from nhi_evidence.ports import EvidenceReader, EvidenceVersions
from nhi_evidence.stored import Version

_AT_ONCE = 1_000
"""Number of versions requested together; only their bodies are read ahead."""

_HEAD_BYTES = 500


class OtherLogError(EvidenceError):
    """The folder holds another log, or one that diverged; the message names both heads."""


class CopyState(StrEnum):
    """The result for one version."""

    COPIED = "copied"
    """It is in the folder, byte for byte, from this copy or an earlier one."""
    GONE = "gone"
    """It was listed, but gone before it was read."""
    UNWRITABLE = "unwritable"
    """Its key cannot be a file name in the folder."""
    DIFFERS = "differs"
    """The folder holds different bytes under its key, which are left alone."""


class CopiedVersion(msgspec.Struct, frozen=True):
    """One version, and the result for it."""

    version: Version
    state: CopyState
    detail: str = ""


def copy(source: EvidenceVersions, target: DirectoryStore) -> Iterator[CopiedVersion]:
    """Copy every key's first version into a directory; yield the result for each.

    Existing files are compared and left alone, so that an interrupted copy can be resumed; a
    version that cannot be copied does not affect others. Raises `OtherLogError` before anything is
    written when the directory holds a different log, and `StoreUnavailableError` when the source
    cannot be read.
    """
    _check_same_log(source, target)
    first = (version for version in source.versions("") if not version.marker)
    first = (version for version in first if not version.shadow)
    while chosen := list(islice(first, _AT_ONCE)):
        descriptions = source.describe(chosen)
        bodies = source.bodies((version.key, version.id) for version in chosen)
        for version, description, body in zip(chosen, descriptions, bodies, strict=True):
            if description is None or body is None:
                yield CopiedVersion(version, CopyState.GONE)
                continue
            try:
                target.keep(version, description, body)
            except UnwritableKeyError as error:
                yield CopiedVersion(version, CopyState.UNWRITABLE, str(error))
            except OtherBytesError as error:
                yield CopiedVersion(version, CopyState.DIFFERS, str(error))
            else:
                yield CopiedVersion(version, CopyState.COPIED)


def _check_same_log(source: EvidenceReader, target: EvidenceReader) -> None:
    """Compare the log's genesis and each shard's newest checkpoint in the folder with the source's.

    Raises `OtherLogError`.
    """
    heads = _heads(target)
    for key in [log.GENESIS, *heads]:
        there = _get(target, key)
        if there is not None and there != _get(source, key):
            newest = max(_heads(source), default=None)
            own = _head(_get(target, max(heads, default=key)))
            other = "no checkpoint" if newest is None else _head(_get(source, newest))
            raise OtherLogError(
                f"the folder holds another log ({key} differs): its head is {own}; "
                f"the head of the store is {other}"
            )


def _heads(store: EvidenceReader) -> list[str]:
    """Return the key of the newest checkpoint of each shard, oldest shard first."""
    newest: dict[str, str] = {}
    for key in store.keys(log.PREFIX):
        shard, _, rest = key.removeprefix(log.PREFIX).partition("/")
        if rest.startswith("checkpoint/"):
            newest[shard] = max(key, newest.get(shard, ""))
    return sorted(newest.values())


def _head(signed: bytes | None) -> str:
    lines = (signed or b"")[:_HEAD_BYTES].decode(errors="replace").split("\n")
    return " ".join(lines[:3]) or "nothing"


def _get(store: EvidenceReader, key: str) -> bytes | None:
    try:
        return store.get(key)
    except KeyError:
        return None
