"""Arithmetic of spans, against sets of instants."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.coverage import intervals
from nhi_evidence.coverage.intervals import Span, Stretch
from nhi_evidence.coverage.verdict import Verdict

SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: Span(*sorted(pair))),
    max_size=6,
)


def instants(spans: Iterable[Span]) -> set[int]:
    return {t for span in spans for t in range(span.start, span.end)}


@given(SPANS, SPANS)
def test_spans_are_sets_of_instants(some: list[Span], others: list[Span]) -> None:
    left, right = instants(some), instants(others)
    assert left | right == instants(intervals.union([*some, *others]))
    assert left & right == instants(intervals.intersection(some, others))
    assert left - right == instants(intervals.difference(some, others))
    assert len(left) == intervals.length(some)


@given(SPANS)
def test_a_union_is_sorted_and_disjoint(some: list[Span]) -> None:
    merged = intervals.union(some)
    assert all(not span.is_empty for span in merged)
    pairs = pairwise(merged)
    assert all(one.end < other.start for one, other in pairs)


@given(SPANS, SPANS)
def test_an_overlay_covers_each_instant_once(some: list[Span], others: list[Span]) -> None:
    under = [Stretch(span, Verdict.CONFIGURED, "u", "read") for span in intervals.union(some)]
    over = [Stretch(span, Verdict.PROVEN, "o", "canary") for span in intervals.union(others)]
    result = intervals.overlaid(under, over)
    by_verdict = {
        verdict: instants([one.span for one in result if one.verdict is verdict])
        for verdict in Verdict
    }
    assert by_verdict[Verdict.PROVEN] == instants(others)
    assert by_verdict[Verdict.CONFIGURED] == instants(some) - instants(others)
    assert sum(one.span.end - one.span.start for one in result) == len(
        instants(some) | instants(others)
    )


def test_a_span_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="cannot end"):
        Span(2, 1)
