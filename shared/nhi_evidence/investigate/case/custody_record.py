"""The record the evidence keeps of a case made from it: `op/v1/custody/` (one JSON object).

It binds `case.json`, and with it everything the case says is missing, by its hash. Sealed like
everything in the bucket, it reveals if somebody later removed an entry from the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from nhi_evidence.evidence import keys
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import sealed
from nhi_evidence.investigate.case import contents
from nhi_evidence.investigate.case.contents import CaseDocument, Custody, Hold
from nhi_evidence.ports import EvidenceVersions

KIND = "custody"
ENDING = ".case.json"


class CaseRecordOfCustody(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="case"):
    """One case, as the evidence remembers it. A function of the case alone, and so is its key."""

    v: int = 1
    case_sha256: str
    """SHA-256 of the exact bytes of `case.json`."""
    made_at: int
    """Milliseconds since the epoch, UTC, by the maker's clock: the maker's word, not a proof."""
    made_by: str
    """According to the maker; who wrote the object is in its metadata and in CloudTrail."""
    program: str
    question: Mapping[str, Any]
    head: str
    records: int
    proven: int
    incomplete: tuple[str, ...]
    unreadable_count: int
    legal_holds: tuple[Hold, ...] = ()


def make(document: CaseDocument, case: bytes, custody: Custody) -> tuple[str, bytes]:
    """Return key and body of a case's custody record; `case` is the bytes of its `case.json`."""
    body = contents.encode(
        CaseRecordOfCustody(
            case_sha256=sha256(case).hexdigest(),
            made_at=custody.made_at,
            made_by=custody.made_by,
            program=custody.program,
            question=custody.question,
            head=document.head,
            records=len(document.records),
            proven=sum(bool(record.proof) for record in document.records),
            incomplete=document.incomplete,
            unreadable_count=document.unreadable_count,
            legal_holds=custody.legal_holds,
        )
    )
    return f"{folder(custody.made_at)}{sha256(body).hexdigest()}{ENDING}", body


def folder(made_at: int) -> str:
    """Return the prefix for custody records of cases made in the same hour."""
    return f"op/v1/{KIND}/h={keys.hour_of(made_at)}/"


def read(body: bytes) -> CaseRecordOfCustody:
    """Decode a custody record. Raises `ValueError` if it is not one."""
    try:
        record = msgspec.json.decode(body, type=CaseRecordOfCustody)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a custody record of a case: {error}") from error
    if record.v != 1:
        raise ValueError(f"custody record version {record.v}, this reads 1")
    return record


def differences(case: bytes, custody: Custody, body: bytes | None) -> list[str]:
    """Return how a case differs from the custody record in it; `body` is that file, if any.

    This needs nothing but the case: whoever changes `case.json` has to make another record too,
    and that one is not in the evidence.
    """
    if custody.record is None:
        return [] if body is None else [f"{contents.RECORD}: {contents.CUSTODY} names no record"]
    if body is None:
        return [f"{contents.RECORD}: missing, and {contents.CUSTODY} names it"]
    if sha256(body).hexdigest() != keys.parse_key(custody.record).body_sha256:
        return [f"{contents.RECORD}: not the record that {contents.CUSTODY} names"]
    try:
        record = read(body)
    except ValueError as error:
        return [f"{contents.RECORD}: {error}"]
    wrong = []
    if record.case_sha256 != sha256(case).hexdigest():
        wrong.append(f"{contents.CASE}: not the one that {contents.RECORD} was written for")
    stated = (record.made_at, record.made_by, record.question, record.legal_holds)
    if stated != (custody.made_at, custody.made_by, custody.question, custody.legal_holds):
        wrong.append(f"{contents.CUSTODY}: contradicts {contents.RECORD}")
    if not custody.record.startswith(folder(record.made_at)):
        wrong.append(f"{contents.CUSTODY}: the record's key names a different hour")
    return wrong


class Sought(msgspec.Struct, frozen=True):
    """What the evidence says about a case's custody record."""

    findings: Sequence[str] = ()
    notes: Sequence[str] = ()
    """What is confirmed, or cannot be known yet, in words."""


def seek(store: EvidenceVersions, stored: StoredLog, custody: Custody) -> Sought:
    """Look for a case's record in the evidence, under the signed log.

    Raises `LogError` if the log does not match what its keys signed.
    """
    signed = sealed.listed(stored, sealed.heads(stored)).custody
    if custody.record is None:
        return _others(store, custody)
    leaf = next((each for each in signed if each.key == custody.record), None)
    if leaf is not None:
        (body,) = store.bodies([(leaf.key, leaf.vid)])
        if body is None or sha256(body).hexdigest() != keys.parse_key(leaf.key).body_sha256:
            return Sought([f"{leaf.key}: sealed, but its bytes are gone or different"])
        return Sought(notes=[f"its custody record is sealed: leaf {leaf.shard}/{leaf.leaf}"])
    if custody.record in set(store.keys(folder(custody.made_at))):
        return Sought(notes=["its custody record is in the evidence but not sealed yet"])
    return Sought([f"{custody.record}: no such custody record in the evidence"])


def _others(store: EvidenceVersions, custody: Custody) -> Sought:
    """Look for a record of another case made at the same instant, as this case names none."""
    for key in store.keys(folder(custody.made_at)):
        if not key.endswith(ENDING):
            continue
        try:
            record = read(store.get(key))
        except ValueError:
            continue  # whatever else is there is for `verify` to judge
        if record.made_at == custody.made_at:
            text = f"{key}: written for a case made at this instant, but not named by this one"
            return Sought([text])
    return Sought(notes=["the evidence has no custody record of a case made at that instant"])
