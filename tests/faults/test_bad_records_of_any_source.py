"""A bad record affects no other, and a bad delivery is locked, for every source.

Sources are discovered, so a new one is covered from its first day.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable

import pytest

from nhi_evidence import sources
from nhi_evidence.azure import event_hub
from nhi_evidence.event import Decoded, Delivery, Limits
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Outcome, lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import cases, read
from tests.memory_store import MemoryStore
from tests.reading import Unit

SOURCES = sources.names()
BAD = (
    b"7",
    b"null",
    b'"text"',
    b"[1]",
    b"nonsense",
    b'{"a":NaN}',
    b'{"a":"\xff"}',
    b'{"a":"\\ud800"}',
    b"{}",
    b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
)
"""Invalid for every source; none closes a bracket or quotation mark that it did not open."""

DELIVERIES = (
    b"",
    b" \n ",
    b"<html>",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe",
    b"7",
    b"[",
    b"{",
    b'{"Records":"none"}',
    b"\x1f\x8b",
    gzip.compress(b"{}")[:-9],
    gzip.compress(b"{}") + b"more",
    gzip.compress(gzip.compress(b"")),
)


def good(source: str) -> bytes:
    """Return a record that the source keeps; for a router, one of a pack it routes to."""
    routes = sources.routes(source)
    packs = [source] if routes is None else sorted(set(routes.values()))
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)
    for pack in packs:
        for path in cases(pack).values():
            raw = json.dumps(read(path).record).encode()
            if mapper.map(raw).__class__.__name__ == "Normalized":
                return raw
    raise AssertionError(source)


def delivered(source: str, records: Iterable[bytes]) -> bytes:
    """Return records as the source delivers them: in lines, in an envelope, as a run."""
    listed = list(records)
    messages = tuple(event_hub.Message(body, number) for number, body in enumerate(listed))
    forms = (
        b"\n".join(listed),
        b'{"Records":[' + b",".join(listed) + b"]}",
        event_hub.frame(event_hub.Run("n/h#1/0", messages)),
    )
    for body in forms:
        decoded = sources.load(source).decode(body, Limits())
        if isinstance(decoded, Decoded) and len(decoded.spans) == len(listed):
            return body
    raise AssertionError(source)


def locked(source: str, body: bytes) -> tuple[Unit, Outcome]:
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=True)
    store = MemoryStore()
    outcome = lock_batch(mapper, [Delivery("b/k@1!h=2026030208", body)], store)
    assert ({"b/k@1!h=2026030208"}, {}, {}) == (outcome.locked, outcome.failed, outcome.unmapped)
    return Unit(store), outcome


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("source", SOURCES)
def test_a_bad_record_affects_no_other(source: str, bad: bytes) -> None:
    """Between two good records, it is rejected with its reason and they are kept."""
    record = good(source)
    body = delivered(source, [record, bad, record])
    unit, outcome = locked(source, body)
    (done,) = outcome.objects
    assert (3, 2, 1) == (done.records, done.kept, done.rejected)
    assert {1} == set(unit.reasons())
    assert len(body) == unit.size_with_cuts()


@pytest.mark.parametrize("body", DELIVERIES, ids=range(len(DELIVERIES)))
@pytest.mark.parametrize("source", SOURCES)
def test_a_bad_delivery_is_locked(source: str, body: bytes) -> None:
    """It becomes a rejection or rejected records, with every byte accounted for."""
    unit, outcome = locked(source, body)
    (done,) = outcome.objects
    assert 0 == done.kept
    is_rejection = unit.rejection is not None
    assert is_rejection or done.records == done.rejected
    if is_rejection:
        assert len(body) == unit.size_with_cuts()
        assert unit.headers[0]["rebuild"] == "cut" or body == b"".join(unit.raw())
