"""Finding a record: only in signed epochs, with the standing of its claim, skipping what is
unreadable.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from nhi_evidence.event import Delivery
from nhi_evidence.evidence import counting, frame, log, objects, proof, search, tiles
from nhi_evidence.evidence.lines import encode
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.memory_store import MemoryStore
from tests.proofs import sealed
from tests.proofs.sealed import FILE_UNIT, NAME, NOW, Sealed

UID = "the-record"
LATER = NOW + 60_000


def file_of(*uids: str, **changes: Any) -> bytes:
    """An inflated file with a record for each id."""
    record = json.loads(sealed.trail_file())["Records"][0]
    records = [{**record, "eventID": uid, **changes} for uid in uids]
    return json.dumps({"Records": records}).encode()


def store_of(*batches: list[Delivery], mapper: Mapper | None = None) -> MemoryStore:
    """A store with each batch locked in an object of its own."""
    store = MemoryStore(now=lambda: NOW)
    for batch in batches:
        lock_batch(mapper or sealed.mapper(), batch, store)
    return store


def unit(name: str, body: bytes) -> Delivery:
    return Delivery(f"trail/{name}@1!h=2026030208", body)


def found_in(evidence: Sealed, uid: str = UID, **where: str) -> search.SealedRecord:
    record = evidence.search().find(uid, search.Where(**where))
    assert record is not None
    return record


def test_a_record_is_found_and_proven() -> None:
    """It is found among other records of its unit, in an object with other units."""
    batch = [
        unit("a", file_of("x", "y")),
        unit("b", file_of("z", UID, "w")),
        unit("c", file_of("v")),
    ]
    evidence = sealed.seal(store_of(batch))
    record = found_in(evidence)
    assert (2, 1, "counted", True) == (record.number, record.place, record.standing, record.counts)
    checked = proof.check(sealed.bundle_of(evidence, UID), (evidence.key,), NAME)
    assert (UID, 1, "trail/b@1!h=2026030208") == (checked.uid, checked.record, checked.unit)


def test_an_id_elsewhere_in_a_line_does_not_match() -> None:
    """Only the id that the normalized record states matches, not any text that looks like it."""
    evidence = sealed.seal(store_of([unit("a", file_of("x", requestParameters={"eventID": UID}))]))
    assert evidence.search().find(UID, search.Where()) is None


def test_where_to_look() -> None:
    """Source and hour exclude everything else."""
    evidence = sealed.seal(store_of([unit("a", file_of(UID))]))
    assert found_in(evidence, source="aws_cloudtrail", hour="2026030208").counts
    for where in ({"source": "gcp_audit"}, {"hour": "2026030209"}):
        assert evidence.search().find(UID, search.Where(**where)) is None


def test_what_is_not_signed_is_not_found() -> None:
    """An object without a leaf is not found, nor one whose epoch has a plan but no checkpoint."""
    store = store_of([unit("a", file_of("x"))])
    sealed.seal(store)
    lock_batch(sealed.mapper(), [unit("b", file_of(UID))], store)
    evidence = Sealed(store, sealed.build().key, sealed.build().signer)
    assert evidence.search().find(UID, search.Where()) is None
    sealed.seal(store, LATER)
    assert evidence.search().find(UID, search.Where()) is not None
    store.remove(log.checkpoint_key("2026", 2))
    assert evidence.search().find(UID, search.Where()) is None


def test_the_claim_that_counts_is_preferred() -> None:
    """For a unit in two batches, the proof is of the object that counts."""
    first, again = unit("a", file_of(UID)), unit("b", file_of("x"))
    store = store_of([first], [first, again])
    evidence = sealed.seal(store)
    record = found_in(evidence)
    assert ("counted", True) == (record.standing, record.counts)
    counted = record.at.leaf.key
    store.remove(counted)
    other = found_in(evidence)
    assert counted != other.at.leaf.key
    assert "counted" == other.standing, "what is gone is weighed by nobody any more"


def test_a_duplicate_is_labeled_as_such() -> None:
    """If the counted release excludes the record, the claim that kept it is a duplicate."""
    person = {"type": "IdentityCenterUser", "accountId": "111122223333"}
    body = file_of(UID, userIdentity=person)
    everything = Mapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
    store = store_of([unit("a", body)])
    sealed.seal(store)
    lock_batch(everything, [unit("a", body)], store)
    record = found_in(sealed.seal(store, LATER))
    assert ("duplicate of a counted claim", False) == (record.standing, record.counts)
    assert record.status is counting.Status.COUNTED


def test_a_contested_unit_is_labeled_as_such() -> None:
    """With two contents of one unit, the record is proven and not counted."""
    evidence = sealed.seal(store_of([unit("a", file_of(UID))], [unit("a", file_of(UID, "x"))]))
    record = found_in(evidence)
    assert ("contested", False) == (record.standing, record.counts)
    assert proof.check(sealed.bundle_of(evidence, UID), (evidence.key,), NAME).uid == UID


def test_a_unit_that_lacks_a_part_is_incomplete() -> None:
    """Its first part is sealed, but its second was never locked."""
    record = json.loads(sealed.trail_file())["Records"][0]
    pad = {"requestParameters": {"pad": "x" * 99_000}}
    body = json.dumps({"Records": [{**record, **pad, "eventID": f"id-{n}"} for n in range(180)]})
    store = store_of([Delivery(FILE_UNIT, gzip.compress(body.encode()))])
    evidence = sealed.seal(store)
    first, last = found_in(evidence, "id-0"), found_in(evidence, "id-179")
    assert ("counted", 2) == (last.standing, len(last.parts))
    assert first.at.leaf.key != last.at.leaf.key
    store.remove(last.at.leaf.key)
    assert "incomplete" == found_in(evidence, "id-0").standing


def forged(store: MemoryStore, key: str, **header: Any) -> str:
    """Put a copy of an object with a changed header, under the key of its new bytes and hour."""
    table, lines = objects.read_object(store.get(key))
    changed = encode(msgspec.structs.replace(table.header, **header))
    body, size = frame.pack([changed, *table.lines[1:], *lines], table=len(table.lines))
    root = objects.table_root([changed, *table.lines[1:]])
    hour = header.get("hour", table.header.hour)
    place = f"ev/v1/aws_cloudtrail/h={hour}/{sha256(body).hexdigest()}.ndjson.zst"
    metadata = objects.metadata(table.header, table.units, root, size)
    store.add(place, body, metadata)
    return place


def test_a_claim_under_another_hour_is_void() -> None:
    """It is proven to be sealed, and stated never to count."""
    store = store_of([unit("a", file_of(UID))])
    (key,) = store.keys("ev/")
    forged(store, key, hour="2026030210")
    store.remove(key)
    evidence = sealed.seal(store)
    record = found_in(evidence)
    assert ("void: a claim that does not count", False) == (record.standing, record.counts)
    assert proof.check(sealed.bundle_of(evidence, UID), (evidence.key,), NAME).uid == UID


@pytest.mark.parametrize(
    "body",
    [
        b"no frame",
        frame.pack([b"{}", b"{}"])[0],
        frame.pack([b'{"k":"hdr"' + b"[" * 100_000])[0],
        frame.pack([b"\xff"] * 3)[0],
    ],
    ids=["no frame", "no table", "deep", "bytes"],
)
def test_an_unreadable_object_is_named_and_affects_nothing_else(body: bytes) -> None:
    """The record beside it is found; the invalid object is named with the reason."""
    store = store_of([unit("a", file_of(UID))])
    place = f"ev/v1/aws_cloudtrail/h=2026030208/{sha256(body).hexdigest()}.ndjson.zst"
    store.add(place, body)
    evidence = sealed.seal(store)
    looking = evidence.search()
    record = looking.find(UID, search.Where())
    assert record is not None
    assert record.counts
    assert {place} == set(looking.unreadable)


def test_an_altered_or_missing_object_is_named() -> None:
    """If its body hash does not match its key, or it is missing, none of its records is proven."""
    store = store_of([unit("a", file_of(UID))], [unit("b", file_of("x"))])
    evidence = sealed.seal(store)
    first, second = (found_in(evidence, uid).at.leaf.key for uid in (UID, "x"))
    store.first(first).body += b"x"
    store.remove(second)
    looking = evidence.search()
    assert looking.find(UID, search.Where()) is None
    assert {first, second} == set(looking.unreadable)


def test_a_missing_tile_affects_only_its_entries() -> None:
    """It is named, and everything else can still be found."""
    evidence = sealed.seal(store_of([unit("a", file_of(UID))]))
    (bundle,) = (key for key in evidence.store.keys("log/") if "/tile/entries/" in key)
    evidence.store.remove(bundle)
    looking = evidence.search()
    assert looking.find(UID, search.Where()) is None
    assert {bundle} == set(looking.unreadable)


def test_entries_that_are_not_the_signed_ones_are_named() -> None:
    """Whoever copies the evidence may leave out a leaf: one that contests another, for example."""
    twice = (file_of(UID), file_of(UID, sourceIPAddress="192.0.2.9"))
    evidence = sealed.seal(store_of(*([unit("a", body)] for body in twice)))
    assert "contested" == found_in(evidence).standing
    (key,) = (key for key in evidence.store.keys("log/") if "/tile/entries/" in key)
    first, *others, last = tiles.unbundle(evidence.store.get(key))
    evidence.store.first(key).body = tiles.bundle([first, *others, others[-1]])
    looking = evidence.search()
    record = looking.find(UID, search.Where())
    assert last != others[-1]
    assert record is None or "contested" != record.standing
    assert ["the entries are not those that it signs"] == list(looking.unreadable.values())
    assert all("/checkpoint/" in name for name in looking.unreadable)


def test_an_object_is_read_again_once_however_often_an_id_is_in_it() -> None:
    """A writer decides in how many units, and that none of them counts."""
    many = [unit(f"u{number}", file_of(UID)) for number in range(40)]
    other = [unit(f"u{number}", file_of(UID, sourceIPAddress="192.0.2.9")) for number in range(40)]
    evidence = sealed.seal(store_of(many, other))
    requested: list[str] = []
    beginnings = evidence.store.beginnings

    def counted(wanted: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        chosen = list(wanted)
        requested.extend(key for key, _, _ in chosen)
        return beginnings(chosen)

    evidence.store.beginnings = counted  # type: ignore[method-assign, assignment]
    assert "contested" == found_in(evidence).standing
    assert {3} == set(Counter(requested).values()), "to search, to weigh, and to open"


def test_few_objects_are_requested_at_once_and_few_leaves_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the log's size, memory is bounded by the hours in which something was found."""
    evidence = sealed.seal(
        store_of(*([unit(str(number), file_of(str(number)))] for number in range(300)))
    )
    looking = evidence.search()
    counts: list[int] = []
    beginnings = evidence.store.beginnings

    def counted(wanted: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        chosen = list(wanted)
        counts.append(len(chosen))
        return beginnings(chosen)

    monkeypatch.setattr(evidence.store, "beginnings", counted)
    assert looking.find("nowhere", search.Where()) is None
    assert (300, 128) == (sum(counts), max(counts))


def test_a_later_version_of_a_key_makes_no_claim() -> None:
    """Verification counts only the first version, and so does the standing in a proof."""
    store = store_of([unit("a", file_of(UID))])
    (key,) = store.keys("ev/")
    genuine = store.first(key)
    body, genuine.body = genuine.body, b"put there before"
    store.add(key, body, genuine.metadata)
    record = found_in(sealed.seal(store))
    assert "void: a claim that does not count" == record.standing
