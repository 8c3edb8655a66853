"""A selection of records as Athena SQL, with the meaning of `Selection.matches`.

Values are written as literals. Athena's execution parameters are not used (docs/decisions/0240):
they are SQL too, and the sender has to quote them anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from nhi_evidence.investigate.index import Selection

BATCH_BYTES = 120_000
"""Bytes of values in one statement. Athena accepts 262,144 bytes of text, including the views:
https://docs.aws.amazon.com/athena/latest/ug/service-limits.html"""

_TIMES_WRITTEN = {"identities": 3, "credentials": 2, "issued": 2}
_EPOCH = "TIMESTAMP '1970-01-01 00:00:00.000'"


def literal(text: str) -> str:
    """Return a text as an Athena literal: a quote in it is doubled, and nothing else is special.

    https://trino.io/docs/current/language/types.html#varchar
    """
    return "'" + text.replace("'", "''") + "'"


def batches(selection: Selection) -> Iterator[Selection]:
    """Split a selection into ones that together select the same, each fitting one statement."""
    sets = {
        name: frozenset[object]()
        for name in ("identities", "credentials", "issued", "addresses", "resources", "subjects")
    }
    batch: dict[str, set[object]] = {}
    size = 0
    for name in sets:
        for value in sorted(getattr(selection, name)):
            parts = value if isinstance(value, tuple) else (value,)
            more = sum(len(literal(part).encode()) + 2 for part in parts)
            more *= _TIMES_WRITTEN.get(name, 1)
            if batch and size + more > BATCH_BYTES:
                yield _only(selection, batch)
                batch, size = {}, 0
            batch.setdefault(name, set()).add(value)
            size += more
    if batch:
        yield _only(selection, batch)


def _only(selection: Selection, batch: dict[str, set[object]]) -> Selection:
    names = ("identities", "credentials", "issued", "addresses", "resources", "subjects")
    chosen = {name: frozenset(batch.get(name, ())) for name in names}
    return msgspec.structs.replace(selection, **chosen)


def condition(selection: Selection) -> str:
    """Return the condition on rows of `events`; that of an empty selection is never true."""
    any_of = list(_any_of(selection))
    conditions = [f"({' OR '.join(any_of)})" if any_of else "false"]
    for instant, sign in ((selection.since, ">="), (selection.until, "<")):
        if instant is not None:
            conditions.append(f"time {sign} date_add('millisecond', {instant}, {_EPOCH})")
    return " AND ".join(conditions)


def _any_of(selection: Selection) -> Iterator[str]:
    for column in ("identity", "identity_uid", "identity_name"):
        yield from _in(column, selection.identities)
    yield from _in("credential", selection.credentials)
    yield from _any_in("hop_credentials", selection.credentials)
    yield from _any_in("issued", selection.issued)
    yield from _in("entity", selection.issued)
    yield from _in("ip", selection.addresses)
    resources = {each.lower() for each in selection.resources}
    yield from _any_in("concat(targets, target_names)", resources, "lower(x)")
    for issuer, subject in sorted(selection.subjects):
        yield (
            f"(coalesce(issuer, '') = {literal(issuer)}"
            f" AND coalesce(subject, '') = {literal(subject)})"
        )


def _in(column: str, values: Iterable[str]) -> Iterator[str]:
    listed = ", ".join(literal(each) for each in sorted(values))
    if listed:
        yield f"{column} IN ({listed})"


def _any_in(things: str, values: Iterable[str], of_each: str = "x") -> Iterator[str]:
    for inside in _in(of_each, values):
        yield f"cardinality(filter({things}, x -> {inside})) > 0"
