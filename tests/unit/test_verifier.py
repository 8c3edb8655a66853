"""Verification beyond the matrix: incremental, reproducing, sampled, and of the unknowable."""

from __future__ import annotations

import gzip
import resource
import tempfile
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.adapters.store import copying
from nhi_evidence.adapters.store.copying import CopyState
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.adapters.store.spilling import SpillingSorter
from nhi_evidence.demo.story import generate
from nhi_evidence.event import Delivery, Undecodable
from nhi_evidence.evidence.lines import Header
from nhi_evidence.evidence.verify import MemorySorter, Options, State, Verifier, decoding, verifier
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.reproduce import Reproducer
from tests.memory_store import DAY_MS
from tests.tamper import object_rows, rows, unit_rows
from tests.tamper.editing import EditedObject, EditedUnit
from tests.tamper.sealed_store import HOUR, HOUR_MS, SealedStore, mapper


def codes(report: object) -> list[str]:
    return [finding.code for finding in report.findings]  # type: ignore[attr-defined]


def state_of(world: SealedStore) -> State:
    state = world.verify().state
    assert state is not None
    return state


def test_an_incremental_verification_weighs_new_claims_against_old() -> None:
    """A false copy of a unit that was verified before is contested, not counted again."""
    world = SealedStore()
    state = state_of(world)
    unit_rows.two_contents(world)
    report = world.verify(since=state, deep=False)
    assert ["unit_contested"] == codes(report)
    assert any("what was verified before" in line for line in report.not_checked)


def test_a_state_is_saved_with_its_findings() -> None:
    """Starting after a finding does not make it disappear."""
    world = SealedStore()
    rows.marker(world)
    state = state_of(world)
    report = world.verify(since=state)
    assert ["marker"] == codes(report)
    assert 3 == report.exit_code


def test_what_was_pending_at_a_state_is_checked_later() -> None:
    """Objects not sealed then must be sealed now; otherwise that is a finding."""
    world = SealedStore()
    body = b"late"
    key = f"op/v1/custody/h={HOUR}/" + sha256(body).hexdigest()
    world.store.put_new(key, body, metadata={})
    state = state_of(world)
    assert ((key, world.store.first(key).id),) == state.waiting
    world.now += 10 * DAY_MS
    overdue = world.verify(since=state)
    assert "unsealed" in codes(overdue)
    world.seal()
    assert [] == codes(world.verify(since=state))


def test_a_state_resumes_at_the_last_signed_epoch() -> None:
    """An epoch that was pending when the state was saved causes no false alarm later."""
    world = SealedStore()
    world.store.add(world.key_of("ev/"), world.store.get(world.key_of("ev/")))
    world.seal()
    kept = world.store.first(world.checkpoint(4))
    world.store.remove(world.checkpoint(4))
    pending = world.verify()
    assert "checkpoint_pending" in codes(pending)
    assert pending.state is not None
    assert 3 == pending.state.epoch
    world.store.versions_by_key[world.checkpoint(4)] = [kept]
    resumed = world.verify(since=msgspec.structs.replace(pending.state, findings=()))
    assert ["shadow"] == codes(resumed)


