"""What verification can find. Step numbers are those of docs/verification.md."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import msgspec


class Severity(IntEnum):
    """What kind of problem a finding is; the lowest number present is the exit code."""

    INTEGRITY = 1
    COMPLETENESS = 2
    POLICY = 3


class Meaning(NamedTuple):
    """A row of the table of findings."""

    step: str
    severity: Severity
    text: str


_I, _C, _P = Severity.INTEGRITY, Severity.COMPLETENESS, Severity.POLICY

CODES: dict[str, Meaning] = {
    "log_missing": Meaning("V0", _I, "there is no sealed log under this name"),
    "plan_missing": Meaning("V0", _I, "an epoch before the newest has no plan"),
    "plan_void": Meaning("V0", _I, "a plan does not follow the log; it adds nothing"),
    "checkpoint_missing": Meaning("V0", _I, "an epoch before the newest has no checkpoint"),
    "checkpoint_pending": Meaning("V0", _P, "the newest epoch is not signed yet"),
    "checkpoint_overdue": Meaning("V0", _I, "an epoch is unsigned past the seal delay"),
    "log_unsigned": Meaning("V0", _I, "no checkpoint of the log is valid: nothing in it is sealed"),
    "head_stale": Meaning("V0", _P, "the newest checkpoint is older than an idle log's may be"),
    "checkpoint_invalid": Meaning("V0", _I, "not signed by a pinned key under the log's name"),
    "cosignature_missing": Meaning("V0", _I, "the policy requires ML-DSA-44; the head has none"),
    "checkpoint_mismatch": Meaning(
        "V0", _I, "a signed size or root differs from that of the plans"
    ),
    "leaf_false": Meaning("V0", _I, "a leaf states something that the log or store contradicts"),
    "shard_broken": Meaning("V0", _I, "a shard does not continue the one before it"),
    "clock_skew": Meaning("V0", _P, "the sealer's clock and the store's differ, or time ran back"),
    "config_changed": Meaning("V0", _P, "a setting of the store differs from the previous epoch's"),
    "anchor_invalid": Meaning(
        "V0", _P, "an anchor by a trusted name does not match its checkpoint"
    ),
    "anchor_missing": Meaning("V0", _P, "too few of the policy's names anchored the log recently"),
    "copy_differs": Meaning("V0", _I, "a checkpoint kept elsewhere differs from the log's: a fork"),
    "tile_missing": Meaning("V1", _I, "a tile or entry bundle is missing"),
    "tile_altered": Meaning("V1", _I, "a tile or entry bundle does not match the plans"),
    "rolled_back": Meaning("V1", _I, "the log is shorter than when it was last verified"),
    "split_view": Meaning("V1", _I, "the log is not an extension of the one last verified"),
    "sealed_twice": Meaning("V1", _I, "one version is in the log twice"),
    "object_missing": Meaning("V2", _I, "a sealed version is gone"),
    "object_altered": Meaning("V2", _I, "the stored bytes are not the sealed ones"),
    "key_hash": Meaning("V2", _I, "body hash does not match its key"),
    "no_checksum": Meaning("V2", _P, "the store kept no SHA-256, so the log holds none"),
    "undescribed": Meaning(
        "V2", _P, "sealed by name and size alone: the store did not describe it"
    ),
    "frame_invalid": Meaning("V2", _I, "not a single zstd frame of lines as the format requires"),
    "table_invalid": Meaning("V2", _I, "header or unit lines are not in the required form"),
    "table_root": Meaning("V2", _I, "the root of the table's tree differs from the sealed one"),
    "table_mismatch": Meaning("V2", _I, "the table does not match key and metadata"),
    "arithmetic": Meaning("V2", _I, "a unit line does not add up, or its lines do not agree"),
    "unit_hour": Meaning(
        "V2", _I, "a unit is in an object of a different hour than its name gives"
    ),
    "unit_root": Meaning("V3", _I, "the lines of a unit do not have the root in its unit line"),
    "line_invalid": Meaning("V3", _I, "a line is not permitted in its unit, or at its position"),
    "raw_hash": Meaning("V3", _I, "a raw text does not have the hash its record states"),
    "rebuild_mismatch": Meaning("V3", _I, "gaps and records do not give the delivered bytes"),
    "split_mismatch": Meaning("V3", _I, "the delivered text splits into different records"),
    "not_reproduced": Meaning("V3", _I, "mapping the raw text again gives a different line"),
    "unsealed": Meaning(
        "V4", _I, "a version is not in the log, although its hour was or should have been swept"
    ),
    "stray_key": Meaning("V4", _P, "a key that does not belong to the evidence or its log"),
    "marker": Meaning("V4", _P, "a delete marker was put on a key; it hides nothing"),
    "shadow": Meaning("V4", _P, "a later version was written to a key; it never counts"),
    "unit_contested": Meaning("V5", _I, "objects of one unit contradict each other"),
    "unit_incomplete": Meaning("V5", _C, "a unit has no complete set of parts"),
    "range_contested": Meaning("V5", _I, "one number of a stream has different messages"),
    "range_invalid": Meaning("V5", _I, "an object does not hold the messages its unit names"),
    "range_gap": Meaning("V5", _C, "numbers of a stream that no valid object holds"),
    "source_unknown": Meaning("V5", _P, "from a source this release does not know: not counted"),
    "mapper_unlisted": Meaning("V5", _P, "made by a release the policy does not list"),
    "part_missing": Meaning("V5", _C, "a part of a divided verification is missing"),
    "part_differs": Meaning("V5", _I, "parts of a divided verification saw different logs"),
    "statement_invalid": Meaning("V5", _I, "a completeness statement is not in the required form"),
    "statement_false": Meaning(
        "V5", _I, "a completeness statement claims more than the log supports"
    ),
    "canaries_invalid": Meaning("V5", _I, "a canary plan or statement is not in the required form"),
    "canaries_false": Meaning(
        "V5", _I, "a canary statement differs from what plans and records give"
    ),
    "hour_incomplete": Meaning("V5", _C, "something a source states it delivered is missing"),
    "short_lock": Meaning("V6", _P, "locked for less time than the policy requires"),
    "encryption": Meaning("V6", _P, "not encrypted as the policy requires"),
    "gone_early": Meaning("V6", _I, "gone before its lock and grace had ended"),
}


MOMENTARY = frozenset({"anchor_missing", "checkpoint_pending", "head_stale", "hour_incomplete"})
"""Codes that hold only at the moment of the verification; a later one judges them anew."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is wrong, and where."""

    code: str
    key: str
    version: str | None = None
    unit: str | None = None
    """Name of the unit."""
    record: int | None = None
    """Index of the record in its unit."""
    detail: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown code, as in a report or a state that is read back."""
        if self.code not in CODES:
            raise ValueError(f"no finding has the code {self.code[:40]!r}")

    @property
    def meaning(self) -> Meaning:
        """Step, severity and explanation of the code."""
        return CODES[self.code]
