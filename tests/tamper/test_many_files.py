"""`verify --reproduce` finds the false records among ten thousand CloudTrail files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import partial

import msgspec
import pytest

from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import note
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.verify import Options, Policy, Report, Verifier
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.reproduce import Reproducer
from nhi_evidence.pipeline.scope import Scope
from tests.memory_store import DAY_MS, MemoryStore
from tests.signing import LocalSigner
from tests.tamper.editing import EditedObject, EditedUnit

FILES, AT_ONCE, RECORDS = 10_000, 100, 6
NAME = "example.org/evidence"
NOW = 1_790_000_000_000


class Trail:
    """A store filled by a writer that forged some objects before putting them."""

    def __init__(self, files: int, *, keeps: bool) -> None:
        """Write this many files; `keeps` says whether out-of-scope raw text is kept."""
        self.store = MemoryStore(now=lambda: NOW)
        self.mapper = Mapper("aws_cloudtrail", scope=Scope.NHI, keep_out_of_scope_raw=keeps)
        self.expected: list[tuple[str, str]] = []
        for start in range(0, files, AT_ONCE):
            batch = [_file(number) for number in range(start, start + AT_ONCE)]
            lock_batch(self.mapper, batch, self.store)

    def forge(self, number: int, change: Callable[[EditedUnit], None], code: str) -> None:
        """Put a forged object instead of the genuine one, which was never put."""
        key = list(self.store.keys("ev/"))[number]
        edited = EditedObject(self.store.get(key))
        change(next(unit for unit in edited.units if unit.line["kept"] > 1))
        edited.reroot()
        self.store.remove(key)
        forged = edited.key(key)
        self.store.add(forged, edited.body(), edited.metadata())
        if code:
            self.expected.append((code, forged))

    def verify(self) -> Report:
        """Seal everything and verify it, mapping every record again."""
        signer = LocalSigner("log")
        lock_policy = LockPolicy(retention_ms=DAY_MS)
        Sealer(self.store, [signer], lambda: NOW, name=NAME, lock_policy=lock_policy).run(
            everything=True
        )
        policy = Policy(
            name=NAME,
            keys=(note.from_spki(NAME, signer.public_key()),),
            mappers=(self.mapper.identity.digest,),
        )
        options = Options(deep=True, reproduce=Reproducer())
        return Verifier(self.store, policy, now=NOW, options=options).run()


def _file(number: int) -> Delivery:
    hour = f"20260302{number % 24:02d}"
    body = gzip.compress(bulk(seed=number, records=RECORDS), 1, mtime=0)
    return Delivery(f"trail/AWSLogs/{number}.json.gz@1!h={hour}", body)


def _kept(unit: EditedUnit) -> int:
    return next(place for place, line in enumerate(unit.lines) if b'"n":' in line)


def _false(unit: EditedUnit) -> None:
    """State another severity for a record than its text gives."""
    place = _kept(unit)
    unit.lines[place] = unit.lines[place].replace(b'"severity_id":0', b'"severity_id":1', 1)


def _removed(unit: EditedUnit, *, keeps: bool) -> None:
    """Remove a record and state that it was a person's."""
    place = _kept(unit)
    parsed = json.loads(unit.lines[place])
    line = {"u": parsed["u"], "i": parsed["i"], "o": "human", "r": parsed["r"]}
    unit.lines[place : place + 1] = [msgspec.json.encode(line)] if keeps else []
    excluded = unit.line["out_of_scope"]
    excluded["human"] = excluded.get("human", 0) + 1
    unit.line["out_of_scope"] = dict(sorted(excluded.items()))
    unit.line["kept"] -= 1
    if not keeps:
        unit.line["rebuild"] = "no"


@pytest.mark.slow
def test_false_records_among_ten_thousand_files_are_found() -> None:
    """A false record, and one wrongly declared out of scope with its raw text kept, are found
    exactly.
    """
    trail = Trail(FILES, keeps=True)
    trail.forge(7, _false, "not_reproduced")
    trail.forge(50, partial(_removed, keeps=True), "not_reproduced")
    report = trail.verify()
    assert sorted(trail.expected) == sorted((each.code, each.key) for each in report.findings)
    assert FILES * RECORDS - 2 * _records_of_an_object(report) <= report.reproduced
    assert report.units["counted"] > FILES - 2 * AT_ONCE


def _records_of_an_object(report: Report) -> int:
    return -(-report.records // report.objects) * 2


@pytest.mark.slow
def test_without_the_raw_text_unprovable_records_are_named() -> None:
    """Out-of-scope records without raw text are named; a false record is found all the same."""
    trail = Trail(FILES, keeps=False)
    trail.forge(7, _false, "not_reproduced")
    trail.forge(50, partial(_removed, keeps=False), "")
    report = trail.verify()
    assert trail.expected == [(each.code, each.key) for each in report.findings]
    (line,) = (
        line for line in report.not_checked if "only the writer states what they are" in line
    )
    stored = (EditedObject(trail.store.get(key)) for key in trail.store.keys("ev/"))
    out_of_scope = (unit.line["out_of_scope"].values() for one in stored for unit in one.units)
    assert f"mapping {sum(map(sum, out_of_scope)):,} records again" in line
    assert report.not_rebuilt > 0
