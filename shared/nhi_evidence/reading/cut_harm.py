"""Patterns for declared fields: the last name of a path, followed by a value that may be cut.

They list the harmless values of a name, so that anything unforeseen counts as harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from nhi_evidence.reading.cut_table import ALL, ANY, Condition, Field, Steps

PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
"""Names that JSON can only spell differently with an escape."""
_SCALAR = rb"[-+.\w]++"
_LITERAL = rb"(?:null|true|false)"
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NOTHING = rb'null|true|false|""|\{\}|\[\]'
_DEPTH = 3
"""How many levels of nested objects are examined."""


class Path(NamedTuple):
    """A declared field, seen from some place along its path."""

    field: Field
    steps: Steps
    """The rest of its path."""
    unless: Condition | None
    """Its condition, seen from the same place; None if it is about a different place."""

    @property
    def names(self) -> list[str]:
        """The names of the steps."""
        return [name for name, _ in self.steps]


class Rule:
    """One rule, by the last name of its path."""

    def __init__(self, path: Path) -> None:
        name, harmless = _last(path)
        self._begins = b'"' + _spelt(path)
        self._match = finder([_harm(name, harmless)]).match
        above = _one_above(path)
        self.above = None if above is None else finder([_harm(*above)]).search

    def finds(self, raw: bytes, at: int) -> bool:
        """Whether the name is at a place, and what follows it is not known to be harmless."""
        return raw.startswith(self._begins, at) and self._match(raw, at) is not None


def finder(harms: Iterable[bytes]) -> re.Pattern[bytes]:
    """Return the search for a name that is followed by anything but its harmless values."""
    return re.compile(rb'"(?:%b)' % b"|".join(dict.fromkeys(harms)), re.DOTALL)


def harms(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield the patterns of what is not known to be harmless, combining rules for one name."""
    below: dict[tuple[str, str | None], Field] = {}
    for path in paths:
        if path.names[-1] != ALL:
            yield _harm(*_last(path))
            continue
        key = path.names[-2], path.field.unless_begins
        known = below.setdefault(key, path.field).names_except
        both = tuple(name for name in known if name in path.field.names_except)
        numbers = _less(below[key].numbers_except, path.field.numbers_except)
        below[key] = msgspec.structs.replace(path.field, names_except=both, numbers_except=numbers)
    for (name, _), field in below.items():
        yield _harm(_quoted(name), _harmless_below(field))


def _less(first: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return under which names neither of two rules cuts numbers; None if that is all names."""
    if first is None or other is None:
        return first if other is None else other
    return tuple(name for name in first if name in other)


def _harm(name: bytes, harmless: bytes) -> bytes:
    """Return the pattern of a name, after its first quote, that is not known to be harmless.

    What is not followed by a colon is not a name; with a space before the colon it is in doubt.
    """
    return rb"%b(?![,}\]]|: *+(?:%b))" % (name, harmless)


def inside(path: Path) -> Path:
    """Return a path as seen from inside the text that its first step enters."""
    unless, entered = path.unless, path.steps[0][0] + ">"
    if unless is not None and unless.path.startswith(entered):
        unless = msgspec.structs.replace(unless, path=unless.path.removeprefix(entered))
    else:
        unless = None
    return Path(path.field, path.steps[1:], unless)


def can_be_looked_for(path: Path) -> bool:
    """Whether a path consists of plain names; the last may be a prefix, or everything below."""
    *before, last = path.names
    if any(is_text for _, is_text in path.steps) or not all(map(PLAIN.fullmatch, before)):
        return False
    return bool(before) if last == ALL else bool(PLAIN.fullmatch(last.removesuffix(ANY)))


def _last(path: Path) -> tuple[bytes, bytes]:
    """Return the name to search for, up to its last quote, and its harmless values."""
    last = path.names[-1]
    if last == ALL:
        return _quoted(path.names[-2]), _harmless_below(path.field)
    if last.endswith(ANY):
        return re.escape(last.removesuffix(ANY).encode()) + rb'[^"\\]*+"', _harmless(path.field)
    return _quoted(last), _harmless(path.field)


def _spelt(path: Path) -> bytes:
    """Return how the name to search for begins: all of it with its last quote, or its prefix."""
    last = path.names[-1]
    if last != ALL and last.endswith(ANY):
        return last.removesuffix(ANY).encode()
    return (path.names[-2] if last == ALL else last).encode() + b'"'


def _quoted(name: str) -> bytes:
    return re.escape(name.encode()) + b'"'


def _one_above(path: Path) -> tuple[bytes, bytes] | None:
    """Return the name before the last, and its objects in which the last is harmless or absent.

    Some last names are common elsewhere: `secret`, `url`.
    """
    if len(path.names) == 1 or path.names[-1].endswith(ANY):
        return None
    last = _quoted(path.names[-1])
    below = rb"\{\}"
    for _ in range(_DEPTH - 1):
        below = _object(rb'"[^"\\]*+":(?:%b)' % _value(_TEXT, below))
    member = rb'"(?:(?!%b)[^"\\]*+":(?:%b)|%b:(?:%b))' % (
        last,
        _value(_TEXT, below),
        last,
        _harmless(path.field),
    )
    return _quoted(path.names[-2]), rb"null|true|false|%b" % _object(member)


def _harmless(field: Field) -> bytes:
    """Return the harmless values of a field: none, or what its rule leaves in place."""
    if field.query_except is not None:
        known = b"|".join(re.escape(name.encode()) for name in field.query_except) or rb"(?!)"
        # Go writes `&` within JSON as an escape.
        query = rb'(?:(?:%b)(?:=[^"\\&;#]*+)?(?:&|\\u0026|(?=")))*+' % known
        return rb'"[^"?\\]*+(?:\?%b)?"|%b' % (query, _NOTHING)
    if field.unless_begins is not None:
        return rb'"%b|%b' % (re.escape(field.unless_begins.encode()), _NOTHING)
    return _NOTHING


def _harmless_below(field: Field) -> bytes:
    """Return the objects in which nothing is cut, down to the depth that is examined."""
    begins = field.unless_begins
    kept = rb'"(?:%b[^"\\]*+)?+"' % re.escape(begins.encode()) if begins is not None else rb'""'
    texts, numbers = field.names_except, field.numbers_except
    below = rb"\{\}"
    for _ in range(_DEPTH):
        if numbers is None:
            members = [_members(texts, _value(_TEXT, below)), _members(None, _value(kept, below))]
        else:
            both = [name for name in texts if name in numbers]
            members = [
                _members(both, _value(_TEXT, below)),
                _members(texts, _value(_TEXT, below, _LITERAL)),
                _members(numbers, _value(kept, below)),
                _members(None, _value(kept, below, _LITERAL)),
            ]
        below = _object(rb"(?:%b)" % b"|".join(members))
    return rb"null|true|false|%b" % below


def _members(names: Iterable[str] | None, value: bytes) -> bytes:
    """Return the pattern of members with one of these names, or with any, and such a value."""
    if names is None:
        return rb'"[^"\\]*+":(?:%b)' % value
    known = b"|".join(re.escape(name.encode()) for name in names) or rb"(?!)"
    return rb'"(?:%b)":(?:%b)' % (known, value)


def _value(text: bytes, below: bytes, scalar: bytes = _SCALAR) -> bytes:
    """Return the pattern of a scalar, a text, a list of them, or an object."""
    each = rb"(?:%b|%b)" % (scalar, text)
    return rb"%b|\[(?:%b(?:,|(?=\])))*+\]|%b" % (each, each, below)


def _object(member: bytes) -> bytes:
    return rb"\{(?:%b(?:,|(?=\})))*+\}" % member
