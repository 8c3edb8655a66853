"""Anchors of the log a document rests on: collected into it, and weighed by a policy.

An anchor is about a checkpoint, usually one older than the head. The document shows that the head
extends that checkpoint (RFC 9162, 2.1.4); an epoch leaf under it shows when it was sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from nhi_evidence.coverage.absence.document import AbsenceError, Anchored
from nhi_evidence.coverage.signed import Head
from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.evidence import anchor, checkpoint, leaf, log, merkle, note, proof_paths, prove
from nhi_evidence.evidence import tiles as tree
from nhi_evidence.evidence.checkpoint import Checkpoint
from nhi_evidence.evidence.leaf import EpochLeaf
from nhi_evidence.evidence.proof import ANCHOR, LEAF, PROOF
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Policy
from nhi_evidence.ports import EvidenceReader


class Weighed(msgspec.Struct, frozen=True):
    """Who anchored a log, as far as a document shows it."""

    names: dict[str, int]
    """Name to the sealer's clock at the newest checkpoint it anchored, ms since the epoch."""
    notes: tuple[str, ...]
    """What was not examined, and why."""


def gather(stored: StoredLog, heads: Iterable[Head]) -> Iterator[Anchored]:
    """Yield each name's newest anchor in the log, shard by shard.

    Raises `LogError` and `ProveError` where the log does not match what it signs.
    """
    for head in heads:
        newest: dict[str, int] = {}
        prefix = f"{log.PREFIX}{head.shard}/anchor/"
        for key in stored.keys(prefix):
            number, _, name = key.removeprefix(prefix).partition("/")
            if number.isascii() and number.isdigit() and int(number) <= head.epoch:
                newest[name] = max(newest.get(name, 0), int(number))
        for epoch in sorted(set(newest.values())):
            names = {name for name, number in newest.items() if number == epoch}
            yield from _of_epoch(stored, head, epoch, names)


def _of_epoch(stored: StoredLog, head: Head, epoch: int, names: set[str]) -> Iterator[Anchored]:
    signed = stored.get(log.checkpoint_key(head.shard, epoch))
    stated = stored.checkpoint(head.shard, epoch)
    opening = log.first_leaf(stored.plan(head.shard, epoch) or b"")
    if signed is None or stated is None or opening is None:
        return  # an anchor without its checkpoint: `verify` reports it
    every = prove.anchors(stored, head.shard, epoch)
    attestations = {
        file: data for file, data in every.items() if file.removeprefix(ANCHOR) in names
    }
    inclusion = prove.entry(stored, head.shard, head.epoch, opening.size)
    subtree = tree.subtree_of(head.size, lambda path: stored.tile(head.shard, path))
    yield Anchored(
        shard=head.shard,
        checkpoint=signed,
        path=tuple(merkle.consistency_path(stated.size, head.size, subtree)),
        leaf=inclusion[LEAF],
        proof=inclusion[PROOF],
        attestations=attestations,
    )


def weigh(
    anchored: Sequence[Anchored],
    roots: Mapping[str, tuple[int, bytes]],
    policy: Policy,
    sealed_until: int,
) -> Weighed:
    """Return who anchored a log, counting only names the policy trusts; `roots` are its heads.

    Raises `AbsenceError` for an invalid anchor by a trusted name, and for a checkpoint that the
    head does not extend.
    """
    names: dict[str, int] = {}
    notes: set[str] = set()
    trusted = {ANCHOR + anchor.file_name(one.name, one.form): one for one in policy.trusts}
    sealed: dict[tuple[str, int], tuple[bytes, int]] = {}
    if roots:
        newest = max(roots)
        size, root = roots[newest]
        sealed[newest, size] = (root, sealed_until)
    for each in anchored:
        stated, at = _check(each, roots, policy)
        sealed.setdefault((each.shard, stated.size), (stated.root, at))
        for file, data in each.attestations.items():
            trust = trusted.get(file)
            if trust is None:
                notes.add(f"{file}: by a name the policy does not trust")
                continue
            try:
                anchor.check(trust, data, stated)
            except anchor.AnchorError as error:
                raise AbsenceError(f"anchors: {file}: {error}") from error
            names[trust.name] = max(at, names.get(trust.name, at))
    for name, copy in policy.copies:
        try:
            at_copy = _copied(name, copy, sealed, policy)
        except StoreUnavailableError as error:
            notes.add(f"the copies in {name}: {error}")
            continue
        if at_copy is not None:
            names[name] = at_copy
    return Weighed(names, tuple(sorted(notes)))


def _check(
    each: Anchored, roots: Mapping[str, tuple[int, bytes]], policy: Policy
) -> tuple[Checkpoint, int]:
    """Return an anchored checkpoint, and the earliest time it can have been sealed."""
    origin = f"{policy.name}/{each.shard}"
    if each.shard not in roots:
        raise AbsenceError(f"anchors: shard {each.shard} has no checkpoint in this document")
    size, root = roots[each.shard]
    try:
        stated = checkpoint.read(each.checkpoint, policy.keys, origin)
        merkle.check_consistency(stated.size, size, each.path, stated.root, root)
        inclusion = proof_paths.read_log_proof(each.proof)
        merkle.check_inclusion(
            merkle.leaf_hash(each.leaf), inclusion.index, size, inclusion.path, root
        )
        opening = leaf.decode(each.leaf)
    except (ValueError, note.NoteError) as error:
        raise AbsenceError(f"anchors: checkpoint of {origin}: {error}") from error
    # The leaf of an earlier epoch could only make the checkpoint look older than it is.
    if not isinstance(opening, EpochLeaf) or inclusion.index >= stated.size:
        raise AbsenceError(f"anchors: checkpoint of {origin}: no leaf of its epoch is shown")
    return stated, opening.at


def _copied(
    name: str,
    copy: EvidenceReader,
    sealed: Mapping[tuple[str, int], tuple[bytes, int]],
    policy: Policy,
) -> int | None:
    """Return when the newest checkpoint in a copy that the document shows was sealed.

    None if the copy has none of them. Raises `AbsenceError` where the copy has a different
    checkpoint of the same size.
    """
    ages: list[int] = []
    for key in copy.keys(log.PREFIX):
        shard, _, rest = key.removeprefix(log.PREFIX).partition("/")
        if not rest.startswith("checkpoint/"):
            continue
        try:
            kept = checkpoint.read(copy.get(key), policy.keys, f"{policy.name}/{shard}")
        except note.NoteError as error:
            raise AbsenceError(f"anchors: {name}: {key}: {error}") from error
        sealed_as = sealed.get((shard, kept.size))
        if sealed_as is None:
            continue
        root, at = sealed_as
        if root != kept.root:
            raise AbsenceError(f"anchors: {name}: {key} belongs to another history")
        ages.append(at)
    return max(ages, default=None)


def require(anchored: Weighed, policy: Policy, sealed_until: int) -> None:
    """Raise `AbsenceError` if fewer names than the policy requires anchored the log recently.

    Recently means relative to the newest head: a document does not go stale by itself.
    """
    due = sealed_until - policy.anchor_age_ms
    recent = sorted(name for name, at in anchored.names.items() if at >= due)
    if len(recent) < policy.anchors_required:
        raise AbsenceError(
            f"anchors: {len(recent)} of {policy.anchors_required} names are recent enough"
            f"{': ' if recent else ''}{', '.join(recent)}"
        )
