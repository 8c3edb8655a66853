"""The document: the question, the sealed ingredients with their proofs, and the conclusion.

Nothing new is signed. Every ingredient is a leaf of the signed log, with its path to a checkpoint;
the conclusion is a function of the ingredients and the search, and every checker recomputes it.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.coverage.cells import Step
from nhi_evidence.errors import EvidenceError

SCHEMA = "nhi-evidence/absence/1"
MAX_DOCUMENT_BYTES = 256 * 1024 * 1024


class AbsenceError(EvidenceError):
    """A document is invalid, or cannot be made: says what is wrong and where."""


class OtherReleaseError(AbsenceError):
    """A conclusion of another release does not follow by the tables of this one: ask that one."""


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """The question a document answers."""

    identity: str
    step: Step
    start: int
    """First instant, milliseconds since the epoch."""
    end: int
    """First instant after the window, milliseconds since the epoch."""
    platform: str
    """Whose settings and records decide: `aws`, `gcp` or `azure`."""


class SealedObject(msgspec.Struct, frozen=True):
    """One object under `op/`, with the proof of its leaf."""

    shard: str
    leaf: bytes
    """The log entry."""
    proof: bytes
    """c2sp.org/tlog-proof, with its checkpoint."""
    body: bytes


class SealedRecord(msgspec.Struct, frozen=True):
    """One record, as the files of its proof bundle."""

    files: dict[str, bytes]


class Anchored(msgspec.Struct, frozen=True):
    """A checkpoint that outside parties anchored, and their anchors."""

    shard: str
    checkpoint: bytes
    """As signed."""
    path: tuple[bytes, ...]
    """Consistency proof from its tree to that of the shard's head (RFC 9162, 2.1.4.1)."""
    leaf: bytes
    """The log entry that opens its epoch and says when it was sealed."""
    proof: bytes
    """c2sp.org/tlog-proof of that leaf."""
    attestations: dict[str, bytes]
    """Anchors, by the name each file has in a proof bundle."""


class Range(msgspec.Struct, frozen=True):
    """The leaves of a shard that were searched, from `first` up to but excluding `end`."""

    shard: str
    first: int
    end: int
    root: str
    """Root of the tree over all leaves before `end`, hex."""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What was searched, and what was found."""

    ranges: tuple[Range, ...]
    source: str
    first_hour: str
    last_hour: str
    """Source hours, `YYYYMMDDHH`, whose objects were opened; objects without an hour were too."""
    objects: int
    records: int
    """Kept records in those objects."""
    rejected: int
    """Records in those objects that could not be read when they were exported."""
    matching: int
    """Records of the identity and the step, within the window."""
    other_steps: int
    """Records of the identity but of other steps, within the window."""
    mentions: int
    """Further records within the window whose raw text names the identity, e.g. as a target."""
    unreadable: tuple[str, ...] = ()
    """Objects and lines that could not be read."""


class Part(msgspec.Struct, frozen=True):
    """A span of time, and what is known about it."""

    start: int
    end: int
    what: str


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from the ingredients."""

    recorded: tuple[Part, ...]
    """When the step would have been recorded here, and how that is known."""
    not_recorded: tuple[Part, ...]
    not_known: tuple[Part, ...]
    proven: tuple[Part, ...]
    """When a canary's record of the step arrived."""
    complete: tuple[Part, ...]
    """Hours for which everything the provider delivered is known to be here."""
    not_complete: tuple[Part, ...]
    never: tuple[str, ...]
    """Variants of the step that no setting records, or that are not documented as recordable."""
    limits: tuple[str, ...]
    text: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of absence."""

    schema: str
    release: str
    """The release that drew the conclusion: what can be recorded is in its tables."""
    asked: Question
    sealed_until: int
    """The sealer's clock at the newest head, milliseconds since the epoch."""
    checkpoints: dict[str, bytes]
    """Each shard's newest checkpoint."""
    readings: tuple[SealedObject, ...]
    changes: tuple[SealedRecord, ...]
    plans: tuple[SealedObject, ...]
    canaries: tuple[SealedRecord, ...]
    statements: tuple[SealedObject, ...]
    search: Search
    conclusion: Conclusion
    anchors: tuple[Anchored, ...] = ()


def write(document: Document) -> bytes:
    """Encode a document; equal documents have equal bytes."""
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=1) + b"\n"


def read(content: bytes, name: str) -> Document:
    """Decode a document. Raises `AbsenceError` naming `name` and what is wrong."""
    if len(content) > MAX_DOCUMENT_BYTES:
        raise AbsenceError(f"{name}: more than {MAX_DOCUMENT_BYTES} bytes")
    try:
        document = msgspec.json.decode(content, type=Document)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise AbsenceError(f"{name}: not a statement of absence: {error}") from error
    if document.schema != SCHEMA:
        raise AbsenceError(f"{name}: {document.schema!r}, this reads {SCHEMA}")
    return document
