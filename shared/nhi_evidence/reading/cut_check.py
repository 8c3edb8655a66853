"""Whether a record holds anything that is to be cut, told from its decoded form.

Most records hold nothing of it, and finding places costs more than reading. A decoded form has lost
doubled names: where the text has a name more often than the form, nothing is told by this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from nhi_evidence.reading.cut_table import ALL, ANY, Field, Steps, is_named, query_values

_STRUCTURED = (dict, list)


def shows_all(raw: bytes, record: Any) -> bool:
    """Whether a decoded form has lost nothing of its text: written again it is the same text.

    White space aside, wherever it stands. In doubt it has: of numbers and escapes that would be
    written otherwise.
    """
    again = _encode(record)
    return again == raw or again.translate(None, _SPACE) == raw.translate(None, _SPACE)


_encode = msgspec.json.Encoder().encode
_SPACE = b" \t\r\n"


class Names:
    """The names of all paths of a table."""

    def __init__(self, names: Iterable[str]) -> None:
        """Prepare to count them."""
        self._names = frozenset(names)
        any_name = b"|".join(sorted(re.escape(name.encode()) for name in self._names))
        self._in_text = re.compile(rb'"(?:%b)"[ \t\r\n]*:' % any_name)

    def are_told(self, raw: bytes, record: Any) -> bool:
        """Whether a decoded form has these names as often as its text has, spelt plainly."""
        return shows_all(raw, record) or len(self._in_text.findall(raw)) == self._count(record)

    def _count(self, value: Any) -> int:
        seen = 0
        if isinstance(value, dict):
            seen = len(self._names & value.keys())
            value = value.values()
        for inner in value:
            if isinstance(inner, _STRUCTURED):
                seen += self._count(inner)
        return seen


class Declared(msgspec.Struct, frozen=True):
    """One field, ready to be looked for."""

    field: Field
    steps: Steps


class Tree:
    """The paths of fields, put together: what they begin with is walked once."""

    def __init__(self, fields: Iterable[tuple[Declared, Steps]]) -> None:
        """Take fields, each with the steps that are left of its path."""
        self.everywhere: list[Declared] = []
        """Whose path ends in every text below."""
        self.here: list[Declared] = []
        """Whose path ends at this value."""
        self.all: list[Declared] = []
        """All of them."""
        below: dict[tuple[str, bool], list[tuple[Declared, Steps]]] = {}
        for declared, steps in fields:
            self.all.append(declared)
            if not steps:
                self.here.append(declared)
            elif steps[0][0] == ALL:
                self.everywhere.append(declared)
            else:
                below.setdefault(steps[0], []).append((declared, steps[1:]))
        self.ends = [
            (name, inner[0][0])
            for (name, is_text), inner in below.items()
            if not name.endswith(ANY) and not is_text and len(inner) == 1 and not inner[0][1]
        ]
        """Members at which one path ends, and none goes on: most there are."""
        ending = {name for name, _ in self.ends}
        trees = [
            (name, is_text, Tree(inner))
            for (name, is_text), inner in below.items()
            if is_text or name not in ending
        ]
        self.named = [each for each in trees if not each[0].endswith(ANY)]
        self.others = [each for each in trees if each[0].endswith(ANY)]

    def cutting(self, value: Any, names: Names, into: list[Declared]) -> None:
        """Add to `into` the fields whose rule cuts anything of a decoded value; in doubt it does.

        A field may be added twice.
        """
        if self.here:
            into += [each for each in self.here if _cuts_value(value, each.field)]
        if self.everywhere:
            into += [each for each in self.everywhere if _cuts_text(value, each.field, None)]
        if isinstance(value, dict):
            for name, each in self.ends:
                if name in value and _cuts_value(value[name], each.field):
                    into.append(each)
            for name, is_text, below in self.named:
                if name in value:
                    below.of_member(value[name], names, into, is_text=is_text)
        if self.others and isinstance(value, _STRUCTURED):
            self._others(value, names, into)

    def _others(self, value: Any, names: Names, into: list[Declared]) -> None:
        for step, is_text, below in self.others:
            if isinstance(value, dict):
                for name, inner in value.items():
                    if is_named(name, step):
                        below.of_member(inner, names, into, is_text=is_text)
            elif step == ANY:
                for inner in value:
                    below.of_member(inner, names, into, is_text=is_text)

    def of_member(self, inner: Any, names: Names, into: list[Declared], *, is_text: bool) -> None:
        """Add the fields that cut anything of a member, or of the JSON in its text."""
        if not is_text or not isinstance(inner, str):
            self.cutting(inner, names, into)
        elif inner:
            decoded = _decoded(inner, names)
            if decoded is None:
                into += self.all
            else:
                self.cutting(decoded, names, into)


def _decoded(text: str, names: Names) -> dict[str, Any] | None:
    """Return the object a text holds; None where it holds none, or its form tells nothing."""
    raw = text.encode()
    try:
        inner = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if not isinstance(inner, dict):
        return None
    is_told = shows_all(raw, inner) or (b"\\u" not in raw and names.are_told(raw, inner))
    return inner if is_told else None


def _cuts_text(value: Any, field: Field, name: str | None) -> bool:
    if isinstance(value, dict):
        return any(_cuts_text_or_value(inner, field, own) for own, inner in value.items())
    if isinstance(value, list):
        return any(_cuts_text_or_value(inner, field, name) for inner in value)
    return False


def _cuts_text_or_value(value: Any, field: Field, name: str | None) -> bool:
    if isinstance(value, _STRUCTURED):
        return _cuts_text(value, field, name)
    return isinstance(value, str) and name not in field.names_except and _cuts_value(value, field)


def _cuts_value(value: Any, field: Field) -> bool:
    if isinstance(value, str):
        if field.unless_begins is not None and value.startswith(field.unless_begins):
            return False
        if field.query_except is not None:
            return "?" in value and any(query_values(value.encode(), field.query_except))
        return bool(value)
    if isinstance(value, _STRUCTURED):
        return bool(value)
    return value is not None and not isinstance(value, bool)
