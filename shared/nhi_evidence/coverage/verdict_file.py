"""Store a run's verdicts under `op/v1/coverage/`: one for each cell.

They are a function of the readings they name, and of the release that judged those; anyone who has
both can recompute them. They hold at the instants of the readings, and not in between.
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
"""How many reasons, phrases and answers are named for one cell."""


class CellVerdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cell, as judged."""

    cell: str
    verdict: Verdict
    reasons: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """The first phrases for what is not recorded."""
    missing_count: int = 0
    """How many such phrases there are in all."""
    answers: tuple[str, ...] = ()
    """The first of the answers it rests on."""


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that was recorded here at the previous run, and is no longer known to be."""

    cell: str
    was: Verdict
    verdict: Verdict


class Stated(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The verdicts of one run."""

    v: int
    at: int
    """Time of the newest reading, milliseconds since the epoch."""
    release: str
    """The release that judged."""
    readings: dict[str, str]
    """Platform to the key of its reading."""
    not_read: tuple[str, ...]
    """Platforms that were not read; none of their cells is here."""
    before: str
    """Key of the verdicts that `lost` compares with; empty if there are none."""
    lost: tuple[Lost, ...]
    cells: tuple[CellVerdict, ...]
    canaries: tuple[str, ...] = ()
    """Keys of the statements on canaries that could override the settings, sorted."""


class Before(msgspec.Struct, frozen=True):
    """The verdicts of the previous run."""

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
    """Return the verdicts of a matrix made from these readings and statements alone.

    `readings` maps a platform to the key of its reading; `canaries` are the keys of statements.
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
    """Return the verdicts' object, under the hour of their newest reading."""
    body, _ = frame.pack([msgspec.json.encode(stated, order="sorted")])
    key = f"op/v1/{KIND}/h={keys.hour_of(stated.at)}/{sha256(body).hexdigest()}{ENDING}"
    return Operation(key, body, {"cells": str(len(stated.cells)), "at": str(stated.at)})


def read(body: bytes, name: str) -> Stated:
    """Decode verdicts. Raises `ReadingError` for anything `write` would not have written."""
    try:
        lines = frame.unpack(body, limit=_MAX_BYTES)
        stated = msgspec.json.decode(lines[0], type=Stated)
    except (ValueError, IndexError, msgspec.MsgspecError, RecursionError) as error:
        raise ReadingError(f"{name}: {error}") from error
    if len(lines) != 1 or stated.v != VERSION or write(stated).key != name:
        raise ReadingError(f"{name}: not in canonical form")
    return stated
