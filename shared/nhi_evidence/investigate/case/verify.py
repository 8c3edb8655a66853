"""Check a case: the bag, every proof against pinned keys, and the timeline against the proofs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from nhi_evidence import plural
from nhi_evidence.evidence import bundle, flags, proof
from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.evidence.verify import Policy
from nhi_evidence.investigate import row_reading
from nhi_evidence.investigate.case import bag, contents, custody_record
from nhi_evidence.investigate.case.contents import CaseDocument, CaseRecord, Custody
from nhi_evidence.investigate.case.custody_record import Sought
from nhi_evidence.investigate.row import Place, Standing

_MAX_DOCUMENT_BYTES = 128 << 20
"""More than a case of `bag.MAX_FILES` files needs; decoded, it takes many times its size."""

_MAX_RECORD_BYTES = 64 << 20
_DocumentT = TypeVar("_DocumentT", CaseDocument, Custody)


class CaseReport(msgspec.Struct, kw_only=True):
    """The result of checking a case."""

    subject: str = ""
    """What the case was made of, in words."""
    records: int = 0
    """Records in the case."""
    proven: int = 0
    """Records of the case that are proven to be in the signed log."""
    unproven: list[str] = []
    """Records for which the case itself says it has no proof, and why."""
    findings: list[str] = []
    """What is not as the case says; empty for a case that holds."""
    incomplete: list[str] = []
    """Why the case may lack records, by its own account: unreadable, contested or cut off."""
    unreadable: list[str] = []
    """The first things that could not be read when it was made, and why."""
    custody: list[str] = []
    """What the evidence says about the case's custody record, if it was asked."""
    not_checked: list[str] = []
    """What this run did not look at, and what would."""

    @property
    def holds(self) -> bool:
        """Whether everything it says it proves is proven."""
        return not self.findings

    @property
    def verdict(self) -> str:
        """The worst that applies: a case only holds if it knows of nothing it lacks."""
        if not self.holds:
            return "DOES NOT HOLD"
        if self.incomplete or self.unproven:
            return "INCOMPLETE"
        return "HOLDS" if self.records else "NOTHING TO PROVE"


def check(
    files: bag.Files,
    policy: Policy,
    progress: Callable[[str, int], None] = lambda _what, _done: None,
    seek: Callable[[Custody], Sought] | None = None,
) -> CaseReport:
    """Check a case against a policy: its keys, anchors, and the cosignature it may require.

    `seek` looks for its custody record in the evidence. Raises `BagError` if it is not a case.
    """
    report = CaseReport(findings=bag.check(files))
    case = _document(files)
    report.subject, report.records = case.subject, len(case.records)
    report.incomplete, report.unreadable = _incomplete(case), list(case.unreadable)
    names = _proof_files(files)
    claimed = {record.proof for record in case.records if record.proof}
    own = set(names)
    unclaimed = sorted(own - claimed)
    report.findings += [f"{name}: a proof without a record" for name in unclaimed]
    report.findings += _repeated(case)
    order = [record.time for record in case.records]
    if order != sorted(order):
        report.findings.append(f"{contents.CASE}: records not in chronological order")
    for done, record in enumerate(case.records):
        progress("proofs", done)
        where = f"record {done + 1} ({record.uid or record.raw_sha256[:16]})"
        if not record.proof:
            report.unproven.append(f"{where}: {record.unproven or 'no reason is given'}")
            continue
        # Its files are taken out, and never read again: a case could name one a million times.
        proof_names = names.pop(record.proof, None)
        if proof_names is None and record.proof in own:
            report.findings.append(f"{where}: its proof is that of an earlier record")
            continue
        try:
            _check_record(files, proof_names or [], record, policy)
        except (proof.ProveError, bag.BagError, ValueError) as error:
            report.findings.append(f"{where}: {error}")
        else:
            report.proven += 1
    report.findings += _timeline_differs(files, case)
    report.not_checked = _NOT_CHECKED + [
        f"what {contents.STATEMENTS}{name} states" for name in case.statements
    ]
    _check_custody(files, report, seek)
    return report


def _check_custody(
    files: bag.Files, report: CaseReport, seek: Callable[[Custody], Sought] | None
) -> None:
    """Compare case.json with the custody record: nothing else binds what it says is missing."""
    custody = _read(files, contents.CUSTODY, Custody)
    is_there = bag.PAYLOAD + contents.RECORD in set(files.names())
    record = files.read(bag.PAYLOAD + contents.RECORD, _MAX_RECORD_BYTES) if is_there else None
    case = files.read(bag.PAYLOAD + contents.CASE, _MAX_DOCUMENT_BYTES)
    report.findings += custody_record.differences(case, custody, record)
    if custody.record is None:
        report.not_checked.append(
            f"what {contents.CASE} says is missing: no custody record was written "
            f"({custody.no_record or 'no reason is given'}), so it rests on the word of whoever "
            "made the case"
        )
    if seek is not None:
        sought = seek(custody)
        report.findings += sought.findings
        report.custody += sought.notes
    elif custody.record is not None:
        report.not_checked.append(
            f"whether the evidence has {custody.record}: without it (--evidence), a second "
            "case with a second record would not be noticed"
        )


