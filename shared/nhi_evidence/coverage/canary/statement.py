"""What became of an hour's probes, under `op/v1/recon/`: one object per platform.

It is a function of the plans it names and of the records locked from the hour's beginning until
`until`, in the log up to `log.size`: anyone who has those can recompute it, as V5 of `verify` does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.completeness.statement import Log
from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.coverage.answers import ReadingError
from nhi_evidence.coverage.canary.weigh import BROKEN, Result, Weighed
from nhi_evidence.evidence import frame, keys
from nhi_evidence.evidence.leaf import Instant, Number

PREFIX = "op/v1/recon/"
ENDING = ".canaries.ndjson.zst"
VERSION = 1
_MAX_BYTES = 64 << 20
_MOST_PROBES = 100_000
_PLAN = re.compile(r"op/v1/coverage/h=\d{10}/[0-9a-f]{64}\.canaries\.json\.zst")


class Header(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="canaries"):
    """The first line: what was weighed, and the results."""

    v: int = VERSION
    platform: str
    hour: str
    """Hour of the plans, `YYYYMMDDHH`."""
    log: Log
    """The state of the log it rests on."""
    until: Instant
    """Records locked later than this were not read; milliseconds since the epoch."""
    mappers: tuple[str, ...]
    """Mapper digests of the releases that were accepted, the latest last; empty for any."""
    plans: tuple[str, ...]
    """Keys of the plans, sorted."""
    probes: Number
    """How many probe lines follow."""
    expected: Number
    """How many of them were announced to leave a record, and are no longer waited for."""
    arrived: Number
    """How many of those did, as the right principal and in the right phase."""
    results: dict[Result, Number]


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="probe"):
    """One probe, and what became of it."""

    plan: Number
    """Index into the header's plans."""
    cell: str
    nonce: str
    result: Result
    reason: str
    where: str = ""
    """Key of the object that has its first record; empty if there is none."""


class Stated(msgspec.Struct, frozen=True):
    """The statement on the probes of one platform in one hour."""

    header: Header
    lines: tuple[Line, ...]

    @property
    def weighed(self) -> tuple[Weighed, ...]:
        """The probes, as weighed."""
        return tuple(
            Weighed(one.cell, self.header.hour, one.nonce, one.result, one.reason, one.where)
            for one in self.lines
        )

    @property
    def broken(self) -> int:
        """How many probes did not arrive, or not as they should."""
        return sum(self.header.results.get(result, 0) for result in BROKEN)


_ARRIVED = (Result.PROVEN, Result.LATE)
_NOT_EXPECTED = (Result.ABSENT, Result.UNEXPECTED, Result.WAITING)
"""Negative probes, and those about which nothing can be said."""
_encode = msgspec.json.Encoder(order="sorted").encode


def state(
    platform: str,
    hour: str,
    log: Log,
    weighed: Sequence[tuple[str, Sequence[Weighed]]],
    *,
    until: int,
    mappers: Sequence[str],
) -> Stated:
    """Return the statement on plans, given the key of each with its weighed probes."""
    ordered = sorted(weighed, key=lambda each: each[0])
    lines = tuple(
        Line(
            plan=number,
            cell=one.cell,
            nonce=one.nonce,
            result=one.result,
            reason=one.reason,
            where=one.where,
        )
        for number, (_, probes) in enumerate(ordered)
        for one in sorted(probes, key=lambda each: each.nonce)
    )
    counts = Counter(one.result for one in lines)
    header = Header(
        platform=platform,
        hour=hour,
        log=log,
        until=until,
        mappers=tuple(mappers),
        plans=tuple(key for key, _ in ordered),
        probes=len(lines),
        expected=len(lines) - sum(counts[result] for result in _NOT_EXPECTED),
        arrived=sum(counts[result] for result in _ARRIVED),
        results={result: counts[result] for result in Result if counts[result]},
    )
    return Stated(header, lines)


def write(stated: Stated) -> Operation:
    """Return a statement's object, under the hour of its plans."""
    header = stated.header
    body, _ = frame.pack([_encode(header), *map(_encode, stated.lines)])
    key = f"{PREFIX}h={header.hour}/{sha256(body).hexdigest()}{ENDING}"
    metadata = {
        "platform": header.platform,
        "at": str(header.log.at),
        "broken": str(stated.broken),
    }
    return Operation(key, body, metadata)


def read(body: bytes, name: str) -> Stated:
    """Decode a statement. Raises `ReadingError` for anything `write` would not have written."""
    try:
        lines = frame.unpack(body, limit=_MAX_BYTES)
        header = msgspec.json.decode(lines[0], type=Header)
        if len(lines) > _MOST_PROBES:
            raise ReadingError(f"{name}: more than {_MOST_PROBES} probes")
        probes = tuple(msgspec.json.decode(line, type=Line) for line in lines[1:])
    except (ValueError, IndexError, msgspec.MsgspecError, RecursionError) as error:
        raise ReadingError(f"{name}: {error}") from error
    statement = Stated(header, probes)
    spelled = [_encode(header), *map(_encode, probes)] == lines
    named = f"{PREFIX}h={header.hour}/{sha256(body).hexdigest()}{ENDING}" == name
    if header.v != VERSION or keys.hour_start(header.hour) is None or not (spelled and named):
        raise ReadingError(f"{name}: not in canonical form")
    if any(not 0 <= one.plan < len(header.plans) for one in probes):
        raise ReadingError(f"{name}: a probe of no plan")
    if not all(_PLAN.fullmatch(key) for key in header.plans):
        raise ReadingError(f"{name}: names a plan by an invalid key")
    by_plan: list[tuple[str, list[Weighed]]] = [(key, []) for key in header.plans]
    for line, probe in zip(probes, statement.weighed, strict=True):
        by_plan[line.plan][1].append(probe)
    again = state(
        header.platform,
        header.hour,
        header.log,
        by_plan,
        until=header.until,
        mappers=header.mappers,
    )
    if again != statement:
        raise ReadingError(f"{name}: its header does not match its probes")
    return statement


def contradictions(stated: Stated, own: dict[str, Weighed]) -> list[str]:
    """Return each claim of a statement that the records do not bear out.

    `own` maps a nonce to our own weighing. A record that arrived later, or that nobody can read
    any more, does not contradict a statement that missed it.
    """
    claims = {*_ARRIVED, Result.UNEXPECTED}
    return [
        f"states {one.result} of {one.cell} ({one.nonce}); the records give {again.result}"
        for one in stated.lines
        if one.result in claims
        and (again := own.get(one.nonce)) is not None
        and again.result not in claims
    ]
