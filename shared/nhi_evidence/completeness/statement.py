"""Values of sealed statements on the completeness of an hour.

What an object of statements says depends only on the log up to `size` and the inputs it names, so
anyone who has these can make the same bytes (docs/evidence-format.md, "Statements").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from nhi_evidence.completeness.reasons import REASONS, Verdict
from nhi_evidence.evidence.leaf import Instant, Number


class Scope(msgspec.Struct, frozen=True, omit_defaults=True, order=True):
    """The part of a source that an hour is judged for; an empty member does not restrict it."""

    account: str = ""
    """AWS account, resource of Google Cloud (`projects/<id>`), Azure subscription or tenant."""
    region: str = ""
    stream: str = ""
    """Where it is delivered: bucket and prefix, or `<namespace>/<hub>#<creation id>`."""


class Log(msgspec.Struct, frozen=True):
    """The prefix of the signed log that a statement depends on."""

    origin: str
    """Origin of the shard: `<log name>/<year>`."""
    size: Number
    """Number of leaves of the shard that were read, besides all leaves of earlier shards."""
    root: str
    """Root of the tree over these leaves, hex."""
    at: Instant
    """The sealer's clock when they were sealed, milliseconds since the epoch; ages are as of it."""


class Announced(msgspec.Struct, frozen=True):
    """Heartbeats promised before the hour, and how many arrived."""

    expected: Number
    found: Number


class Named(msgspec.Struct, frozen=True, tag_field="k", tag="named", omit_defaults=True):
    """Something that is wrong, by name."""

    reason: str
    """Code of `REASONS`."""
    name: str
    """For a file, `<bucket>/<key>`; for a record, its native id; for a stream, the numbers."""
    detail: str = ""


class Counts(msgspec.Struct, frozen=True, tag_field="k", tag="counts", omit_defaults=True):
    """One unit, or one part of it, that counts, and the object it is in: what a reader joins on."""

    u: str
    """First 16 hex digits of the SHA-256 of the unit's name, as on the lines of the object."""
    key: str
    vid: str = ""
    """Version id; empty if unknown."""
    part: Number = 1


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about the completeness of one scope in one hour."""

    scope: Scope
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """Codes of `REASONS`, sorted; none if the verdict is `proven` or `reconciled`."""
    expected: int | None = None
    """How many files or records the provider states; None if it states nothing."""
    found: int = 0
    """How many of these are counted; for a scope without a list, how many units or messages are."""
    totals: Mapping[str, int] = {}
    """Number of things by reason; `named` holds the first of them."""
    open_until: int | None = None
    """Until when late arrivals may change the verdict, milliseconds since the epoch."""
    heartbeats: Announced | None = None
    named: tuple[Named, ...] = ()
    counts: tuple[Counts, ...] = ()
    """Every unit that counts, sorted; empty for a scope that is judged record by record."""

    @property
    def is_incomplete(self) -> bool:
        """Whether something is known to be missing."""
        return any(REASONS[code].is_incomplete for code in self.reasons)


class Statements(msgspec.Struct, frozen=True, kw_only=True):
    """The statements in one object, on one hour of one source."""

    source: str
    hour: str
    """`YYYYMMDDHH`: of the units, or of the records if a scope is judged record by record."""
    log: Log
    inputs: tuple[str, ...] = ()
    """Keys of what was read besides evidence: public keys, listings, announcements."""
    mappers: tuple[str, ...] = ()
    """Digests of the releases accepted in counting, the latest last; empty accepts any."""
    statements: tuple[Statement, ...]
    """Ordered by scope, without duplicates."""


class Standing(msgspec.Struct, frozen=True):
    """The statement in force for a scope and hour, and where it comes from."""

    statement: Statement
    log: Log
    key: str
    """Key of the object it is in."""


Subject = tuple[str, str, Scope]
"""Source, hour and scope."""


def standing(objects: Iterable[tuple[str, Statements]]) -> dict[Subject, Standing]:
    """Return the statement in force for each source, hour and scope: the one on the longest log.

    `objects` are keys with their contents. Of two statements on the same log, the one with the
    greater key is in force; `verify` finds the false one.
    """
    stands: dict[Subject, Standing] = {}
    for key, statements in objects:
        for statement in statements.statements:
            subject = (statements.source, statements.hour, statement.scope)
            new = Standing(statement, statements.log, key)
            old = stands.setdefault(subject, new)
            if _age(old) < _age(new):
                stands[subject] = new
    return stands


def _age(standing: Standing) -> tuple[str, int, str]:
    return standing.log.origin, standing.log.size, standing.key
