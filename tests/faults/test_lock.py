"""Crash points of locking a delivery: each write lost or persisted-but-failed, then redelivery."""

from __future__ import annotations

import gzip

import pytest

from nhi_evidence.demo.story import generate
from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.event import Delivery, Kind
from nhi_evidence.evidence import batch
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock
from tests.memory_store import Fault, MemoryStore

LOST: Fault = (False, True)
PERSISTED_BUT_FAILED: Fault = (True, True)
FINE: Fault = (True, False)


def deliveries() -> dict[str, Delivery]:
    story = generate()[0]
    return {
        "records": Delivery(unit="b/k@1", body=story.body, hour="2026030208"),
        "undecodable": Delivery(unit="b/k@2", body=b"not json"),
        "empty": Delivery(unit="b/k@3", body=gzip.compress(b'{"Records":[]}')),
        "parts": Delivery(unit="b/k@4", body=gzip.decompress(generate()[3].body)),
    }


@pytest.mark.parametrize("name", deliveries())
@pytest.mark.parametrize("kind", [LOST, PERSISTED_BUT_FAILED])
def test_every_write_may_fail(
    keep_nhi: Mapper, name: str, kind: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any single fault and a redelivery the bucket equals the fault-free one, byte for byte,
    and no success was answered before everything was locked.
    """
    monkeypatch.setattr(batch, "PART_BYTES", 16 * 1024)
    delivery = deliveries()[name]
    expected = MemoryStore()
    lock(keep_nhi, delivery, expected)
    assert len(expected.calls) >= (5 if name == "parts" else 3)
    for failing in range(len(expected.calls)):
        faulty = MemoryStore(lambda call, _, at=failing: kind if call == at else FINE)  # type: ignore[misc]
        with pytest.raises(StoreUnavailableError):
            lock(keep_nhi, delivery, faulty)
        lock(keep_nhi, delivery, faulty)
        assert expected.objects == faulty.objects


def test_source_copy_comes_first(keep_nhi: Mapper) -> None:
    """The order of writes is source copy, its metadata, evidence."""
    store = MemoryStore()
    lock(keep_nhi, deliveries()["records"], store)
    kinds = [("meta" if key.endswith(".meta.json") else key[:3]) for key in store.calls]
    assert ["src", "meta", "ev/"] == kinds


def test_a_second_delivery_creates_nothing(keep_nhi: Mapper) -> None:
    """Delivering twice is delivering once."""
    store = MemoryStore()
    first = lock(keep_nhi, deliveries()["records"], store)
    second = lock(keep_nhi, deliveries()["records"], store)
    assert (3, 0) == (first.created, second.created)
    assert first.keys == second.keys


def test_no_source_copy_where_the_policy_says_so(keep_nhi: Mapper) -> None:
    """Without the source copy the evidence object is the same."""
    with_copy, without = MemoryStore(), MemoryStore()
    lock(keep_nhi, deliveries()["records"], with_copy)
    lock(keep_nhi, deliveries()["records"], without, keep_source=False)
    assert set(without.objects) == {key for key in with_copy.objects if key.startswith("ev/")}


def test_a_digest_is_kept_and_never_read(keep_nhi: Mapper) -> None:
    """A companion is locked byte for byte with what the source says of it, and has no evidence."""
    body = gzip.compress(b'{"awsAccountId":"111122223333","logFiles":[]}')
    digest = Delivery(
        unit="b/d@1",
        body=body,
        kind=Kind.COMPANION,
        hour="2026030208",
        provenance={"meta.signature": "ab" * 64, "meta.signature-algorithm": "SHA256withRSA"},
    )
    store = MemoryStore()
    done = lock(keep_nhi, digest, store, keep_source=False)
    (copy, beside) = sorted(store.objects)
    assert body == store.objects[copy]
    assert b'"meta.signature":"abab' in store.objects[beside]
    assert (0, (), 2) == (done.seen, done.keys, done.created)


@pytest.mark.parametrize(
    ("key", "kind", "hour"),
    [
        (
            (
                "AWSLogs/o-example/111122223333/CloudTrail/us-east-1/2026/03/02/"
                "111122223333_CloudTrail_us-east-1_20260302T0815Z_abcdefghijklmnop.json.gz"
            ),
            Kind.RECORDS,
            "2026030208",
        ),
        (
            (
                "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/02/"
                "111122223333_CloudTrail-Digest_us-east-1_org-trail_us-east-1_20260302T081530Z.json.gz"
            ),
            Kind.COMPANION,
            "2026030208",
        ),
        (
            (
                "AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2026/03/02/"
                "111122223333_CloudTrail-Insight_us-east-1_20260302T2359Z_abcdefghijklmnop.json.gz"
            ),
            Kind.RECORDS,
            "2026030223",
        ),
        ("anything.json", Kind.RECORDS, None),
    ],
)
def test_what_a_file_is_follows_its_name(
    keep_nhi: Mapper, key: str, kind: Kind, hour: str | None
) -> None:
    """Kind and hour are read from the documented file names."""
    assert (kind, hour) == (keep_nhi.source.kind_of(key), keep_nhi.source.hour_of(key))
