"""Gaps, the text around records: run-length encoded, read back, and refused in another form."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.evidence import gaps
from nhi_evidence.evidence.gaps import Gap

PIECES = st.lists(
    st.tuples(st.sampled_from([b",", b"", b"\xff", b"\n"]), st.binary(max_size=3)), max_size=8
)


@given(PIECES, st.sampled_from([b"]}", b"", b","]), st.integers(0, 3))
def test_gaps_and_records_give_the_bytes(
    pieces: list[tuple[bytes, bytes]], end: bytes, before: int
) -> None:
    """For any part of a file, each gap is written once, with equal neighbors merged."""
    data, spans = b"#" * before, []
    for gap, record in pieces:
        data += gap
        spans.append((len(data), len(data) + len(record)))
        data += record
    data += end
    between = gaps.between(data + b"after", before, len(data), spans)
    texts = [gap for gap, _ in pieces] + [end]
    records = [record for _, record in pieces]
    assert texts == list(gaps.texts(between))
    assert (len(texts), sum(map(len, texts))) == gaps.extent(between)
    assert data[before:] == b"".join(gaps.rebuild(between, records))
    assert all(first[1:] != second[1:] for first, second in pairwise(between))


def test_a_gap_is_a_count_and_a_text_or_base64() -> None:
    """For bytes that are not UTF-8, the form says so."""
    between = gaps.between(b"[{},{},{}\xff", 0, 10, [(1, 3), (4, 6), (7, 9)])
    assert [(1, "["), (2, ","), (1, "/w==", "base64")] == between
    assert [b"[", b",", b",", b"\xff"] == list(gaps.texts(between))


@pytest.mark.parametrize(
    "gap",
    [
        (),
        (1,),
        (0, ","),
        (-1, ","),
        ("1", ","),
        (1, 1),
        (1, "/w==", "base32"),
        (1, "/w==", "base64", "x"),
        (1, "/w=", "base64"),
        (1, "/w==!", "base64"),
    ],
)
def test_a_malformed_gap_is_refused(gap: Gap) -> None:
    """Every reader refuses it."""
    for read in (gaps.texts, gaps.extent):
        with pytest.raises(ValueError, match=r"not a gap|base64|padding"):
            list(read([(1, ","), gap]))


def test_a_malformed_gap_is_shown_in_part() -> None:
    with pytest.raises(ValueError, match="not a gap: ") as refused:
        gaps.extent([(0, "x" * 200)])
    assert len("not a gap: ") + 80 == len(str(refused.value))


def test_too_many_gaps_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes may state very many gaps: the bound is read, and not one more."""
    monkeypatch.setattr(gaps, "MAX_GAPS", 5)
    assert [b","] * 5 == list(gaps.texts([(2, ","), (3, ",")]))
    with pytest.raises(ValueError, match="6 gaps"):
        list(gaps.texts([(2, ","), (4, ",")]))
    assert (5, 10) == gaps.extent([(2, ",,"), (3, "--")])
    with pytest.raises(ValueError, match="6 gaps"):
        gaps.extent([(2, ",,"), (4, "--")])


def test_four_million_gaps_are_read_and_not_one_more() -> None:
    """Of what states more nothing is read at all."""
    assert b"" == next(gaps.texts([(4_000_000, "")]))
    with pytest.raises(ValueError, match=r"^4000001 gaps$"):
        next(gaps.texts([(4_000_001, "")]))


@pytest.mark.parametrize(
    ("records", "message"),
    [(0, "2 gaps after the last record"), (2, "0 gaps after"), (3, "fewer gaps than records")],
)
def test_there_is_one_gap_more_than_records(records: int, message: str) -> None:
    """One fewer or one more does not give a delivery."""
    around: list[Gap] = [(1, "["), (1, "]")]
    assert b"[r]" == b"".join(gaps.rebuild(around, [b"r"]))
    with pytest.raises(ValueError, match=message):
        list(gaps.rebuild(around, [b"r"] * records))
