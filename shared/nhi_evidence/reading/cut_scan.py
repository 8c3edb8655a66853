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
"""Names that JSON can spell otherwise by an escape alone."""
_ESCAPED = re.compile(rb'\\.[^"\\]*+(?:\\.[^"\\]*+)*+"([ \t\r\n]*+:)?', re.DOTALL)
"""Of a JSON text: what a string that holds an escape ends with, and whether it is a name."""
_SCALAR = rb"[-+.\w]++"
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NOTHING = rb'null|true|false|""|\{\}|\[\]'
_DEPTH = 3
"""Objects within each other that are looked into."""
_ABSENT = msgspec.Raw(b"")
_NO_MEMBERS: dict[str, Any] = {}

_text = msgspec.json.Decoder(str).decode


class Path(NamedTuple):
    """A declared field, as seen from some place on its way."""

    field: Field
    steps: Steps
    """What is left of its path."""
    unless: Condition | None
    """From the same place; None where it looks at another."""

    @property
    def names(self) -> list[str]:
        """The names of the steps."""
        return [name for name, _ in self.steps]


class Scan:
    """Looks at records, or at the JSON inside a text of theirs."""

    def __init__(self, paths: Iterable[Path], refused: Sequence[Category] = ()) -> None:
        """Take what is declared below this place."""
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
        """Whether all is of a form that can be looked for."""
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
        """Return what looks for the fields of a table, and for what it refuses."""
        return cls((Path(each, steps_of(each.path), each.unless) for each in fields), refused)

    def is_certain(self, raw: bytes, *, is_part: bool = False) -> bool:
        """Whether `raw`, which is UTF-8, is a JSON object that is kept as it is.

        The names of a part were looked through with the text it is of. Raises what the JSON reader
        raises of what is no JSON object, and where a condition looks into a text that holds none.
        """
        members = self._read(raw)
        if not self.is_able or (not is_part and b"\\" in raw and _has_escaped_name(raw)):
            return False
        harm = self._harm(raw) if self._rules else None
        if harm is not None and not self._is_excepted(members, raw, harm.start()):
            return False
        for literal, attribute, scan in self._texts:
            value = bytes(getattr(members, attribute))
            # Of doubled names the reader has the last.
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
        """Whether a text holds nothing, or an object that is kept as it is; so of an object."""
        try:
            if value.startswith(b'"'):
                inside = _text(value).encode()
                return not inside or self.is_certain(inside)
            return not value.startswith(b"{") or self.is_certain(value, is_part=True)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return False

    def _is_excepted(self, members: msgspec.Struct, raw: bytes, at: int) -> bool:
        """Whether every rule is harmless alone, excepted, or harmless told from one name above.

        Before `at` no rule finds anything.
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
    """Whether a name of a JSON text is spelt with an escape; each byte is read once."""
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
    """Return what finds a name in a text that anything but its harmless values follows."""
    return re.compile(rb'"(?:%b)' % b"|".join(dict.fromkeys(harms)), re.DOTALL).search


def _harms(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield what is not known to be harmless by all rules, those of one name put together."""
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
    """Return what of a name, after its first quote, is not known to be harmless.

    What no colon follows is no name; one that a blank follows costs the longer way.
    """
    return rb"%b(?![,}\]]|: *+(?:%b))" % (name, harmless)


def _inside(path: Path) -> Path:
    """Return a path as seen from within the text that its first step enters."""
    unless, entered = path.unless, path.steps[0][0] + ">"
    if unless is not None and unless.path.startswith(entered):
        unless = msgspec.structs.replace(unless, path=unless.path.removeprefix(entered))
    else:
        unless = None
    return Path(path.field, path.steps[1:], unless)


def _can_be_looked_for(path: Path) -> bool:
    """Whether a path is of plain names, the last maybe the beginning of some, or all below."""
    *before, last = path.names
    if any(is_text for _, is_text in path.steps) or not all(map(_PLAIN.fullmatch, before)):
        return False
    return bool(before) if last == ALL else bool(_PLAIN.fullmatch(last.removesuffix(ANY)))


def _last(path: Path) -> tuple[bytes, bytes]:
    """Return the name to look for, up to its last quote, and what may be its value."""
    last = path.names[-1]
    if last == ALL:
        return _quoted(path.names[-2]), _harmless_below(path.field)
    if last.endswith(ANY):
        return re.escape(last.removesuffix(ANY).encode()) + rb'[^"\\]*+"', _harmless(path.field)
    return _quoted(last), _harmless(path.field)


def _quoted(name: str) -> bytes:
    return re.escape(name.encode()) + b'"'


def _one_above(path: Path) -> tuple[bytes, bytes] | None:
    """Return the name before the last, and an object that has the last harmless or not at all.

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
    """Return what may be the value of a field: nothing, or what its rule leaves in place."""
    if field.query_except is not None:
        known = b"|".join(re.escape(name.encode()) for name in field.query_except) or rb"(?!)"
        # Go writes `&` within JSON as an escape.
        query = rb'(?:(?:%b)(?:=[^"\\&;#]*+)?(?:&|\\u0026|(?=")))*+' % known
        return rb'"[^"?\\]*+(?:\?%b)?"|%b' % (query, _NOTHING)
    if field.unless_begins is not None:
        return rb'"%b|%b' % (re.escape(field.unless_begins.encode()), _NOTHING)
    return _NOTHING


def _harmless_below(field: Field) -> bytes:
    """Return an object of which no text below is cut, as deep as it is looked into."""
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
    """Return a scalar, a text, a list of them, or an object."""
    each = rb"(?:%b|%b)" % (_SCALAR, text)
    return rb"%b|\[(?:%b(?:,|(?=\])))*+\]|%b" % (each, each, below)


def _object(member: bytes) -> bytes:
    return rb"\{(?:%b(?:,|(?=\})))*+\}" % member
