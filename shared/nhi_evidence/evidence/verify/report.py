"""Inputs and output of a verification: policy, options, report."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256

from nhi_evidence.evidence import anchor, note, sweep
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import Header, ParsedLine, UnitLine
from nhi_evidence.evidence.verify.chain import State
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.statements import StatementCheck
from nhi_evidence.ports import EvidenceReader


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the verifier trusts, and what it was promised."""

    name: str
    keys: tuple[note.Key, ...]
    mappers: tuple[str, ...] = ()
    """Digests of the accepted releases, latest last; empty accepts any, and the report says so."""
    require_cosignature: bool = False
    """Whether the newest checkpoint must be cosigned by a pinned ML-DSA-44 key."""
    retention_ms: int = 0
    """Minimum lock of every version; 0 requires none."""
    grace_ms: int = 0
    """How long after the end of its lock a version must still exist."""
    seal_delay_ms: int = sweep.HOUR_MS
    """How long a version may stay unsealed after its hour was due for a sweep (`sweep.period`)."""
    head_age_ms: int = 3 * sweep.HOUR_MS
    """Maximum age of the newest checkpoint of a live store: an idle log gets one every hour."""
    trusts: tuple[anchor.Trust, ...] = ()
    """Parties whose anchors are accepted."""
    copies: tuple[tuple[str, EvidenceReader], ...] = ()
    """Stores run by others that keep copies of checkpoints, by name."""
    anchors_required: int = 0
    """How many names, including copies, must have anchored the log ..."""
    anchor_age_ms: int = sweep.DAY_MS
    """... at a checkpoint no older than this."""


def policy_sha256(policy: Policy) -> str:
    """Return the SHA-256 (hex) of what a policy trusts and requires."""
    trusts = [(one.name, one.form, str(one.key), len(one.roots)) for one in policy.trusts]
    prints = [root.fingerprint(SHA256()).hex() for one in policy.trusts for root in one.roots]
    demands = (
        *(policy.name, [str(key) for key in policy.keys], policy.mappers),
        *(policy.require_cosignature, policy.retention_ms, policy.grace_ms),
        *(policy.seal_delay_ms, policy.head_age_ms, trusts, prints),
        *([name for name, _ in policy.copies], policy.anchors_required, policy.anchor_age_ms),
    )
    return sha256(msgspec.json.encode(demands)).hexdigest()


class Anchor(msgspec.Struct, frozen=True):
    """An outside attestation that verified."""

    name: str
    shard: str
    epoch: int
    at: int
    """When the checkpoint was seen (a copy: when it was sealed), milliseconds since the epoch."""


class Part(msgspec.Struct, frozen=True):
    """One of several verifications that together cover everything."""

    number: int
    """Starting at 1."""
    of: int


MapAgain = Callable[[UnitLine, ParsedLine, tuple[str, int]], bytes | None]
"""Takes a unit line, a record's line, and the hash (hex) and size of the record as delivered;
returns the line it maps to now, or None if it is out of scope and its raw text is not kept."""

Reproducer = Callable[[Header], MapAgain | None]
"""Takes an object's header, returns how to map its records again; None without that release."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much to check."""

    deep: bool = False
    since: State | None = None
    sample: int | None = None
    seed: str = ""
    """Determines the sample; stated in the report, so that it can be drawn again."""
    part: Part | None = None
    statements: StatementCheck | None = None
    """Weighs sealed statements on completeness and canaries; only used when everything is read."""
    reproduce: Reproducer | None = None
    """Maps every unit again if the release that made it is installed; only used with `deep`."""
    examiner: Callable[[ObjectLeaf, bytes], Callable[[], Any]] | None = None
    """Examines objects elsewhere (`examining.Examiner`); None examines them in this process."""

    @property
    def reads_everything(self) -> bool:
        """Whether the whole log and every object are read."""
        return self.since is None and self.sample is None and self.part is None


