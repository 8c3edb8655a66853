"""What a run makes of its readings, under `op/v1/coverage/`: one verdict of each cell.

It is a function of the readings it names and of the release that judged them; whoever has both
makes it again. It holds for the instants of its readings, and says nothing of the time between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.coverage.answers import ReadingError
from nhi_evidence.coverage.matrix import Matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.evidence import frame, keys

KIND = "coverage"
ENDING = ".verdicts.json.zst"
VERSION = 1
_MAX_BYTES = 16 << 20
_MOST_NAMED = 50
"""Phrases and answers that are named of one cell; how many there are is stated."""


class CellVerdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cell as it was judged."""

    cell: str
    verdict: Verdict
    reasons: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """The first of what is not recorded."""
    missing_count: int = 0
    answers: tuple[str, ...] = ()
    """The first of the answers it rests on."""


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that was recorded here at the run before, and is not known to be any more."""

    cell: str
    was: Verdict
    verdict: Verdict


class Stated(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The verdicts of one run."""

    v: int
    at: int
    """Of the newest reading, milliseconds since the epoch."""
    release: str
    """That judged."""
    readings: dict[str, str]
    """Platform to the key of its reading."""
    not_read: tuple[str, ...]
    """Platforms that were not asked: none of their cells is here."""
    before: str
    """Key of the verdicts `lost` is told against; empty where there are none."""
    lost: tuple[Lost, ...]
    cells: tuple[CellVerdict, ...]
    canaries: tuple[str, ...] = ()
    """Keys of the statements on canaries that went over the settings, sorted."""


class Before(msgspec.Struct, frozen=True):
    """The verdicts of the run before."""

    key: str
    stated: Stated


def state(
    result: Matrix,
    readings: Mapping[str, str],
    *,
    release: str,
    before: Before | None,
    canaries: Iterable[str] = (),
) -> Stated:
    """Return what is stated of a matrix that was made of these readings alone.

    Or of these, and of the statements on canaries whose keys are `canaries`.
    """
    cells = tuple(_cells(result))
    return Stated(
        v=VERSION,
        at=max(result.read.values(), default=0),
        release=release,
        readings=dict(readings),
        not_read=result.not_read,
        before="" if before is None else before.key,
        lost=() if before is None else tuple(_lost(before.stated, cells)),
        cells=cells,
        canaries=tuple(sorted(canaries)),
    )


def _cells(result: Matrix) -> Iterable[CellVerdict]:
    for cell in result.cells:
        yield CellVerdict(
            cell=cell.cell,
            verdict=cell.verdict,
            reasons=cell.reasons[:_MOST_NAMED],
            missing=cell.missing[:_MOST_NAMED],
            missing_count=len(cell.missing),
            answers=cell.answers[:_MOST_NAMED],
        )


def _lost(before: Stated, cells: Iterable[CellVerdict]) -> Iterable[Lost]:
    was = {one.cell: one.verdict for one in before.cells}
    for cell in cells:
        earlier = was.get(cell.cell)
        if earlier is None or not earlier.is_recorded_here or cell.verdict.is_recorded_here:
            continue
        yield Lost(cell=cell.cell, was=earlier, verdict=cell.verdict)


def write(stated: Stated) -> Operation:
    """Return the object that holds verdicts, under the hour of their newest reading."""
    body, _ = frame.pack([msgspec.json.encode(stated, order="sorted")])
    key = f"op/v1/{KIND}/h={keys.hour_of(stated.at)}/{sha256(body).hexdigest()}{ENDING}"
    return Operation(key, body, {"cells": str(len(stated.cells)), "at": str(stated.at)})


def read(body: bytes, name: str) -> Stated:
    """Read them back. Raises `ReadingError` for anything `write` would not have written."""
    try:
        lines = frame.unpack(body, limit=_MAX_BYTES)
        stated = msgspec.json.decode(lines[0], type=Stated)
    except (ValueError, IndexError, msgspec.MsgspecError, RecursionError) as error:
        raise ReadingError(f"{name}: {error}") from error
    if len(lines) != 1 or stated.v != VERSION or write(stated).key != name:
        raise ReadingError(f"{name}: not in its own form")
    return stated
