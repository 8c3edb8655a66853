"""Whether a record has nothing to cut, decided from its bytes.

Most records have nothing to cut, and the mapper decodes them again. So nothing is decoded here: a
declared name is searched for wherever it is, and what follows it must be harmless by every rule
that ends in that name. Anything else takes the slower way (`cutting`), and never causes a leak:
`is_certain` is true only where nothing can be cut.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from nhi_evidence.reading.cut_table import ALL, ANY, Category, Condition, Field, Steps, steps_of

_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
"""Names that JSON can only spell differently with an escape."""
_ESCAPED = re.compile(rb'\\.[^"\\]*+(?:\\.[^"\\]*+)*+"([ \t\r\n]*+:)?', re.DOTALL)
"""The end of a JSON string that contains an escape, and the colon after it if it is a name."""
_SCALAR = rb"[-+.\w]++"
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NOTHING = rb'null|true|false|""|\{\}|\[\]'
_DEPTH = 3
"""How many levels of nested objects are examined."""
_ABSENT = msgspec.Raw(b"")
_NO_MEMBERS: dict[str, Any] = {}

_text = msgspec.json.Decoder(str).decode


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


class Scan:
    """Examines records, or JSON inside one of their texts."""

    def __init__(self, paths: Iterable[Path], refused: Sequence[Category] = ()) -> None:
        """Take the fields and categories declared below this place."""
        texts: dict[str, list[Path]] = defaultdict(list)
        plain: list[Path] = []
        for path in paths:
            name, is_text = path.steps[0]
            if is_text:
                texts[name].append(_inside(path))
            else:
                plain.append(path)
        scans = {name: Scan(own) for name, own in texts.items()}
        self.is_able: bool = (
            all(map(_PLAIN.fullmatch, texts))
            and all(scan.is_able for scan in scans.values())
            and all(map(_can_be_looked_for, plain))
        )
        """Whether everything declared has a form that can be searched for."""
        self._rules = [_Rule(path) for path in plain] if self.is_able else []
        self._harm = _search(_harms(plain) if self.is_able else ())
        self._refused = refused
        conditions = [condition for category in refused for condition in category.when]
        conditions += [path.unless for path in plain if path.unless is not None]
        names = {*texts, *(steps_of(each.path)[0][0] for each in conditions)}
        self._attributes = {name: f"_{at}" for at, name in enumerate(sorted(names))}
        shape = msgspec.defstruct(
            "_Members",
            [(attribute, msgspec.Raw, _ABSENT) for attribute in self._attributes.values()],
            rename={attribute: name for name, attribute in self._attributes.items()},
        )
        self._texts = [
            (f'"{name}"'.encode(), self._attributes[name], scan) for name, scan in scans.items()
        ]
        self._read: Callable[[bytes], msgspec.Struct] = msgspec.json.Decoder(shape).decode

    @classmethod
    def of(cls, fields: Sequence[Field], refused: Sequence[Category]) -> Scan:
        """Return the scan for a table's fields and for the categories it refuses."""
        return cls((Path(each, steps_of(each.path), each.unless) for each in fields), refused)

    def is_certain(self, raw: bytes, *, is_part: bool = False) -> bool:
        """Whether `raw`, which is UTF-8, is a JSON object that is kept unchanged.

        The names of a part were checked together with the text it is from. Raises as
        `msgspec.json.decode` does if it is not a JSON object, or if a condition looks into a text
        that contains none.
        """
        members = self._read(raw)
        if not self.is_able or (not is_part and b"\\" in raw and _has_escaped_name(raw)):
            return False
        harm = self._harm(raw) if self._rules else None
        if harm is not None and not self._is_excepted(members, raw, harm.start()):
            return False
        for literal, attribute, scan in self._texts:
            value = bytes(getattr(members, attribute))
            # Of duplicate names, the reader has the last.
            if value and (raw.count(literal) > 1 or not scan.is_certain_inside(value)):
                return False
        return not (self._refused and self._may_be_refused(members))

    def _may_be_refused(self, members: msgspec.Struct) -> bool:
        for category in self._refused:
            for condition in category.when:
                if not self._holds(condition, members):
                    break
            else:
                return True
        return False

    def is_certain_inside(self, value: bytes) -> bool:
        """Whether a text is empty or an object that is kept unchanged; likewise for an object."""
        try:
            if value.startswith(b'"'):
                inside = _text(value).encode()
                return not inside or self.is_certain(inside)
            return not value.startswith(b"{") or self.is_certain(value, is_part=True)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return False

    def _is_excepted(self, members: msgspec.Struct, raw: bytes, at: int) -> bool:
        """Whether every rule finds nothing, is excepted, or finds nothing below the name above.

        No rule finds anything before `at`.
        """
        return all(
            rule.search(raw, at) is None
            or (rule.unless is not None and self._holds(rule.unless, members))
            or (rule.above is not None and rule.above(raw) is None)
            for rule in self._rules
        )

    def _holds(self, condition: Condition, members: msgspec.Struct) -> bool:
        name = steps_of(condition.path)[0][0]
        value = bytes(getattr(members, self._attributes[name]))
        if not value:
            return condition.holds(_NO_MEMBERS)
        if condition.path == name and value.startswith(b'"') and b"\\" not in value:
            return condition.holds({name: str(value[1:-1], "utf-8")})
        return condition.holds({name: msgspec.json.decode(value)})