class Run(msgspec.Struct, frozen=True, gc=False):
    """The messages of a stream that one unit holds, to be weighed across units and parts."""

    source: str
    stream: str
    first: int
    last: int
    hashes: str
    """SHA-256 (hex) over the hashes of its messages: the same for the same messages."""
    at: int
    """When the store received the object it is in, milliseconds since the epoch."""
    key: str
    version: str
    unit: str


class Edges(msgspec.Struct, kw_only=True):
    """What can only be weighed once all parts are together."""

    runs: list[Run] = []
    expired: dict[str, list[int]] = {}
    """By source, the hours in which the store received what lawful expiry has taken since: when
    each begins, milliseconds since the epoch, ascending."""


class Judged(msgspec.Struct, frozen=True):
    """The policy and depth of a verification; the same in all its parts."""

    policy: str
    """SHA-256 (hex) of what was trusted and required; see `policy_sha256`."""
    deep: bool
    reproduce: bool


class Report(msgspec.Struct, kw_only=True):
    """What was checked, and what was found."""

    name: str
    """Of the log."""
    now: int
    """The instant as of which ages are judged, milliseconds since the epoch."""
    findings: list[Finding] = []
    """What does not hold, or is not as the policy asks; empty if the evidence is clean."""
    epochs: int = 0
    """Signed epochs that were read."""
    leaves: int = 0
    """Entries of the log that were read."""
    size: int = 0
    """Of the signed log."""
    root: str | None = None
    """Root hash of the log at `size`, hex; None where nothing is signed."""
    head: str | None = None
    """Key of the log's newest valid checkpoint."""
    head_at: int | None = None
    """When the newest signed epoch was planned, by the sealer's clock or the store's, whichever is
    earlier; milliseconds since the epoch."""
    head_age_ms: int | None = None
    """Age of `head_at`, in milliseconds."""
    listed: int = 0
    """Versions and delete markers the store listed."""
    objects: int = 0
    """Stored versions whose bytes were hashed."""
    bytes: int = 0
    """Stored bytes that were hashed."""
    records: int = 0
    """Records checked line by line."""
    reproduced: int = 0
    """Records that gave the same line when mapped again."""
    units: dict[str, int] = {}
    """Units by status; also the numbers of duplicate claims and duplicate messages."""
    records_counted: dict[str, int] = {}
    """Records of counted units, by source."""
    statements: dict[str, int] = {}
    """Source hours and scopes by the verdict of the statement in force for them."""
    canaries: dict[str, int] = {}
    """Canary probes by their result in the statement in force for their hour."""
    without_statement: int = 0
    """Source hours and scopes of evidence that no sealed statement covers."""
    rejected_deliveries: int = 0
    """Counted units that could not be decoded."""
    duplicate_records: int = 0
    """Records that another unit holds too, byte for byte; only known when checked line by line."""
    linked_records: int = 0
    """Records that share a native id with others whose bytes differ."""
    not_rebuilt: int = 0
    """Counted units with cuts or without out-of-scope text: their hash cannot be recomputed."""
    expired: int = 0
    """Versions that are gone after the end of lock and grace, which is allowed."""
    flags: dict[str, int] = {}
    """How often each leaf flag occurs."""
    anchors: list[Anchor] = []
    """The newest valid anchor of each name."""
    not_checked: list[str] = []
    """What this run did not look at, and what would."""
    sample: str | None = None
    """The sample asked for; None if every object was read."""
    judged: Judged | None = None
    """The policy and depth it was judged by."""
    part: Part | None = None
    """Which of several parts this is; None for all of it."""
    edges: Edges | None = None
    """For a part: what `join` still has to weigh."""
    state: State | None = None
    """Where it ended, for --since; None where that cannot be resumed."""

    @property
    def exit_code(self) -> int:
        """0 if nothing was found, otherwise the most serious severity found."""
        return min((finding.meaning.severity for finding in self.findings), default=0)