def test_a_state_without_everything_pending_is_not_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything missing from a state would count as sealed before it."""
    world = SealedStore()
    for number in range(3):
        body = b"late %d" % number
        key = f"op/v1/custody/h={HOUR}/" + sha256(body).hexdigest()
        world.store.put_new(key, body, metadata={})
    assert 3 == len(state_of(world).waiting)
    monkeypatch.setattr(verifier, "MOST_WAITING", 2)
    assert world.verify().state is None


def test_what_was_found_unsealed_never_counts_later() -> None:
    """Having the finding in a state does not make the claim count as sealed before."""
    world = SealedStore()
    key = world.key_of("ev/")
    unit = world.edit(key).units[0].line["unit"]
    world.put(unit_rows.mapped_again(unit, b'{"Records":[]}'), key)
    world.now += 3 * HOUR_MS
    state = state_of(world)
    assert ["unsealed"] == [each.code for each in state.findings]
    assert ["unsealed"] == codes(world.verify(since=state))


def test_a_copy_cannot_date_what_it_holds(tmp_path: Path) -> None:
    """A file added to a copy with an old date does not count as sealed before a state."""
    world = SealedStore()
    copied = DirectoryStore(tmp_path)
    assert all(each.state is CopyState.COPIED for each in copying.copy(world.store, copied))
    policy = msgspec.structs.replace(world.policy, retention_ms=0)
    state = Verifier(copied, policy, now=world.now).run().state
    key = world.key_of("ev/")
    unit = world.edit(key).units[0].line["unit"]
    forged = world.put(unit_rows.mapped_again(unit, b'{"Records":[]}'), key)
    (version,) = world.store.versions(forged)
    (description,) = world.store.describe([version])
    assert description is not None
    dated = msgspec.structs.replace(version, modified=world.now - 9 * HOUR_MS)
    copied.keep(dated, description, world.store.get(forged))
    report = Verifier(copied, policy, now=world.now, options=Options(since=state)).run()
    assert [("unsealed", forged)] == [(each.code, each.key) for each in report.findings]


def _excludes(forgetful: Mapper, body: bytes) -> bool:
    (part,) = forgetful.units(Delivery("trail/x@1", body))
    return bool(part.table_line.out_of_scope)


def test_without_the_raw_text_records_that_cannot_be_mapped_again_are_reported() -> None:
    """For a record out of scope and not kept, only the writer states that it is out of scope."""
    world = SealedStore()
    forgetful = Mapper("aws_cloudtrail", keep_out_of_scope_raw=False)
    body = next(file.body for file in generate() if _excludes(forgetful, file.body))
    lock_batch(forgetful, [Delivery(f"trail/x@1!h={HOUR}", body)], world.store)
    world.seal()
    report = world.verify()
    assert [] == codes(report)
    assert 1 == report.not_rebuilt
    assert any("only the writer states what they are" in one for one in report.not_checked)
    assert any("hash is stated and cannot be recomputed" in one for one in report.not_checked)


def test_without_the_release_a_false_record_is_contested() -> None:
    """Without mapping again, the genuine unit still contradicts the false one."""
    world = SealedStore()
    unit_rows.false_record(world)
    report = world.verifier(Options(deep=True)).run()
    assert ["unit_contested"] == codes(report)
    other = Options(deep=True, reproduce=lambda _header: None)
    lines = world.verifier(other).run().not_checked
    assert any("whose release is not installed" in line for line in lines)


def test_everything_is_reproduced() -> None:
    """Every stored record maps to the same line again."""
    report = SealedStore().verify()
    assert report.records == report.reproduced > 10


def test_a_mapper_for_another_scope_is_created_once() -> None:
    """The settings in the header decide how a unit is mapped again."""
    again = Reproducer()
    header = msgspec.convert(
        {
            "k": "hdr",
            "v": 1,
            "source": "nowhere",
            "hour": HOUR,
            "mapper": msgspec.to_builtins(mapper().identity),
            "settings": msgspec.to_builtins(mapper().settings),
            "codec": "",
            "units": 1,
        },
        type=Header,
    )
    assert again(header) is None


def test_a_whole_bucket_expires_without_a_finding() -> None:
    """After lock and grace everything may be gone; the log remains valid."""
    world = SealedStore()
    for key in list(world.store.keys("ev/")):
        world.store.remove(key)
    world.now += 2 * DAY_MS + HOUR_MS
    report = world.verify()
    assert ([], 6) == (codes(report), report.expired)


@given(st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=40)), max_size=60))
def test_sorting_spills_and_keeps_the_order(entries: list[tuple[bytes, bytes]]) -> None:
    """Sorted by key, with equal keys in their original order; a second read gives the same."""
    memory = MemorySorter()
    with tempfile.TemporaryDirectory() as folder:
        spilling = SpillingSorter(Path(folder), run_bytes=700)
        for key, value in entries:
            memory.add(key, value)
            spilling.add(key, value)
        expected = sorted(entries, key=lambda entry: entry[0])
        assert expected == list(memory) == list(memory)
        assert expected == list(spilling) == list(spilling)


def test_spilling_gives_the_same_report(tmp_path: Path) -> None:
    """The report does not depend on what sorts."""
    world = SealedStore()
    rows.marker(world)
    memory = world.verifier(Options()).run()
    spilled = Verifier(
        world.store,
        world.policy,
        now=world.now,
        sorter=lambda: SpillingSorter(tmp_path, run_bytes=500),
    ).run()
    assert memory == spilled


@pytest.mark.parametrize("number", [2, 5])
def test_one_hostile_object_causes_few_findings(number: int) -> None:
    """Thousands of bad lines in one object give few findings, and the rest is verified."""
    world = SealedStore()
    key = world.key_of("ev/")

    def change(edited: object) -> None:
        unit = object_rows.records_of(edited)  # type: ignore[arg-type]
        bad = unit.lines[0].replace(b'"r":"', b'"r":" ', 1)
        unit.lines = [bad.replace(b'"i":0', b'"i":%d' % i, 1) for i in range(number * 100)]
        unit.line["kept"] = unit.line["records"] = number * 100
        unit.line["out_of_scope"] = {}
        unit.line["gaps"] = [[number * 100 + 1, ""]]

    world.forge(key, change)
    report = world.verify()
    assert 1 <= len(report.findings) <= 20
    assert {"counted": 12} == {name: n for name, n in report.units.items() if name == "counted"}


@pytest.mark.parametrize(("field", "code"), [("kept", "arithmetic"), (None, "unit_hour")])
def test_very_many_bad_units_cause_few_findings(field: str | None, code: str) -> None:
    """One object with very many bad units: twenty findings per step, the last of which says there
    are more.
    """
    world = SealedStore()
    key = world.key_of("ev/")
    edited = world.edit(key)
    (first, *_) = edited.units
    edited.units = []
    for number in range(60):
        unit = EditedUnit(dict(first.line), list(first.lines))
        unit.rename(f"trail/{number:03d}@1!h={HOUR if field else '2026030209'}")
        if field:
            unit.line[field] += 1
        edited.units.append(unit)
    edited.reroot()
    world.put(edited, key)
    world.seal()
    matching = [each for each in world.verify().findings if each.code == code]
    assert (20, "more in this object") == (len(matching), matching[-1].detail[-19:])


def test_overlapping_trails_are_told_apart_from_copies() -> None:
    """One event in two trails is a duplicate; different bytes under one id are linked, and both
    kept.
    """
    world = SealedStore()
    record = (
        b'{"eventVersion":"1.11","eventID":"e-1","eventTime":"2026-03-02T08:15:30Z",'
        b'"eventName":"GetObject","eventSource":"s3.amazonaws.com",'
        b'"recipientAccountId":"111122223333",'
        b'"userIdentity":{"type":"AWSService","invokedBy":"s3.amazonaws.com"}%s}'
    )
    for number, extra in enumerate((b"", b"", b',"requestID":"r"')):
        body = b'{"Records":[' + record % extra + b"]}"
        lock_batch(mapper(), [Delivery(f"trail{number}/x@1!h={HOUR}", body)], world.store)
    world.seal()
    report = world.verify()
    assert ([], 1, 2) == (codes(report), report.duplicate_records, report.linked_records)


def _rejection(world: SealedStore, data: bytes, *, limit: int, number: int = 0) -> None:
    """Seal an object of one rejected delivery, under limits its writer states."""
    unit = f"trail/bomb{number}@1!h={HOUR}"
    parts = mapper().reject_delivery(Delivery(unit, data), Undecodable("malformed_json", ""))
    (packed,) = mapper().packer.pack(parts)
    edited = EditedObject(packed.body)
    edited.header["settings"]["limits"]["inflated_bytes"] = limit
    world.put(edited, world.key_of("ev/"))
    world.seal()


def test_a_bomb_is_inflated_no_further_than_a_reader_would() -> None:
    """Whatever limits its writer states, the report says that it was not decoded again."""
    world = SealedStore()
    bomb = gzip.compress(bytes(1 << 20), mtime=0)
    pieces = gzip.compress(b'{"Records":[' + b"0," * (20 << 20) + b"0]}", mtime=0)
    _rejection(world, bomb * 300, limit=1 << 52)
    _rejection(world, pieces, limit=1 << 52, number=1)
    before = _peak()
    report = world.verify()
    assert any("the split of 2 units" in line for line in report.not_checked)
    assert [] == codes(report)
    assert _peak() - before < 500 << 10


@pytest.mark.parametrize("limit", [-1, -(1 << 60), 1 << 60])
def test_limits_beyond_any_decoder_are_not_an_error(limit: int) -> None:
    """A header may state any limits; rejections under them are findings or pass as they are."""
    world = SealedStore()
    _rejection(world, b'{"Records":[]}', limit=limit)
    assert set(codes(world.verify())) <= {"not_reproduced"}


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_a_text_of_very_many_pieces_is_not_split(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece takes memory, and a gap may contain millions; the report says so."""
    monkeypatch.setattr(decoding, "SPLIT_SEPARATORS", 3)
    report = SealedStore().verify()
    assert [] == codes(report)
    assert any("the split of 6 units" in line for line in report.not_checked)
