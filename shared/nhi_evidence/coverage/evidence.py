"""What the sealed evidence itself says about coverage: readings, setting changes, canaries."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nhi_evidence.coverage import changes, reading_file, signed
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.canary import sealed
from nhi_evidence.coverage.canary.weigh import Seen, Sightings, Weighed
from nhi_evidence.coverage.changes import Change
from nhi_evidence.coverage.counted import Reader
from nhi_evidence.coverage.signed import Placed, SignedLog
from nhi_evidence.evidence import counting
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import EvidenceVersions

MARKS = (
    b"StopLogging",
    b"StartLogging",
    b"PutEventSelectors",
    b"DeleteTrail",
    b"UpdateTrail",
    b"SetIamPolicy",
    b"etIAMPolicy",
    b"Sink",
    b"iagnosticSettings/",
    b"IAGNOSTICSETTINGS/",
)
"""A line without any of these changes no setting we judge by."""


def is_change(line: bytes) -> bool:
    """Whether a line may be a record that changes a setting."""
    return any(mark in line for mark in MARKS)


class Observed(msgspec.Struct, frozen=True):
    """What a sealed log says about coverage."""

    log: SignedLog
    readings: tuple[tuple[Placed, Reading], ...]
    changes: tuple[tuple[Placed, Change], ...]
    canaries: tuple[Weighed, ...]
    """What became of every announced probe."""
    contradicted: dict[str, str]
    """Key of each sealed statement on canaries that the records do not bear out, to its claims."""
    unreadable: dict[str, str]
    """Key of each object that cannot be read, to the reason; the rest leaves it out."""


def observed(store: EvidenceVersions, stored: StoredLog, accepted: Sequence[str] = ()) -> Observed:
    """Read what the evidence says. Raises `LogError` where the log is inconsistent.

    `accepted` are the mapper digests a policy accepts, the latest last. A contested record
    changes nothing: neither side of a contradiction decides.
    """
    log = signed.read(stored)
    problems: dict[str, str] = {}
    readings = tuple(reading_file.sealed(store, log.of("op", reading_file.KIND), problems))
    planned = list(sealed.read(store, log, problems))
    sightings = Sightings(plan for _, plan in planned)
    nonces = sightings.nonces
    reader = Reader(store, accepted)
    every_change: list[tuple[Placed, Change]] = []

    def is_marked(line: bytes) -> bool:
        return is_change(line) or nonces(line)

    for record in reader.records_of(log.of("ev"), is_marked):
        if record.status is not counting.Status.COUNTED:
            continue
        every_change += (
            (record.at, change)
            for change in changes.of_record(
                record.pack,
                record.raw,
                at=record.head.time,
                uid=record.head.metadata.uid or "",
                outcome=record.head.nhi_outcome,
            )
        )
        sightings.add(Seen(record.head, record.raw, record.at.locked_at, record.at.key))
    canaries = sealed.weighed(planned, sightings, log.at or 0)
    contradicted = dict(sealed.contradicted(store, log, canaries, problems))
    unreadable = {**problems, **reader.unreadable}
    return Observed(log, readings, tuple(every_change), canaries, contradicted, unreadable)
