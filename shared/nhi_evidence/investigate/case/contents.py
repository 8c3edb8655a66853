"""What a case contains: the names of its files, and how each is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

import msgspec

from nhi_evidence.evidence import bundle
from nhi_evidence.investigate.row import Place
from nhi_evidence.investigate.timeline import Timeline

VERSION = 1
README, CHECKER = "README.md", "check_case.py"
PROOF_CHECKER = "check_proof.py"
CASE, KEYS, CUSTODY, RECORD, TIMELINE, REPORT = (
    "case.json", "keys.txt", "custody.json", "custody-record.json", "timeline.json", "report.html",
)  # fmt: skip
PROOFS = "proofs/"
STATEMENTS = "statements/"
MAX_UNREADABLE = 100


class CaseRecord(msgspec.Struct, frozen=True):
    """One record of a case, and the folder of its proof."""

    proof: str
    """Folder under `data/`; empty if there is no proof."""
    time: int
    uid: str | None
    raw_sha256: str
    object: str
    unit: str
    line: int
    shard: str
    leaf: int
    standing: str
    unproven: str | None = None
    """Why there is no proof."""


class CaseDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`case.json`: what the case is about, and its records in chronological order."""

    v: int = VERSION
    subject: str
    log: str
    """Name of the log; empty for a case that proves nothing."""
    head: str
    first: int | None
    last: int | None
    records: tuple[CaseRecord, ...]
    statements: tuple[str, ...]
    """Files under `statements/` with any statements on coverage, completeness and absence."""
    incomplete: tuple[str, ...]
    """Reasons why it may lack records that match the question; empty if none is known."""
    unreadable: tuple[str, ...]
    """Objects and lines that could not be read, and why: the first `MAX_UNREADABLE`."""
    unreadable_count: int
    """How many there are in all."""


class Hold(msgspec.Struct, frozen=True):
    """One version of an object under legal hold."""

    object: str
    vid: str


class Custody(msgspec.Struct, frozen=True, kw_only=True):
    """`custody.json`: who made the case, when, from what and with what."""

    v: int = VERSION
    made_at: int
    """Milliseconds since the epoch, UTC, by the maker's clock: the maker's word, not a proof."""
    made_by: str
    """According to the maker."""
    program: str
    evidence: str
    question: Mapping[str, Any]
    """The selection, so that it can be repeated."""
    record: str | None = None
    """Key of this case's record in the evidence, whose bytes are `custody-record.json`."""
    no_record: str | None = None
    """Why there is no record."""
    legal_holds: tuple[Hold, ...] = ()
    """What was put under legal hold when the case was made."""


def document(
    timeline: Timeline,
    log: str,
    proofs: Mapping[Place, str],
    unproven: Mapping[Place, str],
    statements: Iterable[str],
) -> CaseDocument:
    """Compose `case.json`; `proofs` are folders, `unproven` reasons for having no proof."""
    steps = timeline.path.steps
    return CaseDocument(
        subject=timeline.subject,
        log=log,
        head=timeline.freshness.head,
        first=steps[0].row.time if steps else None,
        last=steps[-1].row.time if steps else None,
        records=tuple(
            CaseRecord(
                proof=proofs.get(step.row.place, ""),
                time=step.row.time,
                uid=step.row.uid,
                raw_sha256=step.row.raw_sha256,
                object=step.row.place.object,
                unit=step.row.place.unit,
                line=step.row.place.line,
                shard=step.row.place.shard,
                leaf=step.row.place.leaf,
                standing=step.row.place.standing,
                unproven=unproven.get(step.row.place),
            )
            for step in steps
        ),
        statements=tuple(statements),
        incomplete=incomplete(timeline),
        unreadable=timeline.freshness.unreadable[:MAX_UNREADABLE],
        unreadable_count=timeline.freshness.unreadable_count,
    )


def incomplete(timeline: Timeline) -> tuple[str, ...]:
    """Return why a timeline may lack records: some are unreadable, contested or cut off."""
    return tuple(gap.text for gap in timeline.gaps if gap.makes_incomplete)


def shipped(name: str) -> bytes:
    """Return a file that every case carries, in this release's version."""
    return files("nhi_evidence.investigate.case").joinpath(name).read_bytes()


def proof_checker() -> bytes:
    """Return the program that checks one proof, as every proof bundle carries it."""
    return bundle.released(bundle.CHECKER)


def encode(value: object) -> bytes:
    """Return indented JSON, meant to be read by people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
