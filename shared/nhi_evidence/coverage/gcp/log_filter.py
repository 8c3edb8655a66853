"""Logging query language, to the extent that sink filters use it on audit entries.

A filter is evaluated on an entry of which only some fields are known. The result has three values:
it matches, it does not, or that depends on unknown fields (None). Syntax that is not supported is
refused, never guessed: https://cloud.google.com/logging/docs/view/logging-query-language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

MAX_FILTER = 20_000
MAX_DEPTH = 50
SEVERITIES = (
    "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
)  # fmt: skip

Entry = Mapping[str, str]
"""Known fields of an entry by path; an absent field is unknown."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<comment>--[^\n]*)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<op>!=|>=|<=|=~|!~|[=<>:])"""
    r"""|(?P<mark>[()\-,])|(?P<word>[^\s"()=<>:!~,]+))""",
    re.VERBOSE,
)


class FilterError(ValueError):
    """A filter uses unsupported syntax: says where."""


def holds(filter_text: str, entry: Entry) -> bool | None:
    """Return whether a filter matches an entry; None where that depends on unknown fields.

    Raises `FilterError` for a filter that is too long, malformed or unsupported.
    """
    if len(filter_text) > MAX_FILTER:
        raise FilterError(f"more than {MAX_FILTER} characters")
    tokens = _tokens(filter_text)
    return _Reader(tokens, entry).all() if tokens else True


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    text = text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.end() == place:
            raise FilterError(f"at {text[place : place + 20]!r}")
        place = match.end()
        kind = match.lastgroup or ""
        if kind != "comment":
            tokens.append((kind, match[kind]))
    return tokens


class _Reader:
    """Recursive descent, evaluating as it parses: OR binds tighter than AND in this language."""

    def __init__(self, tokens: list[tuple[str, str]], entry: Entry) -> None:
        self._tokens = tokens
        self._entry = entry
        self._at = 0
        self._depth = 0

    def all(self) -> bool | None:
        value = self._conjunction()
        if self._at < len(self._tokens):
            raise FilterError(f"at {self._tokens[self._at][1]!r}")
        return value

    def _conjunction(self) -> bool | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError("nested too deeply")
        value = self._disjunction()
        while self._at < len(self._tokens) and self._tokens[self._at] != ("mark", ")"):
            self._take("AND")
            value = both(value, self._disjunction())
        self._depth -= 1
        return value

    def _disjunction(self) -> bool | None:
        value = self._term()
        while self._take("OR"):
            value = either(value, self._term())
        return value

    def _term(self) -> bool | None:
        if self._take("NOT") or self._take_mark("-"):
            value = self._term()
            return None if value is None else not value
        if self._take_mark("("):
            value = self._conjunction()
            if not self._take_mark(")"):
                raise FilterError("a parenthesis is not closed")
            return value
        return self._comparison()

    def _comparison(self) -> bool | None:
        kind, field = self._next()
        if kind == "mark":
            raise FilterError(f"at {field!r}")
        if kind == "word" and self._take_mark("("):
            return self._function(field)
        if self._at == len(self._tokens) or self._tokens[self._at][0] != "op":
            raise FilterError(f"{field!r} alone searches all fields, which is not decided here")
        _, operator = self._next()
        if self._take_mark("("):
            return self._alternatives(field, operator)
        return self._compare(field, operator, self._value())

    def _alternatives(self, field: str, operator: str) -> bool | None:
        """Evaluate `field = ("a" OR "b")`, or the same with AND."""
        value = self._compare(field, operator, self._value())
        while not self._take_mark(")"):
            joins: Callable[[bool | None, bool | None], bool | None]
            joins = either if self._take("OR") else both
            if joins is both:
                self._take("AND")
            value = joins(value, self._compare(field, operator, self._value()))
        return value

    def _function(self, name: str) -> bool | None:
        arguments: list[str] = []
        while not self._take_mark(")"):
            arguments.append(self._value())
            self._take_mark(",")
        if name == "log_id" and len(arguments) == 1:
            return self._compare("log_id", "=", arguments[0].replace("%2F", "/"))
        return None  # sample(), ip_in_net(), ...: they depend on the entry

    def _compare(self, field: str, operator: str, wanted: str) -> bool | None:
        name = field.strip('"')
        known = self._entry.get(name)
        if known is None:
            return None
        if name == "severity":
            return _by_severity(known, operator, wanted)
        if operator == ":":
            return wanted.lower() in known.lower()
        if operator in {"=~", "!~"}:
            try:
                is_match = re.search(wanted, known) is not None
            except re.error as error:
                raise FilterError(f"{wanted!r}: {error}") from error
            return is_match == (operator == "=~")
        if operator in {"=", "!="}:
            return (_same(name, known) == _same(name, wanted)) == (operator == "=")
        raise FilterError(f"{field} {operator}")

    def _value(self) -> str:
        kind, text = self._next()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "word":
            return text
        raise FilterError(f"at {text!r}")

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise FilterError("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        is_next = self._at < len(self._tokens) and self._tokens[self._at] == ("word", word)
        self._at += is_next
        return is_next

    def _take_mark(self, mark: str) -> bool:
        is_next = self._at < len(self._tokens) and self._tokens[self._at] == ("mark", mark)
        self._at += is_next
        return is_next


def both(first: bool | None, other: bool | None) -> bool | None:
    """Return three-valued AND."""
    if first is False or other is False:
        return False
    return None if first is None or other is None else True


def either(first: bool | None, other: bool | None) -> bool | None:
    """Return three-valued OR."""
    if first is True or other is True:
        return True
    return None if first is None or other is None else False


def _same(field: str, value: str) -> str:
    """Return a value as it is compared: log names with `%2F` unescaped, all text in lower case."""
    return (value.replace("%2F", "/") if field in {"logName", "log_id"} else value).lower()


def _by_severity(known: str, operator: str, wanted: str) -> bool | None:
    if wanted.upper() not in SEVERITIES:
        raise FilterError(f"severity {wanted}")
    level, bound = SEVERITIES.index(known), SEVERITIES.index(wanted.upper())
    results = {
        "=": level == bound,
        "!=": level != bound,
        ">": level > bound,
        ">=": level >= bound,
        "<": level < bound,
        "<=": level <= bound,
    }
    if operator not in results:
        raise FilterError(f"severity {operator}")
    return results[operator]