_NOT_CHECKED = [
    "that nothing was left out of the case: this needs the evidence (verify, timeline)",
    "how each record counts in its unit, by the word of the case: this needs the evidence, too",
    f"what {contents.TIMELINE} says in words; its records are compared",
    f"what {contents.README}, {contents.KEYS} and {contents.REPORT} say, which anybody can change",
]


def _incomplete(case: CaseDocument) -> list[str]:
    """Return what the case says it lacks, or what its records show if it says nothing."""
    reasons = list(case.incomplete)
    contested = sum(record.standing == Standing.CONTESTED for record in case.records)
    if case.unreadable_count or case.unreadable:
        number = max(case.unreadable_count, len(case.unreadable))
        unread = plural.count(number, "object or line", "objects or lines")
        reasons = reasons or [f"{unread} could not be read"]
    if contested:
        reasons = reasons or [f"{contested} of its records are in contested units"]
    return reasons


def _repeated(case: CaseDocument) -> Iterator[str]:
    """Yield each record that the case has twice: it would be proven twice by one proof."""
    places: dict[tuple[str, str, int], int] = {}
    for number, record in enumerate(case.records, start=1):
        first = places.setdefault((record.object, record.unit, record.line), number)
        if first != number:
            yield f"record {number}: the same as record {first}"


def _document(files: bag.Files) -> CaseDocument:
    return _read(files, contents.CASE, CaseDocument)


def _read(files: bag.Files, name: str, kind: type[_DocumentT]) -> _DocumentT:
    data = files.read(bag.PAYLOAD + name, _MAX_DOCUMENT_BYTES)
    try:
        document = msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise bag.BagError(f"{name}: {error}") from error
    if document.v != contents.VERSION:
        raise bag.BagError(f"{name}: version {document.v}")
    try:
        json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise bag.BagError(f"{name}: {error}") from error
    return document


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Return the members of an object. Raises `ValueError` for a name that occurs twice.

    A reader may show the first of two values, and these checks the last.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _proof_files(files: bag.Files) -> dict[str, list[str]]:
    folder = bag.PAYLOAD + contents.PROOFS
    names: dict[str, list[str]] = {}
    for name in files.names():
        if name.startswith(folder):
            inside = name.removeprefix(bag.PAYLOAD).rpartition("/")
            names.setdefault(inside[0], []).append(inside[2])
    return names


def _check_record(
    files: bag.Files, names: Sequence[str], record: CaseRecord, policy: Policy
) -> None:
    if not names:
        raise bag.BagError(f"{record.proof}: no such proof")
    proof_files = _read_proof(files, names, record.proof)
    checked = proof.check(
        proof_files,
        policy.keys,
        policy.name,
        policy.trusts,
        require_cosignature=policy.require_cosignature,
    )
    kept = decode_line(proof_files[proof.RECORD])
    place = Place(record.object, record.unit, record.line, record.shard, record.leaf)
    row = row_reading.read(kept.n, "", place)
    stated = (
        *(record.time, record.uid, record.raw_sha256, record.object, record.unit, record.line),
        *(record.shard, record.leaf),
    )
    shard = checked.origin.rpartition("/")[2]
    actual = (
        *(row.time, row.uid, row.raw_sha256, checked.key, checked.unit, kept.i),
        *(shard, checked.index),
    )
    if stated != actual:
        raise proof.ProveError(f"{record.proof} proves a different record than the case states")
    if {flags.KEY_HASH, flags.SHADOW} & set(checked.flags):
        raise proof.ProveError(f"{record.proof} is of an object that is never counted")


def _read_proof(files: bag.Files, names: Sequence[str], folder: str) -> dict[str, bytes]:
    """Return the files of a proof that are checked, no more of them than a bundle may have."""
    checked = [name for name in names if name in proof.SIZES or name.startswith(proof.ANCHOR)]
    if len(checked) > bundle.MAX_FILES:
        raise bag.BagError(f"{folder}: {len(checked)} files")
    proof_files: dict[str, bytes] = {}
    left = bundle.MAX_BUNDLE_BYTES
    for name in checked:
        limit = min(left, proof.SIZES.get(name, bundle.MAX_OTHER_BYTES))
        proof_files[name] = files.read(f"{bag.PAYLOAD}{folder}/{name}", limit)
        left -= len(proof_files[name])
    return proof_files


def _timeline_differs(files: bag.Files, case: CaseDocument) -> list[str]:
    """Return how the timeline differs from the records of `case.json`."""
    data = files.read(bag.PAYLOAD + contents.TIMELINE, _MAX_DOCUMENT_BYTES)
    try:
        timeline = msgspec.json.decode(data, type=_Timeline)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return [f"{contents.TIMELINE}: {error}"]
    ours = [(each.time, each.uid, each.raw_sha256) for each in case.records]
    theirs = [(step.row.time, step.row.uid, step.row.raw_sha256) for step in timeline.path.steps]
    return [] if ours == theirs else [f"{contents.TIMELINE}: differs from {contents.CASE}"]


class _TimelineRow(msgspec.Struct):
    time: int
    raw_sha256: str
    uid: str | None = None


class _TimelineStep(msgspec.Struct):
    row: _TimelineRow


class _TimelinePath(msgspec.Struct):
    steps: tuple[_TimelineStep, ...]


class _Timeline(msgspec.Struct):
    path: _TimelinePath