def _has_escaped_name(raw: bytes) -> bool:
    """Whether any name in a JSON text is spelled with an escape; each byte is read once."""
    return any(match[1] is not None for match in _ESCAPED.finditer(raw))


class _Rule:
    """One rule, by the last name of its path."""

    def __init__(self, path: Path) -> None:
        name, harmless = _last(path)
        self.harm = _harm(name, harmless)
        self.search = _search([self.harm])
        self.unless = path.unless
        above = _one_above(path)
        self.above = None if above is None else _search([_harm(*above)])


def _search(harms: Iterable[bytes]) -> Callable[..., re.Match[bytes] | None]:
    """Return the search for a name that is followed by anything but its harmless values."""
    return re.compile(rb'"(?:%b)' % b"|".join(dict.fromkeys(harms)), re.DOTALL).search


def _harms(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield the patterns of what is not known to be harmless, combining rules for one name."""
    below: dict[tuple[str, str | None], Field] = {}
    for path in paths:
        if path.names[-1] != ALL:
            yield _harm(*_last(path))
            continue
        key = path.names[-2], path.field.unless_begins
        known = below.setdefault(key, path.field).names_except
        both = tuple(name for name in known if name in path.field.names_except)
        below[key] = msgspec.structs.replace(path.field, names_except=both)
    for (name, _), field in below.items():
        yield _harm(_quoted(name), _harmless_below(field))


def _harm(name: bytes, harmless: bytes) -> bytes:
    """Return the pattern of a name, after its first quote, that is not known to be harmless.

    What is not followed by a colon is not a name; with a space before the colon it is in doubt.
    """
    return rb"%b(?![,}\]]|: *+(?:%b))" % (name, harmless)


def _inside(path: Path) -> Path:
    """Return a path as seen from inside the text that its first step enters."""
    unless, entered = path.unless, path.steps[0][0] + ">"
    if unless is not None and unless.path.startswith(entered):
        unless = msgspec.structs.replace(unless, path=unless.path.removeprefix(entered))
    else:
        unless = None
    return Path(path.field, path.steps[1:], unless)


def _can_be_looked_for(path: Path) -> bool:
    """Whether a path consists of plain names; the last may be a prefix, or everything below."""
    *before, last = path.names
    if any(is_text for _, is_text in path.steps) or not all(map(_PLAIN.fullmatch, before)):
        return False
    return bool(before) if last == ALL else bool(_PLAIN.fullmatch(last.removesuffix(ANY)))


def _last(path: Path) -> tuple[bytes, bytes]:
    """Return the name to search for, up to its last quote, and its harmless values."""
    last = path.names[-1]
    if last == ALL:
        return _quoted(path.names[-2]), _harmless_below(path.field)
    if last.endswith(ANY):
        return re.escape(last.removesuffix(ANY).encode()) + rb'[^"\\]*+"', _harmless(path.field)
    return _quoted(last), _harmless(path.field)


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
    """Return the objects in which no text is cut, down to the depth that is examined."""
    begins = field.unless_begins
    kept = rb'"(?:%b[^"\\]*+)?+"' % re.escape(begins.encode()) if begins is not None else rb'""'
    names = b"|".join(re.escape(name.encode()) for name in field.names_except) or rb"(?!)"
    below = rb"\{\}"
    for _ in range(_DEPTH):
        named = rb'"(?:%b)":(?:%b)' % (names, _value(_TEXT, below))
        other = rb'"[^"\\]*+":(?:%b)' % _value(kept, below)
        below = _object(rb"(?:%b|%b)" % (named, other))
    return rb"null|true|false|%b" % below


def _value(text: bytes, below: bytes) -> bytes:
    """Return the pattern of a scalar, a text, a list of them, or an object."""
    each = rb"(?:%b|%b)" % (_SCALAR, text)
    return rb"%b|\[(?:%b(?:,|(?=\])))*+\]|%b" % (each, each, below)


def _object(member: bytes) -> bytes:
    return rb"\{(?:%b(?:,|(?=\})))*+\}" % member
