"""Making a case: records with their proofs, the story, and who made it, in one bag."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO

import msgspec

from nhi_evidence.evidence import note, prove
from nhi_evidence.investigate.case import bag, contents
from nhi_evidence.investigate.proofs import Prover
from nhi_evidence.investigate.report import page as report
from nhi_evidence.investigate.row import Place
from nhi_evidence.investigate.timeline import Timeline

_CHECKED_BY = (
    "python3 check_case.py CASE.zip 'NAME+ID+KEY'",
    "nhi-evidence case verify CASE.zip --key 'NAME+ID+KEY'",
)


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into a case beside records and proofs."""

    timeline: Timeline
    timeline_as_json: bytes
    """`timeline.json`."""
    log_name: str
    keys: tuple[note.Key, ...]
    custody: contents.Custody
    made_on: str
    """Day, UTC, `2026-03-02`."""
    statements: Mapping[str, bytes] = {}
    """By file name."""


class Made(msgspec.Struct, frozen=True):
    """What became of the records."""

    proofs: Mapping[Place, str]
    """Folder of the proof of each."""
    unproven: Mapping[Place, str]
    """Why there is none."""


def make(
    sink: BinaryIO,
    parts: Parts,
    prover: Prover,
    progress: Callable[[str, int], None] = lambda _what, _done: None,
) -> Made:
    """Write a case as a zip."""
    writer = bag.Writer(sink, "case")
    made = _put_proofs(writer, prover, parts.timeline, progress)
    for name, data in parts.statements.items():
        writer.add(contents.STATEMENTS + name, data)
    for name, data in _documents(parts, made):
        writer.add(name, data)
    writer.close(
        {
            "Bagging-Date": parts.made_on,
            "Bag-Software-Agent": parts.custody.program,
            "External-Description": "a case of nhi-evidence",
        }
    )
    return made


def _put_proofs(
    writer: bag.Writer, prover: Prover, timeline: Timeline, progress: Callable[[str, int], None]
) -> Made:
    places = [step.row.place for step in timeline.path.steps]
    numbers = {place: number for number, place in enumerate(places, start=1)}
    proofs: dict[Place, str] = {}
    unproven: dict[Place, str] = {}
    for done, (place, files) in enumerate(prover.prove(places)):
        progress("records", done)
        if isinstance(files, str):
            unproven[place] = files
            continue
        folder = f"{contents.PROOFS}{numbers[place]:06d}"
        for name, data in files.items():
            writer.add(f"{folder}/{name}", data)
        proofs[place] = folder
    return Made(proofs, unproven)


def _documents(parts: Parts, made: Made) -> Iterable[tuple[str, bytes]]:
    document = contents.document(
        parts.timeline, parts.log_name, made.proofs, made.unproven, parts.statements
    )
    yield contents.README, contents.shipped(contents.README)
    yield contents.CHECKER, contents.shipped(contents.CHECKER)
    yield contents.PROOF_CHECKER, contents.proof_checker()
    yield contents.KEYS, prove.keys_file(parts.keys)
    yield contents.CASE, contents.encode(document)
    yield contents.CUSTODY, contents.encode(parts.custody)
    yield contents.TIMELINE, parts.timeline_as_json
    yield contents.REPORT, report.page(parts.timeline, verify=_CHECKED_BY)
