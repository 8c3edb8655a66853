"""An hour judged record by record: reconciled exactly if the API lists what is stored."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.completeness import listing, records, saved, statement_file
from nhi_evidence.completeness.listing import Question
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.records import Comparison
from nhi_evidence.completeness.saved import SavedListing
from nhi_evidence.completeness.statement import Log, Scope, Statement, Statements
from nhi_evidence.demo.story import gcp_files
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import frame, lines, objects
from nhi_evidence.evidence.verify.sorting import MemorySorter
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope as Kept
from tests.memory_store import MemoryStore

SCOPE = Scope("projects/example")
QUESTION = Question(source="gcp_audit", hour="2026030208", scope=SCOPE, request="logName:x", at=1)


def compared(listed: list[str], here: list[str], out_of_scope: list[str]) -> records.Compared:
    comparison = Comparison(MemorySorter())
    for uid in listed:
        comparison.listed(uid)
    for uid in here:
        comparison.here(uid, of_the_hour=True)
    for uid in out_of_scope:
        comparison.out_of_scope(lines.out_of_scope_hash(uid))
    return comparison.compare()


uids = st.lists(st.sampled_from([f"id-{number}" for number in range(8)]))


@given(uids, uids, uids)
def test_reconciled_exactly_when_the_sets_are_equal(
    listed: list[str], here: list[str], left: list[str]
) -> None:
    """Whatever the duplicates; an out-of-scope record is known, and not requested."""
    result = compared(listed, here, left)
    statement = records.state(SCOPE, result)
    missing, unbacked = set(listed) - set(here) - set(left), set(here) - set(listed)
    assert bool(missing or unbacked) is (statement.verdict is not Verdict.RECONCILED)
    assert (len(missing), len(unbacked)) == (
        statement.totals.get("missing", 0),
        statement.totals.get("unbacked", 0),
    )
    assert {(each.reason, each.name) for each in statement.named} == {
        *(("missing", uid) for uid in missing),
        *(("unbacked", uid) for uid in unbacked),
    }
    assert (len(set(listed)), len(set(listed)) - len(missing)) == (
        statement.expected,
        statement.found,
    )
    round_trip(statement)


def round_trip(statement: Statement) -> None:
    log = Log("main/2026", 1, "ab" * 32, 1)
    statements = Statements(source="gcp_audit", hour="2026030208", log=log, statements=(statement,))
    (written,) = statement_file.write(statements)
    assert (statement.verdict,) == tuple(
        each.verdict for each in statement_file.read(written.body).statements
    )


def test_without_an_answer_there_is_no_verdict() -> None:
    """If refused, not asked, or of unknown license, it is unprovable and nothing is missing."""
    for refused in ("refused", "license_unknown", ""):
        statement = records.state(SCOPE, None, refused=refused)
        assert (Verdict.UNPROVABLE, (refused or "not_asked",), False) == (
            statement.verdict,
            statement.reasons,
            statement.is_incomplete,
        )
        round_trip(statement)


@pytest.mark.parametrize("scope", [Kept.NHI, Kept.ALL])
@pytest.mark.parametrize("keep", [True, False])
def test_real_entries_are_found_by_their_ids(scope: Kept, keep: bool) -> None:
    """Kept, rejected or excluded, each entry that an API would list is matched."""
    mapper = Mapper("gcp_audit", scope=scope, keep_out_of_scope_raw=keep)
    body = gcp_files()[0].body
    store = MemoryStore()
    lock_batch(mapper, [Delivery("bucket/file@1!h=2026030208", body)], store)
    comparison = Comparison(MemorySorter())
    for key in store.objects:
        table, after = objects.read_object(store.get(key))
        for _, own in objects.lines_of(table, after):
            records.take(comparison, [lines.decode_line(line) for line in own], Scope(), None)
    entries = [json.loads(line) for line in body.splitlines() if line.strip()]
    for entry in entries:
        comparison.listed("|".join((entry["insertId"], entry["timestamp"], entry["logName"])))
    comparison.listed("one|more|entry")
    result = comparison.compare()
    assert (1, "one|more|entry") == (result.missing, result.named[0].name)
    assert result.expected == result.found + 1 == len({json.dumps(each) for each in entries}) + 1


def test_a_listing_round_trips_and_is_split() -> None:
    """Ids are sorted, with a maximum per object, so nobody has to hold all."""
    ids = sorted(f"id-{number:07d}" for number in range(7))
    (written,) = listing.write(QUESTION, ids, len(ids))
    assert listing.is_listing(written.key)
    back = listing.read(written.body)
    assert (QUESTION, 1, 1, tuple(ids)) == (back.question, back.part, back.parts, back.ids)


def test_a_long_listing_is_several_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_IDS", 3)
    ids = sorted(f"id-{number}" for number in range(7))
    parts = [listing.read(each.body) for each in listing.write(QUESTION, ids, len(ids))]
    assert [(1, 3), (2, 3), (3, 3)] == [(each.part, each.parts) for each in parts]
    assert ids == [uid for each in parts for uid in each.ids]


@pytest.mark.parametrize("change", ["doubled", "unsorted", "number", "count", "spaces", "parts"])
def test_a_malformed_listing_is_refused(change: str) -> None:
    (written,) = listing.write(QUESTION, ["a", "b"], 2)
    read = frame.unpack(written.body, limit=1 << 20)
    if change == "doubled":
        read[2] = read[1]
    elif change == "unsorted":
        read[1:] = read[:0:-1]
    elif change == "number":
        read[1] = b"7"
    elif change == "count":
        read = read[:-1]
    elif change == "parts":  # each that is missing would be named
        read[0] = read[0].replace(b'"parts":1', b'"parts":1000000000000')
    else:
        read[0] = read[0].replace(b",", b", ", 1)
    body, _ = frame.pack(read)
    with pytest.raises(ValueError, match="listing: "):
        listing.read(body)


def test_names_are_bounded_and_counted() -> None:
    """Those beyond the named ones are in the totals."""
    many = [f"id-{number}" for number in range(statement_file.MAX_NAMED + 7)]
    statement = records.state(SCOPE, compared(many, [], []))
    assert len(many) == statement.totals["missing"]
    assert statement_file.MAX_NAMED == len(statement.named)


def test_each_id_of_a_saved_listing_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many parts there are: a listing of millions would otherwise take days."""
    monkeypatch.setattr(listing, "MOST_IDS", 1)
    span = 'timestamp>="2026-03-02T08:00:00Z" AND timestamp<"2026-03-02T09:00:00Z"'
    question = msgspec.structs.replace(QUESTION, request=span)
    ids = [f"{number}|2026-03-02T08:00:00Z|{SCOPE.account}/logs/x" for number in range(8)]
    parts = [(each.key, each.body) for each in listing.write(question, ids, len(ids))]
    checked: list[str] = []

    def is_own(_self: SavedListing, uid: str) -> bool:
        checked.append(uid)
        return True

    monkeypatch.setattr(SavedListing, "_is_own", is_own)
    (collected,) = saved.collect(parts).values()
    assert ids == list(collected.ids) == checked
