"""What a verifier is told, and what it reports."""

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
    """Digests of the releases that are accepted, the latest last; none: any is, and said so."""
    require_cosignature: bool = False
    """Whether the newest checkpoint must be cosigned by a pinned ML-DSA-44 key."""
    retention_ms: int = 0
    """Shortest lock of every version; 0 asks for none."""
    grace_ms: int = 0
    """Lifecycle may remove a version so long after its lock ended."""
    seal_delay_ms: int = sweep.HOUR_MS
    """A version may be unsealed for so long after its hour was to be swept (`sweep.period`)."""
    head_age_ms: int = 3 * sweep.HOUR_MS
    """The newest checkpoint of a live store may be so old: an idle log gets one an hour."""
    trusts: tuple[anchor.Trust, ...] = ()
    """Whose anchors are believed."""
    copies: tuple[tuple[str, EvidenceReader], ...] = ()
    """Stores in other hands that keep copies of checkpoints, by name."""
    anchors_required: int = 0
    """So many names, copies among them, must have spoken of the log ..."""
    anchor_age_ms: int = sweep.DAY_MS
    """... and of a checkpoint not older than this now."""


def policy_sha256(policy: Policy) -> str:
    """Return the hash of what a policy trusts and asks for, hex."""
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
    """An attestation from outside that holds."""

    name: str
    shard: str
    epoch: int
    at: int
    """When they saw the checkpoint, milliseconds since the epoch; of a copy, when it was sealed."""


class Part(msgspec.Struct, frozen=True):
    """One of several verifications that together look at everything."""

    number: int
    """From 1."""
    of: int


MapAgain = Callable[[UnitLine, ParsedLine, tuple[str, int]], bytes | None]
"""Unit line, line of a record, hash (hex) and size it states of the record as it was delivered: to
the line it gives now, or None where it is out of scope and its raw text is not kept."""

Reproducer = Callable[[Header], MapAgain | None]
"""The header of an object to how its records are mapped again; None without that release."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How far to look."""

    deep: bool = False
    since: State | None = None
    sample: int | None = None
    seed: str = ""
    """Decides a sample; in the report, so that it can be drawn again."""
    part: Part | None = None
    statements: StatementCheck | None = None
    """Weighs sealed statements on completeness; asks for a verification of everything."""
    reproduce: Reproducer | None = None
    """Maps every unit again where the release that made it is installed; asks for `deep`."""
    examiner: Callable[[ObjectLeaf, bytes], Callable[[], Any]] | None = None
    """Looks into objects elsewhere (`examining.Examiner`); None: here, when they are counted."""

    @property
    def reads_everything(self) -> bool:
        """Whether the whole log is read, and every object."""
        return self.since is None and self.sample is None and self.part is None


class Run(msgspec.Struct, frozen=True, gc=False):
    """Messages of one stream a unit holds, for weighing them across units and parts."""

    source: str
    stream: str
    first: int
    last: int
    hashes: str
    """SHA-256 over the hashes of its messages, hex: equal runs are equal here."""
    hour: str
    key: str
    version: str
    unit: str


class Edges(msgspec.Struct, kw_only=True):
    """What only the parts together can weigh."""

    runs: list[Run] = []
    expired: dict[str, list[str]] = {}
    """Source to hours of which something is gone as it may be."""


class Judged(msgspec.Struct, frozen=True):
    """By what a verification judged, and how far it looked: parts of one have the same."""

    policy: str
    """SHA-256 of what was trusted and asked for, hex; `policy_sha256`."""
    deep: bool
    reproduce: bool


class Report(msgspec.Struct, kw_only=True):
    """What was looked at and what was found."""

    name: str
    now: int
    """The instant ages are judged at, milliseconds since the epoch."""
    findings: list[Finding] = []
    epochs: int = 0
    leaves: int = 0
    size: int = 0
    """Of the signed log."""
    root: str | None = None
    head: str | None = None
    """Key of its newest checkpoint that holds."""
    head_at: int | None = None
    """The sealer's clock at the newest signed epoch, milliseconds since the epoch."""
    head_age_ms: int | None = None
    listed: int = 0
    """Versions and delete markers the store listed."""
    objects: int = 0
    """Stored versions whose bytes were hashed."""
    bytes: int = 0
    records: int = 0
    """Records looked at line by line."""
    reproduced: int = 0
    """Records mapped again, to the same line."""
    units: dict[str, int] = {}
    """Units by what became of them, and claims that repeat another."""
    records_counted: dict[str, int] = {}
    """Records of counted units, by source."""
    statements: dict[str, int] = {}
    """Source hours and scopes by the verdict of the statement that stands on them."""
    canaries: dict[str, int] = {}
    """Probes of canaries by the result the statement on their hour gives."""
    without_statement: int = 0
    """Source hours and scopes of evidence no sealed statement speaks of."""
    rejected_deliveries: int = 0
    """Counted units that could not be decoded."""
    duplicate_records: int = 0
    """Records that another unit holds too, byte for byte; only told when looked at line by line."""
    linked_records: int = 0
    """Records that share a native id with others of other bytes."""
    not_rebuilt: int = 0
    """Counted units whose out-of-scope raw text was not kept: their hash cannot be recomputed."""
    expired: int = 0
    """Versions gone after lock and grace, as they may be."""
    flags: dict[str, int] = {}
    """Leaf flags, by how often."""
    anchors: list[Anchor] = []
    """The newest that holds, of each name."""
    not_checked: list[str] = []
    sample: str | None = None
    judged: Judged | None = None
    part: Part | None = None
    edges: Edges | None = None
    """Of a part: what `join` still has to weigh."""
    state: State | None = None

    @property
    def exit_code(self) -> int:
        """0 clean, else the gravest severity found."""
        return min((finding.meaning.severity for finding in self.findings), default=0)
