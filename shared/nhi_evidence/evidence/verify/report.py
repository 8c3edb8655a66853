"""What a verifier is told, and what it says."""

from __future__ import annotations

import msgspec

from nhi_evidence.evidence import anchor, note, sweep
from nhi_evidence.evidence.verify.chain import State
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.ports import EvidenceReader


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the verifier trusts, and what it was promised."""

    name: str
    keys: tuple[note.Key, ...]
    require_cosignature: bool = False
    """Whether the newest checkpoint must be cosigned by a pinned ML-DSA-44 key."""
    retention_ms: int = 0
    """Shortest lock of every version; 0 asks for none."""
    grace_ms: int = 0
    """Lifecycle may remove a version so long after its lock ended."""
    seal_delay_ms: int = sweep.HOUR_MS
    """A version may be unsealed for so long after its hour was to be swept (`sweep.period`)."""
    trusts: tuple[anchor.Trust, ...] = ()
    """Whose anchors are believed."""
    copies: tuple[tuple[str, EvidenceReader], ...] = ()
    """Stores in other hands that keep copies of checkpoints, by name."""
    anchors_required: int = 0
    """So many names, copies among them, must have spoken of the log ..."""
    anchor_age_ms: int = sweep.DAY_MS
    """... and of a checkpoint not older than this when the newest one was signed."""


class Anchor(msgspec.Struct, frozen=True):
    """What somebody outside said, and it holds."""

    name: str
    shard: str
    epoch: int
    at: int
    """When they saw the checkpoint, milliseconds since the epoch; of a copy, when it was sealed."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How far to look."""

    deep: bool = False
    since: State | None = None
    sample: int | None = None
    seed: str = ""
    """Decides a sample; said in the report, so that it can be drawn again."""

    @property
    def everything_inside(self) -> bool:
        """Whether every object is looked into: only then does a gap in a stream mean anything."""
        return self.deep and self.since is None and self.sample is None


class Report(msgspec.Struct, kw_only=True):
    """What was looked at and what was found."""

    name: str
    findings: list[Finding] = []
    epochs: int = 0
    leaves: int = 0
    size: int = 0
    root: str | None = None
    objects: int = 0
    """Stored versions whose bytes were hashed."""
    bytes: int = 0
    records: int = 0
    """Records looked at one by one."""
    units: dict[str, int] = {}
    records_counted: dict[str, int] = {}
    """Records of counted units, by source."""
    expired: int = 0
    """Versions gone after lock and grace, as they may be."""
    anchors: list[Anchor] = []
    """The newest that holds, of each name."""
    not_checked: list[str] = []
    sample: str | None = None
    state: State | None = None

    @property
    def exit_code(self) -> int:
        """0 clean, else the gravest severity found."""
        return min((one.meaning.severity for one in self.findings), default=0)
