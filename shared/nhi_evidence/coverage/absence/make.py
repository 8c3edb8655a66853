"""Make the document from what was gathered, with the proof of every leaf it rests on."""

from __future__ import annotations

from nhi_evidence import __version__
from nhi_evidence.coverage.absence import anchored
from nhi_evidence.coverage.absence.conclude import conclude
from nhi_evidence.coverage.absence.document import (
    SCHEMA,
    AbsenceError,
    Document,
    Question,
    SealedObject,
    SealedRecord,
)
from nhi_evidence.coverage.absence.gather import Gathered
from nhi_evidence.coverage.counted import Record
from nhi_evidence.coverage.signed import Placed
from nhi_evidence.evidence import log, objects, proof, prove
from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import EvidenceVersions


def make(
    store: EvidenceVersions, stored: StoredLog, question: Question, gathered: Gathered
) -> Document:
    """Return the document. Raises `AbsenceError` where something is on record after all."""
    if gathered.matching:
        uids = ", ".join(one.head.metadata.uid or "?" for one in gathered.matching[:5])
        raise AbsenceError(f"on record: {len(gathered.matching)} records ({uids})")
    maker = _Maker(store, stored, {head.shard: head.epoch for head in gathered.log.heads})
    return Document(
        schema=SCHEMA,
        release=__version__,
        asked=question,
        sealed_until=gathered.log.at or 0,
        checkpoints={
            head.shard: stored.get(log.checkpoint_key(head.shard, head.epoch)) or b""
            for head in gathered.log.heads
        },
        readings=tuple(maker.of_object(at) for at, _ in gathered.readings),
        changes=tuple(maker.of_record(record) for record, _ in gathered.changes),
        plans=tuple(maker.of_object(at) for at, _ in gathered.plans),
        canaries=tuple(maker.of_record(record) for record, _ in gathered.canaries),
        statements=tuple(maker.of_object(at) for at, _ in gathered.statements),
        search=gathered.search,
        conclusion=conclude(question, gathered.ingredients()),
        anchors=tuple(anchored.gather(stored, gathered.log.heads)),
    )


class _Maker:
    def __init__(self, store: EvidenceVersions, stored: StoredLog, epochs: dict[str, int]) -> None:
        self._store = store
        self._stored = stored
        self._epochs = epochs

    def of_object(self, at: Placed) -> SealedObject:
        files = prove.entry(self._stored, at.shard, self._epochs[at.shard], at.index)
        return SealedObject(at.shard, files[proof.LEAF], files[proof.PROOF], self._body(at))

    def of_record(self, record: Record) -> SealedRecord:
        at = record.at
        table, lines = objects.read_object(self._body(at))
        for number, (unit, own) in enumerate(objects.lines_of(table, lines), start=1):
            if unit.unit != record.unit:
                continue
            for place, line in enumerate(own):
                if decode_line(line).i == record.index:
                    entry = prove.entry(self._stored, at.shard, self._epochs[at.shard], at.index)
                    return SealedRecord({**prove.record(table, number, own, place), **entry})
        raise AbsenceError(f"{at.key}: no longer holds record {record.index} of {record.unit}")

    def _body(self, at: Placed) -> bytes:
        body = next(iter(self._store.bodies([(at.key, at.vid)])))
        if body is None:
            raise AbsenceError(f"{at.key}: disappeared during reading")
        return body
