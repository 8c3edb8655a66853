"""A pack's catalog with its table: what classifies an operation, and the reasons for it."""

from __future__ import annotations

from functools import cache

from nhi_evidence import sources
from nhi_evidence.catalog.catalog import Catalog
from nhi_evidence.catalog.lexicon import BY_VERB, BY_WORDS, lexicon
from nhi_evidence.catalog.table import ANY, SHARED, Override, Row, Table, read
from nhi_evidence.event import Call
from nhi_evidence.phases import Classification

_FALLBACK = "fallback:"


class PackTable:
    """One pack's rows, overrides and fallbacks, by name."""

    def __init__(self, pack: str) -> None:
        """Load a pack's table. Raises `SettingsError` if unknown, `CatalogError` if invalid."""
        files = [sources.table(pack, file) for file in sources.pack(pack).TABLES]
        levels = files[1] if len(files) > 1 else None
        self.pack = pack
        self.table: Table = read(files[0], levels, name=pack)[0]
        self.catalog = Catalog(files[0], name=pack, access_levels=levels)

    def classify(
        self, service: str, operation: str, permissions: str = "", record_class: str | None = None
    ) -> Classification:
        """Classify an operation as an exporter does before its outcome is known."""
        needed = tuple(permissions.split())
        call = Call(service, service, operation, operation, permissions=needed)
        return self.catalog.classify_operation(call, record_class)

    def row(self, rule: str, record_class: str | None = None) -> Row | None:
        """Return the row that a rule names; None if the rule is a fallback."""
        named = [row for row in self.table.rows if f"{row.service}:{row.operation}" == rule]
        fitting = [row for row in named if row.record_class in (None, record_class)]
        return next(iter(fitting or named), None)

    def why(self, rule: str) -> str:
        """Return the reason for a rule; empty if it gives none."""
        if row := self.row(rule):
            return row.why
        for prefix in (BY_WORDS, BY_VERB):
            if rule.startswith(prefix):
                return lexicon_reasons().get(rule, "")
        name = rule.removeprefix(_FALLBACK)
        return next((own.why for own in self.table.fallback if own.id == name), "")

    def overrides(self, service: str, operation: str) -> tuple[Override, ...]:
        """Return the overrides that may change what the operation means."""
        names = self.table.names
        spellings = names.spellings(operation)

        def is_of(override: Override) -> bool:
            own = tuple(map(names.folded, override.operations))
            if override.match == "prefix":
                return spellings[0].startswith(own)
            return not set(own).isdisjoint(spellings)

        return tuple(
            override
            for override in self.table.overrides
            if override.service in (service, ANY) and is_of(override)
        )


def packs(source: str | None = None) -> tuple[str, ...]:
    """Return the packs that map a source's records, or those of every source.

    A router has several. Raises `SettingsError` for an unknown source.
    """
    if source is None:
        return tuple(name for name in sources.names() if sources.routes(name) is None)
    routes = sources.routes(source)
    return (source,) if routes is None else tuple(sorted(set(routes.values())))


@cache
def pack_table(pack: str) -> PackTable:
    """Return a pack's table, loaded once."""
    return PackTable(pack)


@cache
def included_rows() -> frozenset[tuple[str, str]]:
    """Return service and operation of the rows in shared tables, which packs only include."""
    tables = (read(text, None, name=name)[0] for name, text in SHARED.items())
    return frozenset((row.service, row.operation) for table in tables for row in table.rows)


@cache
def lexicon_reasons() -> dict[str, str]:
    """Return the reason for every rule of the lexicon, by the rule's name in records."""
    return {
        f"{prefix}{rule.id}": rule.why
        for prefix, rules in (
            (BY_WORDS, lexicon().by_words_rules),
            (BY_VERB, lexicon().by_verb_rules),
        )
        for rule in rules
    }
