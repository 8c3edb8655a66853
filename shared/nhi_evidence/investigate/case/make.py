"""Make a case: records with their proofs, the timeline, and who made it, in one bag."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO

import msgspec

from nhi_evidence.evidence import note, prove
from nhi_evidence.investigate.case import bag, contents, custody_record
from nhi_evidence.investigate.proofs import Prover
from nhi_evidence.investigate.report import page as report
from nhi_evidence.investigate.row import Place
from nhi_evidence.investigate.timeline import Timeline

_CHECKED_BY = (
    "python3 check_case.py CASE.zip 'NAME+ID+KEY'",
    "nhi-evidence case verify CASE.zip --key 'NAME+ID+KEY'",
)


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into a case besides records and proofs."""

    timeline: Timeline
    timeline_as_json: bytes
    """`timeline.json`."""
    log_name: str
    keys: tuple[note.Key, ...]
    custody: contents.Custody
    made_on: str
    """Day, UTC, `2026-03-02`."""
    statements: Mapping[str, bytes] = {}
    """File name to content."""
    write_record: Callable[[str, bytes], None] | None = None
    """Writes the custody record, key and body, into the evidence; if None, `custody` says why
    there is no record."""


class WrittenCase(msgspec.Struct, frozen=True):
    """What became of the records."""

    proofs: Mapping[Place, str]
    """Folder of each record's proof."""
    unproven: Mapping[Place, str]
    """Why a record has no proof."""
    custody: contents.Custody
    """`custody.json` as written into the case."""


def make(
    sink: BinaryIO,
    parts: Parts,
    prover: Prover,
    progress: Callable[[str, int], None] = lambda _what, _done: None,
) -> WrittenCase:
    """Write a case as a zip."""
    with bag.Writer(sink, "case") as writer:
        proofs, unproven = _put_proofs(writer, prover, parts.timeline, progress)
        for name, data in parts.statements.items():
            writer.add(contents.STATEMENTS + name, data)
        document = contents.document(
            parts.timeline, parts.log_name, proofs, unproven, parts.statements
        )
        case, custody = contents.encode(document), parts.custody
        writer.add(contents.CASE, case)
        if parts.write_record is not None:
            key, record = custody_record.make(document, case, custody)
            # Before the case is complete: no case is handed over that is not on record.
            parts.write_record(key, record)
            custody = msgspec.structs.replace(custody, record=key, no_record=None)
            writer.add(contents.RECORD, record)
        for name, data in _documents(parts, custody):
            writer.add(name, data)
        writer.close(
            {
                "Bagging-Date": parts.made_on,
                "Bag-Software-Agent": parts.custody.program,
                "External-Description": "a case of nhi-evidence",
            }
        )
    return WrittenCase(proofs, unproven, custody)


def _put_proofs(
    writer: bag.Writer, prover: Prover, timeline: Timeline, progress: Callable[[str, int], None]
) -> tuple[dict[Place, str], dict[Place, str]]:
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
    return proofs, unproven


def _documents(parts: Parts, custody: contents.Custody) -> Iterable[tuple[str, bytes]]:
    yield contents.README, contents.shipped(contents.README)
    yield contents.CHECKER, contents.shipped(contents.CHECKER)
    yield contents.PROOF_CHECKER, contents.proof_checker()
    yield contents.KEYS, prove.keys_file(parts.keys)
    yield contents.CUSTODY, contents.encode(custody)
    yield contents.TIMELINE, parts.timeline_as_json
    yield contents.REPORT, report.page(parts.timeline, verify=_CHECKED_BY)
