"""The atlas: every operation that pinned sources name, and what is known about each.

One CSV file per provider, made by `make atlas` and reviewed as a diff (docs/catalog-atlas.md):
here for the clouds, and in a source's folder if it declares its own. It is not part of a bundle: an
exporter classifies with the catalog tables and the lexicon alone, and the atlas records what they
said about each operation when it was made.
"""

from __future__ import annotations

import csv
import io
import pkgutil
from enum import StrEnum

import msgspec

from nhi_evidence import sources
from nhi_evidence.errors import CatalogError

DECLARED, OPERATIONS = "atlas.toml", "atlas.csv"
"""Files of a source with its own part of the atlas: what it is made from, and its operations."""


class Known(StrEnum):
    """How the meaning of an operation is known, from knowledge through guesses to nothing."""

    CURATED = "curated"
    """From a row of a catalog table, reviewed by hand."""
    PERMISSION = "permission"
    """Guessed from a permission it needs."""
    LEXICON = "lexicon"
    """Guessed from the verb and a noun of its name."""
    ACCESS_LEVEL = "access level"
    """Guessed from the provider's access level."""
    PATTERN = "pattern"
    """Guessed from the form of its name, by a fallback of the pack."""
    VERB = "verb"
    """Guessed from its verb alone."""
    UNKNOWN = "unknown"


class Log(StrEnum):
    """Which class of log records an operation."""

    MANAGEMENT = "management"
    """On by default: CloudTrail management events, Admin Activity, the Activity Log, audit logs."""
    DATA = "data"
    """Must be enabled: data events, Data Access, resource logs, Graph activity."""
    NONE = "none"
    """In no log: reads through Azure Resource Manager."""
    UNKNOWN = "not known"


class Provider(msgspec.Struct, frozen=True):
    """One provider's part of the atlas."""

    name: str
    pack: str
    """The source pack whose catalog classifies its operations."""
    denominator: str
    """What its operations are, for counting them."""
    sources: tuple[str, ...]
    """Where they were taken from, with versions."""


class _Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider's part, as a source declares it."""

    name: str
    denominator: str
    sources: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One operation, as it was when the atlas was made."""

    service: str
    """As the catalog spells it."""
    operation: str
    recorded_as: str = ""
    """The name in the log, if a row knows it and it differs from the API's."""
    permissions: str = ""
    """What a caller needs, in the provider's words, separated by spaces."""
    access_level: str = ""
    """The provider's own level, if it has one."""
    resources: str = ""
    """Types of resources it acts on, in the provider's words, separated by spaces."""
    target: str = ""
    """Required parameters that identify what is acted on, as the record spells them."""
    log: str = Log.UNKNOWN.value
    log_known: str = ""
    """How the class of log is known; empty if it is not."""
    phase: str
    rule: str
    """The deciding row or rule, as in `nhi_phase_rules`."""

    @property
    def known(self) -> Known:
        """How the phase is known."""
        return known_by(self.rule)


def providers() -> tuple[Provider, ...]:
    """Return the providers: the clouds, then those that sources declare.

    Raises `CatalogError` when the index cannot be read, `SettingsError` for an invalid declaration.
    """
    try:
        of_clouds = msgspec.json.decode(_file("providers.json"), type=tuple[Provider, ...])
    except msgspec.MsgspecError as error:
        raise CatalogError(f"atlas: providers.json: {error}") from error
    declared = {name: sources.declared(name, DECLARED, _Declared) for name in sources.names()}
    return of_clouds + tuple(
        Provider(part.name, pack, part.denominator, part.sources)
        for pack, part in declared.items()
        if part is not None
    )


def entries(provider: str) -> tuple[Entry, ...]:
    """Return a provider's operations, sorted. Raises `CatalogError` naming a malformed row."""
    reader = csv.DictReader(io.StringIO(_operations(provider).decode()))
    try:
        return tuple(msgspec.convert(row, type=Entry) for row in reader)
    except msgspec.ValidationError as error:
        raise CatalogError(f"atlas: {provider}: line {reader.line_num}: {error}") from error


def known_by(rule: str) -> Known:
    """Return how an operation is known, from its first rule."""
    if not rule.startswith("fallback:"):
        return Known.CURATED
    kind = rule.split(":")[1]
    named = {
        "lexicon": Known.LEXICON,
        "verb": Known.VERB,
        "none": Known.UNKNOWN,
        "permission": Known.PERMISSION,
        "access": Known.ACCESS_LEVEL,
        "type": Known.ACCESS_LEVEL,
    }
    return named.get(kind, Known.PATTERN)


def _operations(provider: str) -> bytes:
    pack = next((part.pack for part in providers() if part.name == provider), None)
    if pack is not None and sources.declared(pack, DECLARED, _Declared) is not None:
        return sources.table(pack, OPERATIONS)
    return _file(f"{provider}.csv")


def _file(name: str) -> bytes:
    data = pkgutil.get_data(__name__, name)
    if data is None:
        raise CatalogError(f"atlas: {name} is missing")
    return data
