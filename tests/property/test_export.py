"""Properties of the line over generated input: accounted for, exact, valid, repeatable."""

from __future__ import annotations

import gzip
import json
from unittest import mock

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhi_evidence.event import Decoded, Delivery, Limits, Rejection, Undecodable
from nhi_evidence.evidence import batch
from nhi_evidence.pipeline.export import Mapper, Normalized, OutOfScope
from nhi_evidence.pipeline.lock import lock
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.sources.aws_cloudtrail import decode, unwrap
from tests.memory_store import MemoryStore
from tests.ocsf_schema import problems
from tests.property.strategies import RAW, RECORD
from tests.reading import Unit

ALL = Mapper("aws_cloudtrail", scope=Scope.ALL)
NHI = Mapper("aws_cloudtrail")
BOUNDED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@BOUNDED
@given(RAW)
def test_every_record_has_an_end(raw: bytes) -> None:
    """Every input record ends as kept, out of scope or rejected; no crash."""
    mapped = NHI.map(raw)
    assert isinstance(mapped, Normalized | OutOfScope | Rejection)


@BOUNDED
@given(RECORD)
def test_what_is_kept_is_valid(record: dict[str, object]) -> None:
    """Every kept record is valid OCSF 1.8.0 with the extension."""
    mapped = ALL.map(json.dumps(record).encode())
    if isinstance(mapped, Normalized):
        assert [] == problems(json.loads(msgspec.json.encode(mapped.record)))


@BOUNDED
@given(st.lists(RAW, max_size=6), st.booleans(), st.integers(30, 400))
def test_a_delivery_is_accounted_for(raws: list[bytes], packed: bool, window: int) -> None:
    """Seen == kept + out of scope + rejected, per part and over the parts; raw bytes exact."""
    document = b'{"Records":[' + b",".join(raws) + b"]}"
    body = gzip.compress(document) if packed else document
    store = MemoryStore()
    with mock.patch.object(batch, "PART_BYTES", window):
        done = lock(ALL, Delivery(unit="b/k@1", body=body), store)
        again = lock(ALL, Delivery(unit="b/k@1", body=body), store)
    unit = Unit(store)
    assert unit.seen == done.seen == done.kept + done.rejected
    assert again.created == 0
    assert again.keys == done.keys
    if unit.rejection is not None:
        assert b"".join(unit.raw()) == body
    else:
        assert all(raw in document for raw in unit.raw())


@BOUNDED
@given(st.binary(max_size=200), st.sampled_from([b"", b'{"Records":[', b"\x1f\x8b"]))
def test_decoding_never_crashes(body: bytes, start: bytes) -> None:
    """Any bytes are records or a reason; records are slices that lie in order."""
    for read in (decode, unwrap):
        found = read(start + body, Limits(inflated_bytes=10_000))
        if isinstance(found, Undecodable):
            assert found.reason
            continue
        assert isinstance(found, Decoded)
        edges = [edge for span in found.spans for edge in span]
        assert edges == sorted(edges)


@BOUNDED
@given(st.permutations(range(4)), st.lists(st.integers(0, 3), max_size=4))
def test_order_and_repetition_of_deliveries_do_not_matter(
    order: list[int], repeats: list[int]
) -> None:
    """The same deliveries in any order and duplication give the same objects."""
    deliveries = [
        Delivery(unit=f"b/{n}@1", body=b'{"Records":[%s]}' % json.dumps({"n": n}).encode())
        for n in range(4)
    ]
    expected, shuffled = MemoryStore(), MemoryStore()
    for delivery in deliveries:
        lock(ALL, delivery, expected)
    for position in [*order, *repeats]:
        lock(ALL, deliveries[position], shuffled)
    assert expected.objects == shuffled.objects
