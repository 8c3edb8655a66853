"""Objects of statements under `op/v1/recon/`, written and read back in canonical form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from nhi_evidence.completeness.reasons import REASONS, Verdict
from nhi_evidence.completeness.statement import (
    Announced,
    Counts,
    Log,
    Named,
    Scope,
    Statement,
    Statements,
)
from nhi_evidence.evidence import frame, keys
from nhi_evidence.evidence.leaf import Instant, Number

FORMAT_VERSION = 1
PREFIX = "op/v1/recon/"
ENDING = ".statements.ndjson.zst"

MAX_LINES_BYTES = 64 << 20
"""Maximum inflated size of an object of statements."""
MAX_NAMED = 10_000
"""Maximum number of things one statement names; the others are only counted."""
MAX_COUNTS = 200_000
"""Maximum number of units one statement names: 40 MB of lines."""
MAX_TEXT = 2_000
"""Maximum characters of a name or detail."""

_ID = re.compile(r"[0-9a-f]{16}")
_HASH = re.compile(r"[0-9a-f]{64}")
_LineT = TypeVar("_LineT", bound=msgspec.Struct)


class Operation(msgspec.Struct, frozen=True):
    """One object under `op/`, ready to be put."""

    key: str
    body: bytes
    metadata: Mapping[str, str]


class _Header(msgspec.Struct, frozen=True, tag_field="k", tag="recon", omit_defaults=True):
    v: Number
    source: str
    hour: str
    log: Log
    statements: Number
    inputs: tuple[str, ...] = ()
    mappers: tuple[str, ...] = ()


class _Head(msgspec.Struct, frozen=True, tag_field="k", tag="statement", omit_defaults=True):
    """A statement without its lines."""

    scope: Scope
    verdict: Verdict
    found: Number
    named: Number
    counts: Number
    reasons: tuple[str, ...] = ()
    expected: Number | None = None
    totals: dict[str, Number] = {}
    open_until: Instant | None = None
    heartbeats: Announced | None = None


_encode = msgspec.json.Encoder(order="deterministic").encode


def is_statements(key: str) -> bool:
    """Whether a key is that of an object of statements."""
    parsed = keys.parse_key(key)
    return key.startswith(PREFIX) and key.endswith(ENDING) and parsed.body_sha256 is not None


def operation_key(kind: str, hour: str, body: bytes, ending: str) -> str:
    """Return the key of a deployed function's object, `op/v1/<kind>/h=<hour>/<sha256><ending>`."""
    return f"op/v1/{kind}/h={hour}/{sha256(body).hexdigest()}{ending}"


def write(statements: Statements) -> Iterator[Operation]:
    """Yield the objects that hold some statements: one, or several if one would be too large."""
    batch: list[Statement] = []
    lines: list[bytes] = []
    size = 0
    for statement in sorted(statements.statements, key=lambda each: each.scope):
        own = list(_lines(_bounded(statement)))
        own_size = sum(map(len, own)) + len(own)
        if batch and size + own_size > MAX_LINES_BYTES - _HEADER_BYTES:
            yield _operation(statements, batch, lines, is_last=False)
            batch, lines, size = [], [], 0
        batch.append(statement)
        lines += own
        size += own_size
    if batch:
        yield _operation(statements, batch, lines, is_last=True)


def scope_id(scope: Scope) -> str:
    """Return what the metadata of an object with one statement says of its scope."""
    return sha256(_encode(scope)).hexdigest()[:16]


_HEADER_BYTES = 1 << 20


def _operation(
    of: Statements, batch: Sequence[Statement], lines: list[bytes], *, is_last: bool
) -> Operation:
    header = _Header(FORMAT_VERSION, of.source, of.hour, of.log, len(batch), of.inputs, of.mappers)
    body, _ = frame.pack([_encode(header), *lines])
    return Operation(
        operation_key("recon", of.hour, body, ENDING),
        body,
        {
            "source": of.source,
            "statements": str(len(batch)),
            "size": str(of.log.size),
            "at": str(of.log.at),
            **({} if is_last else {"more": "true"}),
            **({"scope": scope_id(batch[0].scope)} if len(batch) == 1 else {}),
        },
    )


def _bounded(statement: Statement) -> Statement:
    """Return a statement without what it cannot hold; dropped units are noted as `too_many`."""
    named = tuple(
        replace(each, name=each.name[:MAX_TEXT], detail=each.detail[:MAX_TEXT])
        for each in sorted(statement.named, key=_named_order)[:MAX_NAMED]
    )
    counts = tuple(sorted(statement.counts, key=_counts_order))
    if len(counts) <= MAX_COUNTS:
        return replace(statement, named=named, counts=counts)
    return replace(
        statement,
        verdict=Verdict.UNPROVABLE,
        reasons=tuple(sorted({*statement.reasons, "too_many"})),
        named=named,
        counts=(),
    )


