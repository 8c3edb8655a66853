"""Check a document with nothing but a public key, or against the evidence as well.

Every ingredient is proven to be a leaf under a checkpoint signed by a pinned key, and the
conclusion is drawn again. Without the evidence nobody can tell whether another reading, another
change or a matching record was sealed too: the checker then says "search not repeated".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence import __version__
from nhi_evidence.completeness import statement_file
from nhi_evidence.completeness.statement import Statements
from nhi_evidence.coverage import reading_file
from nhi_evidence.coverage.absence import anchored
from nhi_evidence.coverage.absence.conclude import (
    SOURCES,
    Ingredients,
    conclude,
    searchable_platform,
)
from nhi_evidence.coverage.absence.document import (
    AbsenceError,
    Document,
    OtherReleaseError,
    SealedObject,
    SealedRecord,
)
from nhi_evidence.coverage.absence.gather import changes_of, gather, weighed
from nhi_evidence.coverage.answers import Reading, ReadingError
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.plan import Plan
from nhi_evidence.coverage.canary.weigh import Seen
from nhi_evidence.coverage.changes import Change
from nhi_evidence.coverage.counted import Head, Record
from nhi_evidence.coverage.signed import Placed
from nhi_evidence.evidence import checkpoint, counting, keys, leaf, merkle, note, proof, proof_paths
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.evidence.proof import ProveError
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Policy, sound
from nhi_evidence.ports import EvidenceVersions

NOT_REPEATED = "search not repeated"


class Checked(msgspec.Struct, frozen=True):
    """The result of checking a document."""

    text: str
    search: str
    """`search repeated`, or `search not repeated` and what that leaves open."""
    sealed_until: int
    cosigned: bool = False
    """Whether a pinned ML-DSA-44 key cosigned every checkpoint it rests on."""
    anchored: dict[str, int] = {}
    """Name trusted by the policy to when the newest checkpoint it anchored was sealed,
    milliseconds since the epoch."""
    not_checked: tuple[str, ...] = ()
    """Anchors that were not examined, and why."""


def check(document: Document, policy: Policy, store: EvidenceVersions | None = None) -> Checked:
    """Check a document against what `policy` trusts and requires: keys, cosignature, anchors.

    Without `store` the search is not repeated. Raises `AbsenceError` naming what is wrong, and
    `OtherReleaseError` if the ingredients are proven and only the conclusion differs from what this
    release draws, where another release drew it.
    """
    if document.asked.platform != searchable_platform(document.asked.identity):
        raise AbsenceError("asked: not the platform of the identity")
    if document.asked.start >= document.asked.end:
        raise AbsenceError("asked: the time ends before it begins")
    checker = _Checker(policy)
    checker.heads(document)
    outside = anchored.weigh(document.anchors, checker.roots, policy, document.sealed_until)
    anchored.require(outside, policy, document.sealed_until)
    ingredients = checker.ingredients(document)
    if document.search.matching:
        raise AbsenceError(f"search: {document.search.matching} records match")
    if document.search.source != SOURCES[document.asked.platform]:
        raise AbsenceError(f"search: of {document.search.source}, not of the identity's platform")
    drawn = conclude(document.asked, ingredients)
    if drawn != document.conclusion:
        does_not_follow = f"conclusion: {_differs(document, drawn)} does not follow"
        if document.release != __version__:
            raise OtherReleaseError(
                f"{does_not_follow} by the tables of release {__version__}; it says that "
                f"{document.release} drew it: check it with that release"
            )
        raise AbsenceError(does_not_follow)
    search = f"{NOT_REPEATED}: whether more is sealed than is listed here was not looked at"
    if store is not None:
        _repeat(document, store, StoredLog(store, policy.name, policy.keys), policy.mappers)
        search = "search repeated"
    return Checked(
        text=drawn.text,
        search=search,
        sealed_until=document.sealed_until,
        cosigned=checker.cosigned,
        anchored=outside.names,
        not_checked=outside.notes,
    )


def _differs(document: Document, drawn: msgspec.Struct) -> str:
    stated = msgspec.structs.asdict(document.conclusion)
    own = msgspec.structs.asdict(drawn)
    return ", ".join(name for name in own if own[name] != stated[name])


def _repeat(
    document: Document, store: EvidenceVersions, stored: StoredLog, accepted: Sequence[str]
) -> None:
    """Repeat the search under the same heads, and compare every ingredient."""
    own = gather(store, stored, document.asked, accepted)
    heads = {head.shard: (head.size, head.root) for head in own.log.heads}
    ranges = {one.shard: (one.end, one.root) for one in document.search.ranges}
    if heads != ranges:
        raise AbsenceError("the evidence has other heads than the document: make it anew")
    if own.log.at != document.sealed_until:
        raise AbsenceError("sealed_until: not the time of the newest head")
    if own.matching:
        uid = own.matching[0].head.metadata.uid
        raise AbsenceError(f"search: {len(own.matching)} records match, {uid} among them")
    if own.search != document.search:
        raise AbsenceError("search: repeated, it finds otherwise")
    groups: tuple[tuple[str, Iterable[str], Iterable[str]], ...] = (
        ("readings", _keys(document.readings), (at.key for at, _ in own.readings)),
        ("plans", _keys(document.plans), (at.key for at, _ in own.plans)),
        ("statements", _keys(document.statements), (at.key for at, _ in own.statements)),
        ("changes", _lines(document.changes), map(_line_of, (one for one, _ in own.changes))),
        ("canaries", _lines(document.canaries), map(_line_of, (one for one, _ in own.canaries))),
    )
    for name, listed, repeated in groups:
        if sorted(listed) != sorted(repeated):
            raise AbsenceError(f"{name}: others are sealed than are listed")


def _keys(sealed: Iterable[SealedObject]) -> list[str]:
    return [_object_leaf(one).key for one in sealed]


def _lines(sealed: Iterable[SealedRecord]) -> list[str]:
    return [sha256(one.files[proof.RAW]).hexdigest() for one in sealed]


def _line_of(record: Record) -> str:
    return sha256(record.raw).hexdigest()


def _object_leaf(sealed: SealedObject) -> ObjectLeaf:
    try:
        entry = leaf.decode(sealed.leaf)
    except ValueError as error:
        raise AbsenceError(f"a leaf: {error}") from error
    if not isinstance(entry, ObjectLeaf):
        raise AbsenceError("a leaf is of no object")
    return entry


class _Checker:
    def __init__(self, policy: Policy) -> None:
        self._name = policy.name
        self._pinned = policy.keys
        self._require_cosignature = policy.require_cosignature
        self.cosigned = True
        """Whether every head is cosigned."""
        self.roots: dict[str, tuple[int, bytes]] = {}
        """Size and root of each shard's head."""

    def heads(self, document: Document) -> None:
        """Check the checkpoints, and that the searched ranges cover all that they sign."""
        for shard, signed in document.checkpoints.items():
            origin = f"{self._name}/{shard}"
            try:
                by = checkpoint.read_signed(signed, self._pinned, origin)
            except note.NoteError as error:
                raise AbsenceError(f"checkpoint of {shard}: {error}") from error
            if self._require_cosignature and not by.is_cosigned:
                raise AbsenceError(
                    f"checkpoint of {shard}: no cosignature by a pinned ML-DSA-44 key, which is "
                    "required"
                )
            self.cosigned = self.cosigned and by.is_cosigned
            head = by.checkpoint
            self.roots[shard] = (head.size, head.root)
        ranges = {
            one.shard: (one.end, bytes.fromhex(one.root)) if _is_hex(one.root) else None
            for one in document.search.ranges
            if one.first == 0
        }
        if ranges != self.roots or len(document.search.ranges) != len(self.roots):
            raise AbsenceError("search: the ranges are not all that the checkpoints sign")

    def ingredients(self, document: Document) -> Ingredients:
        """Check and decode every ingredient."""
        readings = tuple(self._reading(one) for one in document.readings)
        records = [self._record(one) for one in document.changes]
        changes: list[Change] = []
        for record in records:
            recognized = list(changes_of(record, document.asked))
            if not recognized:
                raise AbsenceError("changes: a record that changes nothing that is asked about")
            changes += recognized
        planned = [self._plan(one) for one in document.plans]
        seen = [self._seen(one) for one in document.canaries]
        statements = tuple(self._statements(one) for one in document.statements)
        return Ingredients(
            readings=readings,
            changes=tuple(changes),
            canaries=weighed(planned, seen, document.sealed_until),
            statements=statements,
            search=document.search,
            sealed_until=document.sealed_until,
        )

    def _object(self, sealed: SealedObject) -> ObjectLeaf:
        """Check that an object is a leaf of the log and that its body matches its key's hash."""
        entry = _object_leaf(sealed)
        try:
            inclusion = proof_paths.read_log_proof(sealed.proof)
            origin = f"{self._name}/{sealed.shard}"
            head = checkpoint.read(inclusion.signed, self._pinned, origin)
            hashed = merkle.leaf_hash(sealed.leaf)
            merkle.check_inclusion(hashed, inclusion.index, head.size, inclusion.path, head.root)
        except (ValueError, note.NoteError) as error:
            raise AbsenceError(f"{entry.key}: {error}") from error
        if self.roots.get(sealed.shard) != (head.size, head.root):
            raise AbsenceError(f"{entry.key}: under another checkpoint than is searched")
        stated = keys.parse_key(entry.key).body_sha256
        if stated is None or sha256(sealed.body).hexdigest() != stated:
            raise AbsenceError(f"{entry.key}: body hash does not match its key")
        return entry

    def _reading(self, sealed: SealedObject) -> Reading:
        entry = self._object(sealed)
        try:
            return reading_file.read(sealed.body, entry.key)
        except ReadingError as error:
            raise AbsenceError(str(error)) from error

    def _plan(self, sealed: SealedObject) -> tuple[int, Plan]:
        entry = self._object(sealed)
        try:
            return entry.at, plans.read(sealed.body, entry.key)
        except ReadingError as error:
            raise AbsenceError(str(error)) from error

    def _statements(self, sealed: SealedObject) -> tuple[str, Statements]:
        entry = self._object(sealed)
        try:
            return entry.key, statement_file.read(sealed.body)
        except ValueError as error:
            raise AbsenceError(f"{entry.key}: {error}") from error

    def _record(self, sealed: SealedRecord) -> Record:
        try:
            checked = proof.check(sealed.files, self._pinned, self._name)
            entry = leaf.decode(sealed.files[proof.LEAF])
            parsed = decode_line(sealed.files[proof.RECORD])
            head = msgspec.json.decode(parsed.n, type=Head)
        except (ProveError, KeyError, ValueError, RecursionError) as error:
            raise AbsenceError(f"a record: {error}") from error
        shard = checked.origin.rpartition("/")[2]
        if not isinstance(entry, ObjectLeaf) or self.roots.get(shard, (0, b""))[0] != checked.size:
            raise AbsenceError(f"{checked.key}: under another checkpoint than is searched")
        named = keys.parse_key(checked.key)
        at = Placed(
            shard, checked.index, 0, entry.key, entry.vid, entry.at, named.kind, named.source,
            named.hour or "", sound.brief(entry),
        )  # fmt: skip
        pack = parsed.s or named.source
        raw = sealed.files[proof.RAW]
        return Record(at, checked.unit, checked.record, pack, head, raw, counting.Status.COUNTED)

    def _seen(self, sealed: SealedRecord) -> Seen:
        record = self._record(sealed)
        return Seen(record.head, record.raw, record.at.locked_at, record.at.key)


def _is_hex(text: str) -> bool:
    return len(text) == 2 * merkle.HASH_BYTES and set(text) <= set("0123456789abcdef")
