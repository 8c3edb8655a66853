"""Kinds of CloudTrail events, and one representative of each class that selectors distinguish.

A kind leaves fields open: any name, any resource. Whether *every* event of a kind is recorded is
decided exactly, not by sampling: the conditions of all selectors divide the values of a field into
finitely many classes (a listed value; or the longest listed prefix and the longest listed suffix
it has), and one representative of each class stands for the whole class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

import msgspec

MAX_REPRESENTATIVES = 200_000
OTHER = "\N{HORIZONTAL ELLIPSIS}"
"""Stands for text that no condition lists."""

CATEGORY, READ_ONLY, SOURCE, NAME = "eventCategory", "readOnly", "eventSource", "eventName"
TYPE, ARN, ERROR, IDENTITY = "resources.type", "resources.ARN", "errorCode", "userIdentity.arn"


class TooManyClassesError(Exception):
    """Selectors distinguish more classes of events than are compared."""


class EventKind(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Events that a cell treats alike; a field that is None may have any value."""

    category: str = "Management"
    """`Management`, `Data` or `NetworkActivity`."""
    source: str | None = None
    names: tuple[str, ...] = ()
    read_only: bool | None = None
    type: str | None = None
    """`resources.type` of a data event."""
    arn: str | None = None
    """`resources.ARN`; a `*` at the end leaves the rest open."""
    error: str | None = None
    identity: str | None = None
    """`userIdentity.arn`; a `*` at the end leaves the rest open."""

    def domains(self) -> dict[str, tuple[str, ...] | None]:
        """Return the possible values of each field, None where any is possible."""
        flag = (str(self.read_only).lower(),) if self.read_only is not None else ("true", "false")
        return {
            CATEGORY: (self.category,),
            READ_ONLY: flag,
            SOURCE: (self.source,) if self.source else None,
            NAME: self.names or None,
            TYPE: (self.type,) if self.type else None,
            ARN: None if self.prefix(ARN) or not self.arn else (self.arn,),
            ERROR: (self.error,) if self.error is not None else None,
            IDENTITY: None if self.prefix(IDENTITY) or not self.identity else (self.identity,),
        }

    def prefix(self, field: str) -> str:
        """Return the prefix that every value of an open field has."""
        text = {ARN: self.arn, IDENTITY: self.identity}.get(field) or ""
        return text[:-1] if text.endswith("*") else ""


class Listed(msgspec.Struct, frozen=True):
    """The values, prefixes and suffixes that conditions on one field list."""

    values: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    suffixes: frozenset[str] = frozenset()


Event = Mapping[str, str]
"""One event: field to value, for every field that any condition names."""


def representatives(kind: EventKind, listed: Mapping[str, Listed]) -> Iterator[Event]:
    """Yield one event of each class of a kind that the listed conditions distinguish.

    Raises `TooManyClassesError` beyond `MAX_REPRESENTATIVES`.
    """
    domains = kind.domains()
    values: dict[str, list[str]] = {}
    for field in dict.fromkeys([*domains, *listed]):
        stated = domains.get(field)
        values[field] = list(stated) if stated else _classes(kind.prefix(field), listed.get(field))
    count = 1
    for choices in values.values():
        count *= len(choices)
    if count > MAX_REPRESENTATIVES:
        raise TooManyClassesError(f"{count} classes of events, at most {MAX_REPRESENTATIVES}")
    for chosen in product(*values.values()):
        yield dict(zip(values, chosen, strict=True))


def _classes(prefix: str, listed: Listed | None) -> list[str]:
    if listed is None:
        return [prefix + OTHER]
    # A prefix shorter than ours matches every value or none, so it needs no class of its own.
    starts = [prefix, *sorted(text for text in listed.prefixes if text.startswith(prefix))]
    ends = ["", *sorted(listed.suffixes)]
    built = [f"{start}{OTHER}{end}" for start in dict.fromkeys(starts) for end in ends]
    return [*built, *sorted(value for value in listed.values if value.startswith(prefix))]


def phrase(event: Event) -> str:
    """Describe the events a representative stands for, leaving out the fields that are open."""
    parts = []
    if event.get(NAME, OTHER) != OTHER:
        parts.append(event[NAME])
    parts.append({"true": "reads", "false": "writes"}[event[READ_ONLY]])
    if event.get(SOURCE, OTHER) != OTHER:
        parts.append(f"of {event[SOURCE]}")
    parts.append(f"({event[CATEGORY]} events)")
    for field, word in ((TYPE, "on"), (ARN, "on"), (ERROR, "with error"), (IDENTITY, "by")):
        if event.get(field, OTHER) not in (OTHER, ""):
            parts.append(f"{word} {event[field]}")
    return " ".join(parts)


def phrases(events: Iterable[Event], most: int = 5) -> tuple[str, ...]:
    """Describe the events representatives stand for, each once, and at most `most` of them."""
    texts = list(dict.fromkeys(phrase(event) for event in events))
    if len(texts) > most:
        return (*texts[:most], f"and {len(texts) - most} more")
    return tuple(texts)
