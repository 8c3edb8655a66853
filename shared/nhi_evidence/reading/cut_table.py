"""What a source declares to be cut: fields by their paths, and refused categories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from nhi_evidence.reading.cut_off import leading_members
from nhi_evidence.reading.json_places import Span

_STEP = re.compile(r'(?:"([^"]+)"|([^.>"]+))([.>]?)')
_SEPARATOR = re.compile(rb"[&;#]")
ANY, ALL = "*", "**"


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value in the record, and what it must be."""

    path: str
    any_of: tuple[str, ...] = msgspec.field(name="in", default=())
    starts_with: str | None = None
    present: bool | None = None
    """If given, only whether the value is present matters."""

    def holds(self, record: Any) -> bool:
        """Whether the record has such a value; one that is not a text is in no list."""
        value = _at(record, self.path)
        if self.present is not None:
            return (value is not None) is self.present
        if not isinstance(value, str):
            return False
        return value in self.any_of or (
            self.starts_with is not None and value.startswith(self.starts_with)
        )


def _at(record: Any, path: str) -> Any:
    """Return the value at a path, also in JSON inside a text; None without any.

    In truncated JSON, what is complete before the cut counts. Raises as `msgspec.json.decode` does
    if such a text is not JSON.
    """
    value = record
    for name, is_text in steps_of(path):
        value = value.get(name) if isinstance(value, dict) else None
        if is_text and isinstance(value, str):
            value = _object_in(value)
    return value


def _object_in(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        leading = leading_members(text.encode())
        if leading is None:
            raise
        return msgspec.json.decode(leading)


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A declared field: the rule's name, its path, and why it may not be locked."""

    rule: str
    path: str
    """Names separated by dots, one with dots of its own in quotes; `*` is any member or element,
    `name*` each member with that prefix, `**` as the last step every text below; `>` enters JSON
    inside a text."""
    why: str
    query_except: tuple[str, ...] | None = None
    """If given, the field is a URI: its query values are cut, except those of these names."""
    unless: Condition | None = None
    """If it holds, nothing is cut."""
    unless_begins: str | None = None
    """A text with this prefix is not cut: the log itself has hashed it."""
    names_except: tuple[str, ...] = ()
    """For `**`: texts under these names are not cut."""
    numbers_except: tuple[str, ...] | None = None
    """If given, for `**`: numbers are cut, too, except under these names; the log hashes none."""
    cut_off: bool = False
    """For JSON inside a text: the log itself truncates it; what is complete before that stays."""


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records that are not kept at all, only counted."""

    name: str
    when: tuple[Condition, ...]
    """Conditions that must all hold."""
    why: str

    def holds(self, record: Any) -> bool:
        """Whether a record is of the category."""
        return all(condition.holds(record) for condition in self.when)


class CutTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source declares."""

    version: int
    fields: tuple[Field, ...] = ()
    refused: tuple[Category, ...] = ()
    unread_with: tuple[str, ...] = ()
    """Words, ignoring case: an unreadable text is cut entirely if it contains one. Without words,
    every unreadable text is cut."""


Steps = tuple[tuple[str, bool], ...]
"""The name of each step, and whether its value is JSON inside a text."""


@cache
def steps_of(path: str) -> Steps:
    """Return the steps of a path."""
    return tuple((match[1] or match[2], match[3] == ">") for match in _STEP.finditer(path))


def is_named(name: str | None, step: str) -> bool:
    """Whether a step matches a member with this name; an element has none."""
    return step == ANY or (
        name is not None and (name == step or (step.endswith(ANY) and name.startswith(step[:-1])))
    )


def query_values(uri: bytes, known: tuple[str, ...]) -> Iterator[Span]:
    """Yield the values in a URI's query whose names are not `known`; a bare word is a value."""
    at = uri.find(b"?") + 1
    while 0 < at <= len(uri):
        stop = _SEPARATOR.search(uri, at)
        end = stop.start() if stop else len(uri)
        name, equals, _ = uri[at:end].partition(b"=")
        plain = unquote_to_bytes(name) if b"%" in name else name
        if plain.decode(errors="replace") not in known:
            start = at + len(name) + len(equals) if equals else at
            if start < end:
                yield start, end
        at = end + 1