def _named_order(named: Named) -> tuple[str, str, str]:
    return named.reason, named.name, named.detail


def _counts_order(counts: Counts) -> tuple[str, str, str, int]:
    return counts.key, counts.vid, counts.u, counts.part


def _lines(statement: Statement) -> Iterator[bytes]:
    yield _encode(
        _Head(
            scope=statement.scope,
            verdict=statement.verdict,
            found=statement.found,
            named=len(statement.named),
            counts=len(statement.counts),
            reasons=statement.reasons,
            expected=statement.expected,
            totals=dict(statement.totals),
            open_until=statement.open_until,
            heartbeats=statement.heartbeats,
        )
    )
    yield from map(_encode, statement.named)
    yield from map(_encode, statement.counts)


def read(body: bytes) -> Statements:
    """Read an object of statements.

    Raises `ValueError` naming a line that is not in the form `write` gives it, is out of order, or
    claims a verdict that its own numbers do not allow.
    """
    lines = frame.unpack(body, limit=MAX_LINES_BYTES)
    header = _decoded(lines[0], _Header, 0)
    if header.v != FORMAT_VERSION:
        raise ValueError(f"statements: format version {header.v}")
    statements: list[Statement] = []
    at = 1
    for _ in range(header.statements):
        statement, at = _read_statement(lines, at)
        statements.append(statement)
    if at != len(lines):
        raise ValueError(f"statements: {len(lines) - at} lines after the last statement")
    if any(one.scope >= next_.scope for one, next_ in pairwise(statements)):
        raise ValueError("statements: out of order, or a scope occurs twice")
    _check_header(header)
    return Statements(
        source=header.source,
        hour=header.hour,
        log=header.log,
        inputs=header.inputs,
        mappers=header.mappers,
        statements=tuple(statements),
    )


def _check_header(header: _Header) -> None:
    if not header.statements:
        raise ValueError("statements: none")
    is_hour = header.hour == keys.UNKNOWN_HOUR or keys.hour_start(header.hour) is not None
    if not is_hour or header.log.size < 0 or _HASH.fullmatch(header.log.root) is None:
        raise ValueError("statements: header states no valid hour, size or root")


def _read_statement(lines: Sequence[bytes], at: int) -> tuple[Statement, int]:
    if at >= len(lines):
        raise ValueError("statements: fewer than the header announces")
    head = _decoded(lines[at], _Head, at)
    end = at + 1 + head.named + head.counts
    if head.named > MAX_NAMED or head.counts > MAX_COUNTS or end > len(lines):
        raise ValueError(f"statements: line {at} announces {head.named} and {head.counts} lines")
    middle = at + 1 + head.named
    statement = Statement(
        scope=head.scope,
        verdict=head.verdict,
        reasons=head.reasons,
        expected=head.expected,
        found=head.found,
        totals=head.totals,
        open_until=head.open_until,
        heartbeats=head.heartbeats,
        named=tuple(_decoded(lines[n], Named, n) for n in range(at + 1, middle)),
        counts=tuple(_decoded(lines[n], Counts, n) for n in range(middle, end)),
    )
    problem = next(_problems(statement), None)
    if problem is not None:
        raise ValueError(f"statements: line {at}: {problem}")
    return statement, end


def _problems(statement: Statement) -> Iterator[str]:
    """Yield how a statement contradicts itself."""
    codes = {*statement.reasons, *statement.totals, *(each.reason for each in statement.named)}
    unknown = sorted(codes - set(REASONS))
    if unknown:
        yield f"unknown reason {unknown[0]}"
    if list(statement.reasons) != sorted(set(statement.reasons)):
        yield "reasons out of order"
    is_listed = statement.verdict in {Verdict.PROVEN, Verdict.RECONCILED}
    if is_listed and (statement.reasons or statement.expected != statement.found):
        yield f"{statement.verdict} with reasons, or with {statement.found} of {statement.expected}"
    if statement.verdict is Verdict.UNPROVABLE and not statement.reasons:
        yield "unprovable without a reason"
    if statement.found > (statement.expected or statement.found):
        yield "impossible numbers"
    if set(statement.totals) - set(statement.reasons):
        yield "totals for a reason it does not give"
    if any(named.reason not in statement.reasons for named in statement.named):
        yield "names for a reason it does not give"
    if any(_named_order(one) > _named_order(two) for one, two in pairwise(statement.named)):
        yield "names out of order"
    if any(_counts_order(one) >= _counts_order(two) for one, two in pairwise(statement.counts)):
        yield "units out of order or duplicated"
    if not all(_ID.fullmatch(each.u) and each.part > 0 for each in statement.counts):
        yield "not the id of a unit"


def _decoded(line: bytes, shape: type[_LineT], number: int) -> _LineT:
    try:
        value = msgspec.json.decode(line, type=shape)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"statements: line {number}: {error}") from error
    if _encode(value) != line:
        raise ValueError(f"statements: line {number}: not in canonical form")
    return value
