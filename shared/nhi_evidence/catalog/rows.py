"""Finding the row, or the fallback, of an operation.

Order: exact, prefix, suffix, pattern; of each, a row of the service before one of any service,
and the longer name before the shorter. What no row names falls back: by a permission the call
needed, by its access level, by how its name begins, ends or looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

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
from nhi_evidence.event import Call, Event
from nhi_evidence.phases import Classification

_Meanings = list[tuple[str | None, Classification]]
"""Record class to meaning; those of one class come before that of any."""

_MATCHES = ("prefix", "suffix", "pattern")


class Rows:
    """The rows of a table, ready for look-ups."""

    def __init__(self, rows: Iterable[Row], names: Names, *, name: str) -> None:
        """Index rows; `name` is how errors call the table. Raises `CatalogError`."""
        self._names = names
        self._exact: dict[tuple[str, str], _Meanings] = {}
        self._partial: dict[str, list[tuple[str, str, Callable[[str], bool], _Meanings]]] = {
            match: [] for match in _MATCHES
        }
        for row in rows:
            self._add(row, name)
        for partial in self._partial.values():
            partial.sort(key=lambda one: (one[0] == ANY, -len(one[1])))

    def find(self, event: Event) -> Classification | None:
        """Return what the table says of an event's operation, None where no row names it."""
        service, record_class = event.call.service, event.logged.record_class
        spellings = self._names.spellings(event.call.operation)
        for of_service in (service, ANY):
            for spelling in spellings:
                found = _of_class(self._exact.get((of_service, spelling), ()), record_class)
                if found is not None:
                    return found
        for match in _MATCHES:
            for of_service, _, matches, meanings in self._partial[match]:
                if of_service in (service, ANY) and matches(spellings[0]):
                    found = _of_class(meanings, record_class)
                    if found is not None:
                        return found
        return None

    def _add(self, row: Row, table: str) -> None:
        where = f"{table}: {row.service}:{row.operation}"
        said = row_classification(row, where=where)
        name = row.operation if row.match == "pattern" else self._names.folded(row.operation)
        if row.match == "exact":
            known = self._exact.setdefault((row.service, name), [])
        elif row.match in _MATCHES:
            known = self._partial_of(row, name, where)
        else:
            raise CatalogError(f"{where}: unknown match {row.match!r}")
        if any(record_class == row.record_class for record_class, _ in known):
            raise CatalogError(f"{where}: two rows")
        known.append((row.record_class, said))
        known.sort(key=lambda one: one[0] is None)

    def _partial_of(self, row: Row, name: str, where: str) -> _Meanings:
        for of_service, known_name, _, known in self._partial[row.match]:
            if (of_service, known_name) == (row.service, name):
                return known
        found: _Meanings = []
        test = _test(row.match, name, self._names, where)
        self._partial[row.match].append((row.service, name, test, found))
        return found


class Fallbacks:
    """The fallbacks of a table, ready for look-ups."""

    def __init__(
        self, fallbacks: Iterable[Fallback], levels: AccessLevels, names: Names, *, name: str
    ) -> None:
        """Index fallbacks; `name` is how errors call the table. Raises `CatalogError`."""
        self._names = names
        self._permissions: list[tuple[str, Classification]] = []
        self._levels: dict[str, Classification] = {}
        self._by_level: dict[tuple[str, str], Classification] = {}
        self._by_name: dict[str, list[tuple[str, Callable[[str], bool], Classification]]] = {
            match: [] for match in _MATCHES
        }
        for fallback in fallbacks:
            self._add(fallback, levels, f"{name}: fallback {fallback.id}")
        self._permissions.sort(key=lambda one: -len(one[0]))
        for match in ("prefix", "suffix"):
            self._by_name[match].sort(key=lambda one: -len(one[0]))

    def find(self, call: Call) -> Classification | None:
        """Return what an operation without a row falls back to, if anything."""
        operation = self._names.folded(call.operation)
        for permission in call.permissions:
            for ending, said in self._permissions:
                if self._names.folded(permission).endswith(ending):
                    return said
        if call.access_level is not None and call.access_level in self._levels:
            return self._levels[call.access_level]
        listed = self._by_level.get((call.service, operation))
        if listed is not None:
            return listed
        for match in _MATCHES:
            for _, matches, said in self._by_name[match]:
                if matches(operation):
                    return said
        return None

    def _add(self, fallback: Fallback, levels: AccessLevels, where: str) -> None:
        said = fallback_classification(fallback, where=where)
        tests = {match: getattr(fallback, match) for match in ("permission", "level", *_MATCHES)}
        given = [(match, text) for match, text in tests.items() if text is not None]
        if len(given) != 1:
            raise CatalogError(f"{where}: a fallback has one of {', '.join(tests)}")
        match, text = given[0]
        if match == "permission":
            self._permissions.append((self._names.folded(text), said))
        elif match == "level":
            self._levels[text] = said
            for service, by_level in levels.services.items():
                for operation in by_level.get(text, ()):
                    self._by_level[service, self._names.folded(operation)] = said
        else:
            name = text if match == "pattern" else self._names.folded(text)
            test = _test(match, name, self._names, where)
            self._by_name[match].append((name, test, said))


def _of_class(
    meanings: Iterable[tuple[str | None, Classification]], record_class: str | None
) -> Classification | None:
    for of_class, said in meanings:
        if of_class is None or of_class == record_class:
            return said
    return None


def _test(match: str, name: str, names: Names, where: str) -> Callable[[str], bool]:
    """Return what tells whether a folded operation matches."""
    if match == "prefix":
        return lambda operation: operation.startswith(name)
    if match == "suffix":
        return lambda operation: operation.endswith(name)
    try:
        whole = re.compile(name, re.IGNORECASE if names.fold_case else 0).fullmatch
    except re.error as error:
        raise CatalogError(f"{where}: {name!r} is not a pattern: {error}") from error
    return lambda operation: whole(operation) is not None
