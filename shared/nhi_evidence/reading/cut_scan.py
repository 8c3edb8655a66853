"""Whether a record has nothing to cut, decided from its bytes.

Most records have nothing to cut, and the mapper decodes them again. So nothing is decoded here: a
declared name is searched for wherever it is, and what follows it must be harmless by every rule
that ends in that name. Anything else takes the slower way (`cutting`), and never causes a leak:
`is_certain` is true only where nothing can be cut.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, repeat
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.reading.cut_harm import (
    PLAIN,
    Path,
    Rule,
    can_be_looked_for,
    finder,
    harms,
    inside,
)
from nhi_evidence.reading.cut_table import Category, Condition, Field, steps_of

_ESCAPED = re.compile(rb'\\.[^"\\]*+(?:\\.[^"\\]*+)*+"([ \t\r\n]*+:)?', re.DOTALL)
"""The end of a JSON string that contains an escape, and the colon after it if it is a name."""
_ABSENT = msgspec.Raw(b"")

_text = msgspec.json.Decoder(str).decode


class Scan:
    """Examines records, or JSON inside one of their texts."""

    def __init__(self, paths: Iterable[Path], refused: Sequence[Category] = ()) -> None:
        """Take the fields and categories declared below this place."""
        texts: dict[str, list[Path]] = defaultdict(list)
        plain: list[Path] = []
        for path in paths:
            name, is_text = path.steps[0]
            if is_text:
                texts[name].append(inside(path))
            else:
                plain.append(path)
        scans = {name: Scan(own) for name, own in texts.items()}
        self.is_able: bool = (
            all(map(PLAIN.fullmatch, texts))
            and all(scan.is_able for scan in scans.values())
            and all(map(can_be_looked_for, plain))
        )
        """Whether everything declared has a form that can be searched for."""
        self._harm = finder(harms(plain) if self.is_able else ()).search
        conditions = [condition for category in refused for condition in category.when]
        conditions += [path.unless for path in plain if path.unless is not None]
        names = {*texts, *(steps_of(each.path)[0][0] for each in conditions)}
        self._attributes = {name: f"_{at}" for at, name in enumerate(sorted(names))}
        self._rules = [
            (Rule(path), None if path.unless is None else self._compiled(path.unless))
            for path in (plain if self.is_able else ())
        ]
        """Each rule, and what keeps it from cutting."""
        self._refused = [[self._compiled(each) for each in category.when] for category in refused]
        shape = msgspec.defstruct(
            "_Members",
            [(attribute, msgspec.Raw, _ABSENT) for attribute in self._attributes.values()],
            rename={attribute: name for name, attribute in self._attributes.items()},
        )
        self._texts = [
            _Entered(f'"{name}"'.encode(), self._attributes[name], scan)
            for name, scan in scans.items()
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
        if not self.is_able or (not is_part and _has_escaped_name(raw)):
            return False
        harm = self._harm(raw) if self._rules else None
        return (
            (harm is None or self._is_excepted(members, raw, harm.start()))
            and all(self._is_certain_text(members, raw, text) for text in self._texts)
            and not (self._refused and self._may_be_refused(members))
        )

    def doubtful(self, raws: Sequence[bytes], *, are_json: bool = False) -> set[int] | None:
        """Return the indexes of the records that are not certain, of many, all of them UTF-8.

        `are_json` if each is known to be one JSON value; it is decoded only to look into it.

        None if one of them is not a JSON object, or if something declared cannot be searched for:
        then `is_certain` answers for each. The records are searched as one text. That finds in each
        what searching it alone does, since a JSON object ends where its record ends.
        """
        if not self.is_able:
            return None
        every: list[msgspec.Struct] | None = None
        if not are_json:
            try:
                every = list(map(self._read, raws))
            except (msgspec.MsgspecError, RecursionError):
                return None
        elif not all(map(bytes.startswith, raws, repeat(b"{"))):
            return None
        return set(self._in_doubt(raws, every))

    def _in_doubt(
        self, raws: Sequence[bytes], every: Sequence[msgspec.Struct] | None
    ) -> Iterator[int]:
        """Yield the indexes of records that may have something to cut or may be refused.

        `every` is the members of each that conditions and texts are about, if all are decoded.
        """

        def read(at: int) -> msgspec.Struct:
            return self._read(raws[at]) if every is None else every[at]

        joined = _Joined(raws)
        for at in joined.having(b"\\"):
            if _has_escaped_name(raws[at]):
                yield at
        for at, start in joined.each(self._harm) if self._rules else ():
            if not _is_sure(self._is_excepted, read(at), raws[at], start):
                yield at
        for text in self._texts:
            for at in _with(text, joined, every):
                if not _is_sure(self._is_certain_text, read(at), raws[at], text):
                    yield at
        for at in range(len(raws)) if self._refused else ():
            if not _is_sure(self._is_kept, read(at)):
                yield at

    def _is_certain_text(self, members: msgspec.Struct, raw: bytes, text: _Entered) -> bool:
        value = bytes(getattr(members, text.attribute))
        # Of duplicate names, the reader has the last.
        return not value or (raw.count(text.literal) == 1 and text.scan.is_certain_inside(value))

    def _is_kept(self, members: msgspec.Struct) -> bool:
        return not self._may_be_refused(members)

    def _may_be_refused(self, members: msgspec.Struct) -> bool:
        for category in self._refused:
            for condition in category:
                if not condition.holds(members):
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
        """Whether each rule that finds something is excepted, or finds nothing below a name above.

        No rule finds anything before `at`.
        """
        rules = self._rules
        harm = self._harm(raw, at)
        while harm is not None and rules:
            at = harm.start()
            finding = [each for each in rules if each[0].finds(raw, at)]
            for rule, unless in finding:
                is_harmless = (unless is not None and unless.holds(members)) or (
                    rule.above is not None and rule.above(raw) is None
                )
                if not is_harmless:
                    return False
            rules = [each for each in rules if each not in finding]
            harm = self._harm(raw, at + 1)
        return True

    def _compiled(self, condition: Condition) -> _Compiled:
        name = steps_of(condition.path)[0][0]

        # Many records are about the same: the answer for a slice is known by its bytes.
        @bounded_cache(results=1024, longest=2048)
        def holds(value: bytes) -> bool:
            return condition.holds({name: msgspec.json.decode(value)} if value else {})

        return _Compiled(attrgetter(self._attributes[name]), holds)


def _with(text: _Entered, joined: _Joined, every: Sequence[msgspec.Struct] | None) -> Iterable[int]:
    """Return the indexes of records that may have a text; those with escaped names apart."""
    if every is None:
        return joined.having(text.literal)
    values = map(attrgetter(text.attribute), every)
    return [at for at, value in enumerate(values) if value is not _ABSENT]


def _is_sure(question: Callable[..., bool], *arguments: Any) -> bool:
    """Whether the answer is yes; not if it depends on something that cannot be read."""
    try:
        return question(*arguments)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return False


def _has_escaped_name(raw: bytes) -> bool:
    """Whether any name in a JSON text is spelled with an escape; each byte is read once."""
    return b"\\" in raw and any(match[1] is not None for match in _ESCAPED.finditer(raw))


class _Joined:
    """Records as one text, each after a line break."""

    def __init__(self, raws: Sequence[bytes]) -> None:
        self._text = b"\n".join(raws)
        self._starts = [0, *accumulate(map((1).__add__, map(len, raws)))]

    def having(self, literal: bytes) -> Iterator[int]:
        """Yield the index of each record that contains a literal."""
        place = self._text.find(literal)
        while place >= 0:
            at = bisect_right(self._starts, place) - 1
            yield at
            place = self._text.find(literal, self._starts[at + 1])

    def each(self, search: Callable[..., re.Match[bytes] | None]) -> Iterator[tuple[int, int]]:
        """Yield the index of each record in which a pattern matches, and where first."""
        match = search(self._text)
        while match is not None:
            at = bisect_right(self._starts, match.start()) - 1
            yield at, match.start() - self._starts[at]
            match = search(self._text, self._starts[at + 1])


class _Compiled(NamedTuple):
    """A condition about a member."""

    member: Callable[[msgspec.Struct], msgspec.Raw]
    of_slice: Callable[[bytes], bool]

    def holds(self, members: msgspec.Struct) -> bool:
        """Whether it holds; raises as `msgspec.json.decode` does if the member has bad JSON."""
        return self.of_slice(bytes(self.member(members)))


class _Entered(NamedTuple):
    """A member that contains JSON as text."""

    literal: bytes
    """Its name, in quotes."""
    attribute: str
    """The attribute of the decoded struct."""
    scan: Scan
