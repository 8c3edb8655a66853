"""Which hour a unit is of, and so which claims are void because their object is elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from nhi_evidence import sources
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.lines import Header


@lru_cache(maxsize=64)
def hour_of(source: str) -> Callable[[str], str | None]:
    """Return a function from a unit's name to its hour; always None if the source is unknown.

    Only its source's pack says which hour a unit is of, so a release that does not know the source
    counts none of its claims.
    """
    if source not in sources.names():
        return lambda _unit: None
    of_key = sources.load(source).hour_of
    return lambda unit: keys.unit_hour(unit, of_key)


def is_in_place(source: str, hour: str, header: Header, unit: str) -> bool:
    """Whether a claim to `unit` is made where it may be: in an object of its source and hour.

    `source` and `hour` are those of the object's key; `header` is the object's own statement.
    """
    return (header.source, header.hour) == (source, hour) and hour_of(source)(unit) == hour
