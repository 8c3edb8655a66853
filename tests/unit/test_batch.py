"""The body of an evidence object."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256

import msgspec
import pytest

from nhi_evidence.errors import BatchError
from nhi_evidence.event import RawRecord, Rejection
from nhi_evidence.evidence import batch, frame, merkle
from nhi_evidence.stored import Batch

UNIT = batch.UnitIdentity("aws_cloudtrail", "b/k@v", "2026030208", b"s" * 32, b"r" * 32)
MAPPER = batch.MapperIdentity("0.1.0", "d" * 64)


def build(
    lines: list[bytes], *, rejected: int = 0, out_of_scope: dict[str, int] | None = None
) -> Batch:
    return batch.build(
        unit=UNIT,
        mapper=MAPPER,
        scope="nhi",
        part=1,
        parts=1,
        first=0,
        lines=lines,
        rejected=rejected,
        out_of_scope=out_of_scope or {},
    )


def test_header_arithmetic() -> None:
    """N == kept + rejected + sum(out_of_scope)."""
    kept = batch.kept_line(0, {"time": 1}, "{}")
    bad = batch.rejected_line(RawRecord(1, 2, b"nope"), Rejection("malformed_json"))
    made = build([kept, bad], rejected=1, out_of_scope={"human": 3})
    header = msgspec.json.decode(frame.unpack(made.body, limit=10**6)[0])
    assert (5, 1, 1, {"human": 3}) == (
        header["n"],
        header["kept"],
        header["rejected"],
        header["out_of_scope"],
    )


def test_a_body_depends_on_nothing_but_its_input() -> None:
    """Building twice gives the same key and the same bytes."""
    lines = [batch.kept_line(0, {"time": 1}, "{}")]
    assert build(lines) == build(lines)


def test_key_holds_the_hash_of_the_body() -> None:
    """SHA-256 of the stored bytes is in the key."""
    made = build([])
    assert sha256(made.body).hexdigest() in made.key


def test_zero_kept_records_still_make_an_object() -> None:
    """File-level completeness is total: nothing kept is said, not left out."""
    assert build([], out_of_scope={"human": 7}).seen == 7


def test_record_root_covers_every_line() -> None:
    """The nested tree has the header as leaf 0 and each line after it."""
    made = build([batch.kept_line(0, {"time": 1}, "{}")])
    lines = frame.unpack(made.body, limit=10**6)
    assert merkle.root(map(merkle.leaf_hash, lines)).hex() == made.metadata["record-root"]


def test_raw_text_is_exact() -> None:
    """What was received comes back byte for byte, text or not."""
    raw = '{"a": "ü\\u0000 \\/ 📦" ,\t"b":1.0e0}'
    kept = msgspec.json.decode(batch.kept_line(0, {}, raw))
    bad = msgspec.json.decode(
        batch.rejected_line(RawRecord(0, 0, b"\xff\x00{"), Rejection("invalid_utf8"))
    )
    assert raw == kept["r"]
    assert b64decode(bad["r64"]) == b"\xff\x00{"


def test_parts_are_cut_by_raw_offset_alone() -> None:
    """A record belongs to the part whose window its offset lies in."""
    size = batch.PART_BYTES
    spans = [(0, 10), (size - 1, size + 5), (size + 5, size + 9), (3 * size, 3 * size + 1)]
    assert [range(2), range(2, 3), range(3, 4)] == batch.split(spans)


def test_no_records_is_one_part() -> None:
    """An empty unit still has an object."""
    assert [range(0)] == batch.split([])


def test_chunks_cover_a_delivery_exactly() -> None:
    """The chunks of an undecodable delivery are its bytes, in order, without gap or overlap."""
    size = 2 * batch.MAX_RECORD_BYTES + 3
    spans = batch.chunks(size)
    assert [0, *(end for _, end in spans)] == [*(start for start, _ in spans), size]
    assert [(0, 0)] == batch.chunks(0)


def test_a_body_that_cannot_be_one_put_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is checked, never assumed."""
    monkeypatch.setattr(batch, "MAX_BODY_BYTES", 10)
    with pytest.raises(BatchError, match="exceeds one PUT"):
        build([])
