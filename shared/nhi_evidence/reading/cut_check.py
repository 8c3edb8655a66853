"""Whether a record holds anything that is to be cut, told from its decoded form.

Most records hold nothing of it, and finding places costs more than reading. A decoded form has lost
doubled names: where the text has a name more often than the form, nothing is told by this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from nhi_evidence.reading.cut_table import ALL, ANY, Field, Steps, is_named, query_values

_STRUCTURED = (dict, list)


class Names:
    """The names of all paths of a table."""

    def __init__(self, names: Iterable[str]) -> None:
        """Prepare to count them."""
        self._names = frozenset(names)
        any_name = b"|".join(sorted(re.escape(name.encode()) for name in self._names))
        self._in_text = re.compile(rb'"(?:%b)"[ \t\r\n]*:' % any_name)

    def are_told(self, raw: bytes, record: Any) -> bool:
        """Whether a decoded form has these names as often as its text has."""
        there = self._in_text.findall(raw)
        return len(there) == len(set(there)) or len(there) == self._count(record)

    def _count(self, value: Any) -> int:
        seen = 0
        if isinstance(value, dict):
            seen = len(self._names & value.keys())
            value = value.values()
        for inner in value:
            if isinstance(inner, _STRUCTURED):
                seen += self._count(inner)
        return seen


def cuts(value: Any, field: Field, steps: Steps, names: Names) -> bool:
    """Whether a field's rule cuts anything of a decoded value; in doubt it does."""
    (name, is_text), rest = steps[0], steps[1:]
    if name == ALL:
        return _cuts_text(value, field, None)
    for inner in _members(value, name):
        if is_text and isinstance(inner, str):
            if _cuts_inside(inner, field, rest, names):
                return True
        elif rest:
            if cuts(inner, field, rest, names):
                return True
        elif _cuts_value(inner, field):
            return True
    return False


def _members(value: Any, step: str) -> Iterator[Any]:
    if isinstance(value, dict):
        if not step.endswith(ANY):
            if step in value:
                yield value[step]
            return
        yield from (inner for name, inner in value.items() if is_named(name, step))
    elif isinstance(value, list) and step == ANY:
        yield from value


def _cuts_inside(text: str, field: Field, steps: Steps, names: Names) -> bool:
    raw = text.encode()
    try:
        inner = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return bool(raw)
    if not isinstance(inner, dict):
        return bool(raw)
    return b"\\u" in raw or not names.are_told(raw, inner) or cuts(inner, field, steps, names)


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
