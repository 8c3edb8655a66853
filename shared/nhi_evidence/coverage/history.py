"""A cell over time: from readings, and from the changes that records state between them.

What is claimed, and what is not:
- At a reading its verdict holds. Between two readings it holds if both agree, they are no farther
  apart than `apart_ms`, and no change is on record; otherwise it is UNKNOWN.
- From a change on, what the record states holds, unless the next reading disagrees: then the time
  between is UNKNOWN, because no record says when it changed. A change of something else, after
  which the verdict is the same, says nothing about when.
- Before the first reading and after the last nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from nhi_evidence.coverage import changes as changed
from nhi_evidence.coverage import judges
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.cells import Cell
from nhi_evidence.coverage.changes import Change
from nhi_evidence.coverage.intervals import Span, Stretch, clipped, joined
from nhi_evidence.coverage.judges import EVERYONE, Subject
from nhi_evidence.coverage.verdict import EVERY, Extent, Judgment, Verdict

APART_MS = 25 * 3_600_000
"""Daily readings, with an hour to spare, leave no hole between them."""


def newest(readings: Sequence[Reading], changes: Sequence[Change]) -> dict[str, Reading]:
    """Return the last reading of each platform, with the changes on record since applied."""
    last = {one.platform: one for one in sorted(readings, key=lambda reading: reading.at)}
    for change in sorted(changes, key=lambda each: each.at):
        reading = last.get(change.platform)
        if reading is not None and change.at >= reading.at:
            last[change.platform] = changed.applied(reading, change)
    return last


class _Point(msgspec.Struct, frozen=True):
    """A time at which something becomes known."""

    at: int
    reading: Reading
    """The reading as it is from then on."""
    by: str
    """`read`, or what the change was."""
    is_reading: bool


def stretches(
    cell: Cell,
    readings: Sequence[Reading],
    changes: Sequence[Change],
    window: Span,
    *,
    subject: Subject = EVERYONE,
    apart_ms: int = APART_MS,
) -> tuple[Stretch, ...]:
    """Return what is known about a cell in a window, without a hole, in chronological order.

    `readings` and `changes` are of any platform, in any order.
    """
    if not judges.needs_reading(cell):
        judged = judges.judge(cell, None, subject)
        return (Stretch(window, judged.verdict, judged.reason, "documentation"),)
    platform = judges.reader_of(cell.platform)
    points = _points(
        sorted((one for one in readings if one.platform == platform), key=lambda each: each.at),
        sorted((one for one in changes if one.platform == platform), key=lambda each: each.at),
    )
    known = tuple(_known(cell, points, subject, apart_ms))
    return _filled(joined(clipped(known, window)), window, bool(points))


def _points(readings: Sequence[Reading], changes: Sequence[Change]) -> list[_Point]:
    """Return readings and changes in order; a change before the first reading has no effect."""
    events: list[tuple[int, int, Reading | Change]] = [(one.at, 1, one) for one in readings]
    events += [(one.at, 0, one) for one in changes]
    events.sort(key=lambda event: event[:2])
    points: list[_Point] = []
    for at, _, event in events:
        if isinstance(event, Reading):
            points.append(_Point(at, event, "read", is_reading=True))
        elif points:
            after = changed.applied(points[-1].reading, event)
            points.append(_Point(at, after, event.what, is_reading=False))
    return points


def _known(
    cell: Cell, points: Sequence[_Point], subject: Subject, apart_ms: int
) -> Iterator[Stretch]:
    points, judged = _that_matter(
        points, [judges.judge(cell, point.reading, subject) for point in points]
    )
    last_read = 0
    for index, (point, judgment) in enumerate(zip(points, judged, strict=True)):
        last_read = point.at if point.is_reading else last_read
        following = points[index + 1] if index + 1 < len(points) else None
        if following is None:
            if point.is_reading:
                yield _stretch(point.at, point.at + 1, judgment, "read")
            else:
                yield _stretch(point.at, point.at + 1, judgment, f"recorded: {point.by}")
            return
        if following.at == point.at:
            continue
        yield from _between(
            point, judgment, following, judged[index + 1], following.at - last_read <= apart_ms
        )


def _that_matter(
    points: Sequence[_Point], judged: Sequence[Judgment]
) -> tuple[Sequence[_Point], Sequence[Judgment]]:
    """Leave out changes that change nothing for the cell.

    After the last reading, one that states anew what the cell rests on confirms it.
    """
    last = max((place for place, point in enumerate(points) if point.is_reading), default=0)
    kept = [
        place
        for place, point in enumerate(points)
        if point.is_reading
        or _stated(judged[place - 1]) != _stated(judged[place])
        or (place > last and _states(points[place - 1].reading, point.reading, judged[place]))
    ]
    return [points[place] for place in kept], [judged[place] for place in kept]


def _states(before: Reading, after: Reading, judgment: Judgment) -> bool:
    """Whether a change is of an answer that a judgment rests on."""
    unchanged = {id(answer) for answer in before.answers}
    stated = {answer.name for answer in after.answers if id(answer) not in unchanged}
    return not stated.isdisjoint(judgment.answers)


def _stated(judgment: Judgment) -> tuple[Verdict, tuple[str, ...], Extent]:
    return judgment.verdict, judgment.reasons, judgment.extent


def _between(
    point: _Point, judgment: Judgment, following: _Point, then: Judgment, is_near: bool
) -> Iterator[Stretch]:
    basis = "read" if point.is_reading else f"recorded: {point.by}"
    extent: Extent | None = judgment.extent
    if following.is_reading:
        now, later = (judgment.verdict, judgment.reason), (then.verdict, then.reason)
        extent = judgment.extent.joined(then.extent, now, later) if is_near else EVERY
    if judgment.verdict is Verdict.UNKNOWN:
        lasting = msgspec.structs.replace(judgment, extent=extent or EVERY)
        yield _stretch(point.at, following.at, lasting, basis)
    elif following.is_reading and then.verdict is not judgment.verdict:
        yield _stretch(point.at, point.at + 1, judgment, basis)
        reason = f"{judgment.verdict} before and {then.verdict} when read next: "
        reason += "no record says since when"
        span = Span(point.at + 1, following.at)
        yield Stretch(span, Verdict.UNKNOWN, reason, "no record", extent or EVERY)
    elif not is_near:
        yield _stretch(point.at, point.at + 1, judgment, basis)
        reason = "not read for longer than readings may be apart"
        yield Stretch(Span(point.at + 1, following.at), Verdict.UNKNOWN, reason, "no reading")
    elif extent is None:
        yield _stretch(point.at, point.at + 1, judgment, basis)
        reason = "what was read next is of other accounts"
        yield Stretch(Span(point.at + 1, following.at), Verdict.UNKNOWN, reason, "no record")
    else:
        lasting = msgspec.structs.replace(judgment, extent=extent)
        yield _stretch(point.at, following.at, lasting, basis)


def _stretch(start: int, end: int, judgment: Judgment, basis: str) -> Stretch:
    return Stretch(Span(start, end), judgment.verdict, judgment.reason, basis, judgment.extent)


def _filled(known: Sequence[Stretch], window: Span, was_read: bool) -> tuple[Stretch, ...]:
    """Fill the holes in a window with UNKNOWN."""
    every: list[Stretch] = []
    at = window.start
    for stretch in known:
        if at < stretch.span.start:
            reason = "before the first reading" if not every else "nothing is known"
            every.append(Stretch(Span(at, stretch.span.start), Verdict.UNKNOWN, reason, "-"))
        every.append(stretch)
        at = stretch.span.end
    if at < window.end:
        reason = "after the last reading" if was_read else "its settings were never read"
        every.append(Stretch(Span(at, window.end), Verdict.UNKNOWN, reason, "-"))
    return joined(every)
