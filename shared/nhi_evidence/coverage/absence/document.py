"""The document: what was asked, the sealed ingredients with their proofs, and what they conclude.

Nothing new is signed. Every ingredient is a leaf of the signed log, with its path to a checkpoint;
the conclusion is a function of the ingredients and of the search, made again by whoever checks.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.coverage.cells import Step
from nhi_evidence.errors import EvidenceError

SCHEMA = "absence/1"
MAX_DOCUMENT_BYTES = 256 * 1024 * 1024


class AbsenceError(EvidenceError):
    """A document does not hold, or none can be made: says what and where."""


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is asked."""

    identity: str
    step: Step
    start: int
    """First instant, milliseconds since the epoch."""
    end: int
    """First that is not asked about."""
    platform: str
    """Whose settings and records decide: `aws`, `gcp` or `azure`."""


class SealedObject(msgspec.Struct, frozen=True):
    """One object under `op/` with the proof of its leaf."""

    shard: str
    leaf: bytes
    """Entry of the log."""
    proof: bytes
    """c2sp.org/tlog-proof with its checkpoint."""
    body: bytes


class SealedRecord(msgspec.Struct, frozen=True):
    """One record with the files of its proof bundle."""

    files: dict[str, bytes]


class Anchored(msgspec.Struct, frozen=True):
    """A checkpoint that somebody outside spoke of, and what they said."""

    shard: str
    checkpoint: bytes
    """Signed."""
    path: tuple[bytes, ...]
    """Consistency proof from its tree to that of the shard's head (RFC 9162, 2.1.4.1)."""
    leaf: bytes
    """Entry of the log that opens its epoch, and says when it was sealed."""
    proof: bytes
    """c2sp.org/tlog-proof of that leaf."""
    attestations: dict[str, bytes]
    """What they said, by the name of its file in a proof bundle."""


class Range(msgspec.Struct, frozen=True):
    """Leaves that were searched: of a shard, from `first` until before `end`."""

    shard: str
    first: int
    end: int
    root: str
    """Of the tree over all leaves until `end`, hex."""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What was searched and found."""

    ranges: tuple[Range, ...]
    source: str
    first_hour: str
    last_hour: str
    """Source hours, `YYYYMMDDHH`, whose objects were opened; those of no hour, too."""
    objects: int
    records: int
    """Kept records of them."""
    rejected: int
    """Records of them that could not be read when they were exported."""
    matching: int
    """Records of the identity, of the step, within the time."""
    other_steps: int
    """Records of the identity within the time, of other steps."""
    mentions: int
    """Further records within the time whose raw text names it: as a target, or otherwise."""
    unreadable: tuple[str, ...] = ()
    """Objects and lines that could not be read."""


class Part(msgspec.Struct, frozen=True):
    """A span and what is so of it."""

    start: int
    end: int
    what: str


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What follows."""

    recorded: tuple[Part, ...]
    """When it would have been recorded here, and how that is known."""
    not_recorded: tuple[Part, ...]
    not_known: tuple[Part, ...]
    proven: tuple[Part, ...]
    """When a canary's record of it arrived."""
    complete: tuple[Part, ...]
    """Hours of which everything the provider delivered is known to be here."""
    not_complete: tuple[Part, ...]
    never: tuple[str, ...]
    """Ways of the step that no setting records, or of which no documentation says so."""
    limits: tuple[str, ...]
    text: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of absence."""

    schema: str
    asked: Question
    sealed_until: int
    """The sealer's clock at the newest head, milliseconds since the epoch."""
    checkpoints: dict[str, bytes]
    """Shard to its newest checkpoint."""
    readings: tuple[SealedObject, ...]
    changes: tuple[SealedRecord, ...]
    plans: tuple[SealedObject, ...]
    canaries: tuple[SealedRecord, ...]
    statements: tuple[SealedObject, ...]
    search: Search
    conclusion: Conclusion
    anchors: tuple[Anchored, ...] = ()


def write(document: Document) -> bytes:
    """Return its bytes; equal documents have equal bytes."""
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=1) + b"\n"


def read(content: bytes, name: str) -> Document:
    """Read one. Raises `AbsenceError` naming `name` and what is wrong."""
    if len(content) > MAX_DOCUMENT_BYTES:
        raise AbsenceError(f"{name}: more than {MAX_DOCUMENT_BYTES} bytes")
    try:
        document = msgspec.json.decode(content, type=Document)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise AbsenceError(f"{name}: {error}") from error
    if document.schema != SCHEMA:
        raise AbsenceError(f"{name}: {document.schema!r}, this reads {SCHEMA}")
    return document
