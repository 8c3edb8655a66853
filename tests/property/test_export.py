"""Properties of the pipeline over generated input: accounted for, exact, valid, repeatable."""

from __future__ import annotations

import gzip
import json
import re
from unittest import mock

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from nhi_evidence.event import Decoded, Delivery, Limits, Rejection, Undecodable
from nhi_evidence.evidence import unit as parts
from nhi_evidence.pipeline.export import Mapper, Normalized, OutOfScope
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.sources.aws_cloudtrail import decode, unwrap
from tests.memory_store import MemoryStore
from tests.ocsf_schema import problems
from tests.property.strategies import RAW, RECORD
from tests.reading import Unit

ALL = Mapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
NHI = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
PRIVATE = Mapper("aws_cloudtrail", keep_out_of_scope_raw=False)
GCP = Mapper("gcp_audit", keep_out_of_scope_raw=True)


@given(RAW)
def test_every_record_has_an_end(raw: bytes) -> None:
    """Every input record ends as kept, out of scope or rejected, without a crash."""
    mapped = NHI.map(raw)
    assert isinstance(mapped, Normalized | OutOfScope | Rejection)


@given(RECORD)
def test_every_kept_record_is_valid(record: dict[str, object]) -> None:
    """Every kept record is valid OCSF 1.8.0 with the extension."""
    mapped = ALL.map(json.dumps(record).encode())
    if isinstance(mapped, Normalized):
        assert [] == problems(json.loads(msgspec.json.encode(mapped.record)))


BLANK = st.text(" \t\r\n", max_size=3).map(str.encode)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Return a file of records, as a provider writes it or encoded otherwise, or anything else."""
    raws = draw(st.lists(RAW, max_size=6))
    blanks = st.tuples(BLANK, BLANK)
    separators = [b"%s,%s" % draw(blanks) for _ in raws[1:]]
    pieces = [piece for pair in zip(raws, [*separators, b""], strict=False) for piece in pair]
    begins = b'%s{%s"Records":[' % draw(blanks)
    ends = b"%s]%s}%s" % (draw(BLANK), draw(BLANK), draw(BLANK))
    document = begins + b"".join(pieces) + ends
    return draw(st.sampled_from([document, document[:-1], document + b"x"]))


@example(b'{"Records":[{"eventVersion":"1.11"}, ]}', False, 100, ALL)  # noqa: FBT003
@given(documents(), st.booleans(), st.integers(30, 400), st.sampled_from([ALL, NHI, PRIVATE]))
def test_a_delivery_is_accounted_for_and_rebuilt(
    document: bytes, packed: bool, window: int, mapper: Mapper
) -> None:
    """Seen == kept + out of scope + rejected, per part and over the parts; every byte is there.

    Gap, record, gap: the inflated bytes are rebuilt, whatever their encoding and split into parts;
    an unreadable delivery is kept as received.
    """
    body = gzip.compress(document) if packed else document
    store = MemoryStore()
    with mock.patch.object(parts, "PART_BYTES", window):
        outcome = lock_batch(mapper, [Delivery(unit="b/k@1", body=body)], store)
        again = lock_batch(mapper, [Delivery(unit="b/k@1", body=body)], store)
    assert {"b/k@1"} == outcome.locked == again.locked
    assert {} == outcome.unmapped
    assert not any(locked.created for locked in again.objects)
    unit = Unit(store)
    assert unit.seen == sum(locked.records for locked in outcome.objects)
    if unit.rejection is not None:
        assert body == b"".join(unit.raw())
    elif all(header["rebuild"] == "exact" for header in unit.headers):
        assert document == unit.rebuilt()
    else:
        assert mapper is PRIVATE
        assert any(header["out_of_scope"] for header in unit.headers)
        assert all(raw in document for raw in unit.raw())


@given(st.lists(RAW | st.just(b"") | BLANK, max_size=6), st.sampled_from([b"\n", b"\r\n"]))
def test_a_file_of_lines_is_rebuilt(lines: list[bytes], newline: bytes) -> None:
    """Cloud Storage subscriptions write one record per line; blank lines are gaps."""
    document = newline.join(lines)
    store = MemoryStore()
    lock_batch(GCP, [Delivery(unit="b/o@1", body=document)], store).ensure_locked()
    unit = Unit(store)
    if unit.rejection and unit.headers[0]["rebuild"] == "cut":
        # Unreadable, and it may contain one of the words that make this source cut it whole.
        assert re.search(rb"\\u00[2-7]|k8s|gke|command", document, re.IGNORECASE)
        assert b"" == b"".join(unit.raw())
        return
    assert document == (b"".join(unit.raw()) if unit.rejection else unit.rebuilt())


@given(st.binary(max_size=200), st.sampled_from([b"", b'{"Records":[', b"\x1f\x8b"]))
def test_decoding_never_crashes(body: bytes, start: bytes) -> None:
    """Any bytes give records or a reason; records are slices in order."""
    for read in (decode, unwrap):
        decoded = read(start + body, Limits(inflated_bytes=10_000))
        if isinstance(decoded, Undecodable):
            assert decoded.reason
            continue
        assert isinstance(decoded, Decoded)
        edges = [edge for span in decoded.spans for edge in span]
        assert edges == sorted(edges)
