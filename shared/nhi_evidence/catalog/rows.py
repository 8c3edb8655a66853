"""Find the row, or else the fallback, of an operation.

Order: exact, prefix, suffix, pattern; within each, a row for the service before one for any
service, and a longer name before a shorter one. An operation without a row falls back: to a
permission that the call needed, the words of its name (the lexicon), its access level, the prefix,
suffix or pattern of its name, its verb alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from nhi_evidence.catalog.lexicon import Lexicon
from nhi_evidence.catalog.table import (
    ANY,
    AccessLevels,
    Fallback,
    Names,
    Row,
    fallback_classification,
    row_classification,
)
from nhi_evidence.errors import CatalogError
from nhi_evidence.event import Call
from nhi_evidence.phases import Classification

_Meanings = list[tuple[str | None, Classification]]
"""Record class and classification; those for a class come before the one for any class."""

_MATCHES = ("prefix", "suffix", "pattern")


class Rows:
    """The rows of a table, indexed."""

    def __init__(self, rows: Iterable[Row], names: Names, *, name: str) -> None:
        """Index rows; `name` identifies the table in errors. Raises `CatalogError`."""
        self._names = names
        self._exact: dict[tuple[str, str], _Meanings] = {}
        self._partial: dict[str, list[tuple[str, str, Callable[[str], bool], _Meanings]]] = {
            match: [] for match in _MATCHES
        }
        for row in rows:
            self._add(row, name)
        for partial in self._partial.values():
            partial.sort(key=lambda entry: (entry[0] == ANY, -len(entry[1])))

    def find(self, call: Call, record_class: str | None) -> Classification | None:
        """Return the classification of an operation; None if no row names it."""
        service = call.service
        spellings = self._names.spellings(call.operation)
        for of_service in (service, ANY):
            for spelling in spellings:
                meanings = self._exact.get((of_service, spelling), ())
                classification = _of_class(meanings, record_class)
                if classification is not None:
                    return classification
        for match in _MATCHES:
            for of_service, _, matches, meanings in self._partial[match]:
                if of_service in (service, ANY) and matches(spellings[0]):
                    classification = _of_class(meanings, record_class)
                    if classification is not None:
                        return classification
        return None

    def _add(self, row: Row, table: str) -> None:
        where = f"{table}: {row.service}:{row.operation}"
        classification = row_classification(row, where=where)
        name = row.operation if row.match == "pattern" else self._names.folded(row.operation)
        if row.match == "exact":
            meanings = self._exact.setdefault((row.service, name), [])
        elif row.match in _MATCHES:
            meanings = self._partial_of(row, name, where)
        else:
            raise CatalogError(f"{where}: unknown match {row.match!r}")
        if any(record_class == row.record_class for record_class, _ in meanings):
            raise CatalogError(f"{where}: two rows")
        meanings.append((row.record_class, classification))
        meanings.sort(key=lambda entry: entry[0] is None)

    def _partial_of(self, row: Row, name: str, where: str) -> _Meanings:
        for of_service, indexed_name, _, meanings in self._partial[row.match]:
            if (of_service, indexed_name) == (row.service, name):
                return meanings
        added: _Meanings = []
        test = _test(row.match, name, self._names, where)
        self._partial[row.match].append((row.service, name, test, added))
        return added


class Fallbacks:
    """The fallbacks of a table, indexed."""

    def __init__(
        self,
        fallbacks: Iterable[Fallback],
        levels: AccessLevels,
        names: Names,
        *,
        lexicon: Lexicon,
        name: str,
    ) -> None:
        """Index fallbacks; `name` identifies the table in errors. Raises `CatalogError`."""
        self._names = names
        self._lexicon = lexicon
        self._permissions: list[tuple[str, Classification]] = []
        self._levels: dict[str, Classification] = {}
        self._by_level: dict[tuple[str, str], Classification] = {}
        self._by_name: dict[str, list[tuple[str, Callable[[str], bool], Classification]]] = {
            match: [] for match in _MATCHES
        }
        for fallback in fallbacks:
            self._add(fallback, levels, f"{name}: fallback {fallback.id}")
        self._permissions.sort(key=lambda entry: -len(entry[0]))
        for match in ("prefix", "suffix"):
            self._by_name[match].sort(key=lambda entry: -len(entry[0]))

    def find(self, call: Call) -> Classification | None:
        """Return the classification of an operation without a row; None if no test holds."""
        operation = self._names.folded(call.operation)
        for permission in call.permissions:
            for ending, classification in self._permissions:
                if self._names.folded(permission).endswith(ending):
                    return classification
        by_words = self._lexicon.by_words(call.operation)
        if by_words is not None:
            return by_words
        if call.access_level is not None and call.access_level in self._levels:
            return self._levels[call.access_level]
        listed = self._by_level.get((call.service, operation))
        if listed is not None:
            return listed
        for match in _MATCHES:
            for _, matches, classification in self._by_name[match]:
                if matches(operation):
                    return classification
        return self._lexicon.by_verb(call.operation)

    def _add(self, fallback: Fallback, levels: AccessLevels, where: str) -> None:
        classification = fallback_classification(fallback, where=where)
        tests = {match: getattr(fallback, match) for match in ("permission", "level", *_MATCHES)}
        stated_tests = [(match, text) for match, text in tests.items() if text is not None]
        if len(stated_tests) != 1:
            raise CatalogError(f"{where}: a fallback has one of {', '.join(tests)}")
        match, text = stated_tests[0]
        if match == "permission":
            self._permissions.append((self._names.folded(text), classification))
        elif match == "level":
            self._levels[text] = classification
            for service, by_level in levels.services.items():
                for operation in by_level.get(text, ()):
                    self._by_level[service, self._names.folded(operation)] = classification
        else:
            name = text if match == "pattern" else self._names.folded(text)
            test = _test(match, name, self._names, where)
            self._by_name[match].append((name, test, classification))


def _of_class(
    meanings: Iterable[tuple[str | None, Classification]], record_class: str | None
) -> Classification | None:
    for of_class, classification in meanings:
        if of_class is None or of_class == record_class:
            return classification
    return None


def _test(match: str, name: str, names: Names, where: str) -> Callable[[str], bool]:
    """Return the test for a folded operation name. Raises `CatalogError` for a bad pattern."""
    if match == "prefix":
        return lambda operation: operation.startswith(name)
    if match == "suffix":
        return lambda operation: operation.endswith(name)
    try:
        fullmatch = re.compile(name, re.IGNORECASE if names.fold_case else 0).fullmatch
    except re.error as error:
        raise CatalogError(f"{where}: {name!r} is not a pattern: {error}") from error
    return lambda operation: fullmatch(operation) is not None
