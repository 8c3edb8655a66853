"""How many of a provider's operations are known, and how; and how good the guesses are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from nhi_evidence.catalog.atlas import Known, entries, known_by, providers
from nhi_evidence.catalog.atlas.lookup import included_rows, pack_table, packs
from nhi_evidence.catalog.lexicon import lexicon


class ProviderCoverage(msgspec.Struct, frozen=True):
    """The operations of one provider."""

    name: str
    denominator: str
    sources: tuple[str, ...]
    operations: int
    by_known: dict[str, int]
    by_log: dict[str, int]
    rows_beyond: int
    """Rows for operations that no pinned source names: console, service and data events."""


class Difference(msgspec.Struct, frozen=True):
    """A row that the lexicon would have classified differently."""

    pack: str
    service: str
    operation: str
    row: str
    lexicon: str
    rule: str


class Agreement(msgspec.Struct, frozen=True):
    """How the lexicon compares with the curated rows, from which it was not made."""

    rows: int
    """Number of exact rows in all packs."""
    silent: int
    """Number of those about which the lexicon says nothing."""
    agree: int
    """Number of those with which it agrees."""
    differences: tuple[Difference, ...]


class Coverage(msgspec.Struct, frozen=True):
    """The report."""

    providers: tuple[ProviderCoverage, ...]
    """By provider: how many operations are known, and by what."""
    lexicon: Agreement
    """How often the lexicon agrees with the curated rows."""


def coverage() -> Coverage:
    """Measure with the current tables."""
    return Coverage(tuple(_providers()), agreement())


def agreement() -> Agreement:
    """Compare the lexicon with every exact row of every pack; included rows count only once."""
    rows = silent = agree = 0
    differences = []
    not_yet = set(included_rows())
    for pack in packs():
        for row in pack_table(pack).table.rows:
            name = (row.service, row.operation)
            if row.match != "exact" or (name in included_rows() and name not in not_yet):
                continue
            not_yet.discard(name)
            rows += 1
            guess = lexicon().by_words(row.operation)
            if guess is None:
                silent += 1
            elif guess.phase.name.lower() == row.phase:
                agree += 1
            else:
                phase, rule = guess.phase.name.lower(), guess.rules[0]
                differences.append(
                    Difference(pack, row.service, row.operation, row.phase, phase, rule)
                )
    return Agreement(rows, silent, agree, tuple(differences))


def _providers() -> Iterator[ProviderCoverage]:
    for provider in providers():
        table = pack_table(provider.pack)
        known: Counter[Known] = Counter()
        logs: Counter[str] = Counter()
        decided: set[str] = set()
        operations = entries(provider.name)
        for entry in operations:
            name = entry.recorded_as or entry.operation
            rule = table.classify(entry.service, name, entry.permissions).rules[0]
            known[known_by(rule)] += 1
            logs[entry.log] += 1
            decided.add(rule)
        services = {entry.service for entry in operations}
        shared = sum(other.pack == provider.pack for other in providers()) > 1
        beyond = [
            row
            for row in table.table.rows
            if row.match == "exact"
            and (row.service in services or not shared)
            and (row.service, row.operation) not in included_rows()
            and f"{row.service}:{row.operation}" not in decided
        ]
        yield ProviderCoverage(
            name=provider.name,
            denominator=provider.denominator,
            sources=provider.sources,
            operations=len(operations),
            by_known={how.value: known[how] for how in Known if known[how]},
            by_log=dict(sorted(logs.items())),
            rows_beyond=len(beyond),
        )
