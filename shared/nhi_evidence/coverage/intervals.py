"""Spans of time, and stretches of a verdict: half-open, in milliseconds since the epoch, UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from nhi_evidence.coverage.verdict import EVERY, Extent, Verdict


class Span(msgspec.Struct, frozen=True, order=True):
    """From `start` up to but excluding `end`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        """Raise `ValueError` for a span that ends before it starts."""
        if self.end < self.start:
            raise ValueError(f"a span from {self.start} cannot end at {self.end}")

    @property
    def is_empty(self) -> bool:
        """Whether it contains no instant."""
        return self.start == self.end

    def common(self, other: Span) -> Span | None:
        """Return the overlap of two spans; None if there is none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start < end else None


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return what the spans cover: sorted, disjoint and none empty."""
    merged: list[Span] = []
    for span in sorted(span for span in spans if not span.is_empty):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def intersection(some: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """Return what both groups cover."""
    right = union(others)
    overlaps = (one.common(other) for one in union(some) for other in right)
    return tuple(span for span in overlaps if span is not None)


def difference(some: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """Return what `some` cover and `others` do not."""
    left = list(union(some))
    for taken in union(others):
        rest: list[Span] = []
        for span in left:
            common = span.common(taken)
            if common is None:
                rest.append(span)
                continue
            parts = (Span(span.start, common.start), Span(common.end, span.end))
            rest += [part for part in parts if not part.is_empty]
        left = rest
    return tuple(left)


def length(spans: Iterable[Span]) -> int:
    """Return how many milliseconds the spans cover, counting overlaps once."""
    return sum(span.end - span.start for span in union(spans))


class Stretch(msgspec.Struct, frozen=True, omit_defaults=True):
    """A span with one verdict on a cell, and how it is known."""

    span: Span
    verdict: Verdict
    reason: str
    basis: str
    """How it is known: `read`, `recorded: ` and the change, `canary`, `documentation`; for UNKNOWN
    also `no record`, `no reading` or `-`."""
    extent: Extent = EVERY


def joined(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches in chronological order, merging neighbors that say the same."""
    ordered = sorted(stretches, key=lambda stretch: stretch.span)
    result: list[Stretch] = []
    for stretch in ordered:
        if stretch.span.is_empty:
            continue
        last = result[-1] if result else None
        if (
            last is not None
            and last.span.end == stretch.span.start
            and (last.verdict, last.reason, last.extent)
            == (stretch.verdict, stretch.reason, stretch.extent)
        ):
            span = Span(last.span.start, stretch.span.end)
            basis = last.basis if last.basis == stretch.basis else f"{last.basis}; {stretch.basis}"
            result[-1] = msgspec.structs.replace(last, span=span, basis=basis)
        else:
            result.append(stretch)
    return tuple(result)


def clipped(stretches: Iterable[Stretch], window: Span) -> tuple[Stretch, ...]:
    """Return the parts of stretches within a window."""
    parts = ((stretch, stretch.span.common(window)) for stretch in stretches)
    return tuple(
        msgspec.structs.replace(stretch, span=span) for stretch, span in parts if span is not None
    )


def overlaid(under: Sequence[Stretch], over: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Return `over` where it has a stretch, and `under` elsewhere."""
    taken = [stretch.span for stretch in over]
    rest = [
        msgspec.structs.replace(stretch, span=span)
        for stretch in under
        for span in difference([stretch.span], taken)
    ]
    return joined([*rest, *over])
