"""The log sources: one independent folder each, reached only through this registry.

A new source is a new folder here that provides what `Pack` requires; nothing else changes. A source
whose deliveries mix several packs' records is a `Router`: its table says which pack reads a record.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeVar, cast

import msgspec

from nhi_evidence.errors import SettingsError
from nhi_evidence.event import (
    Decoded,
    Event,
    FileScope,
    Kind,
    Limits,
    Rejection,
    SignedList,
    Statement,
    Undecodable,
)
from nhi_evidence.reading.cutting import CutTable, Cutter
from nhi_evidence.sources import conformance

ROUTES = "routes.json"
"""Table of a router: category to pack."""

_DeclaredT = TypeVar("_DeclaredT")

CUTS = "cuts.json"
"""Table of fields that must never be locked; most packs have none."""


class Source(Protocol):
    """What a source says about its deliveries. A module can implement it."""

    @property
    def NAME(self) -> str:  # noqa: N802 a module constant
        """The source's name in evidence keys; also its folder."""
        ...

    @property
    def LISTS_OUT_OF_SCOPE_IDS(self) -> bool:  # noqa: N802 a module constant
        """Whether completeness is checked by record, so that objects list ids out of scope."""
        ...

    def decode(self, body: bytes, limits: Limits) -> Decoded | Undecodable:
        """Return the exact slice of each record in a delivery, or why it cannot be decoded."""
        ...

    def unwrap(self, document: bytes, limits: Limits) -> Decoded | Undecodable:
        """Return the records of a document in any form in which the provider exports records.

        For reading local files; only delivered files are evidence units.
        """
        ...

    def kind_of(self, object_key: str) -> Kind:
        """Return what kind of file a delivered file is, judging by its name."""
        ...

    def hour_of(self, object_key: str) -> str | None:
        """Return the UTC hour, `YYYYMMDDHH`, that a delivered file's name states, or None."""
        ...


class Pack(Source, Protocol):
    """A source that maps its own records."""

    @property
    def TABLES(self) -> tuple[str, ...]:  # noqa: N802 a module constant
        """Names of the pack's data files that decide output: the catalog, then any others."""
        ...

    def normalize(self, raw: bytes) -> Event | Rejection:
        """Return the event that a raw record states, from the record alone, or why it cannot be."""
        ...


class Router(Source, Protocol):
    """A source whose deliveries mix records of several packs; `routes.json` tells them apart."""

    def category(self, raw: bytes) -> str | Rejection:
        """Return the category a record states, as the table spells it, or why it states none."""
        ...


class _Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    routes: dict[str, str]
    """Category, or provider and category (`provider/category`), lower case, to pack."""


class SigningSource(Source, Protocol):
    """A pack whose provider signs what it delivered, in companions."""

    def signature(self, metadata: Mapping[str, str]) -> bytes:
        """Return the signature of a companion, from its metadata.

        Raises `ValueError` when it was not kept, or is malformed.
        """
        ...

    def statement(self, document: bytes, unit: str, raw_sha256: str) -> Statement | None:
        """Return what a decompressed companion states about a unit's delivered file.

        None when it does not name that file with that hash. Raises `ValueError` when the bytes
        are not a companion.
        """
        ...

    def signed_list(self, document: bytes) -> SignedList:
        """Return everything a decompressed companion states. Raises `ValueError` if malformed."""
        ...

    def listed_before(self, place: str, ends: int) -> str | None:
        """Return where the list in the same chain that ends at `ends` would be.

        `place` is that of any list in the chain, `<bucket>/<key>`; `ends` is in milliseconds since
        the epoch. None when the name is not one of this source.
        """
        ...

    def scope_of(self, object_key: str) -> FileScope | None:
        """Return the scope of a delivered file or list; None when its name does not state it."""
        ...

    def delivered_record(self, file: bytes, index: int) -> bytes:
        """Return the exact text of a record in a decompressed delivered file, by its index.

        Raises `ValueError` when the file is not one of this source, or has too few records.
        """
        ...


def signing_source(name: str) -> SigningSource | None:
    """Return a pack if its provider signs what it delivers, else None."""
    if name not in names():
        return None
    pack = load(name)
    return cast("SigningSource", pack) if hasattr(pack, "statement") else None


class ListedSource(Source, Protocol):
    """A pack whose deliveries leave out the id that its provider's API lists."""

    def listed_id(self, raw: bytes) -> str | None:
        """Return the key by which delivered and listed records are matched; None without one."""
        ...

    def native_id(self, raw: bytes) -> str | None:
        """Return the id the provider gave a record; None if this form of it leaves it out."""
        ...


def listed_source(name: str) -> ListedSource | None:
    """Return a pack if its records are matched by something other than their id, else None."""
    pack = load(name)
    return cast("ListedSource", pack) if hasattr(pack, "listed_id") else None


def platforms(name: str) -> tuple[str, ...]:
    """Return the coverage platforms of a source's log.

    Empty for a source that declares none, such as a cloud's, and for an unknown source.
    """
    declared = getattr(_module(name), "PLATFORMS", ()) if name in names() else ()
    return tuple(declared)


def names() -> tuple[str, ...]:
    """Return the names of all source packs."""
    return _names(tuple(__path__))


@cache
def _names(path: tuple[str, ...]) -> tuple[str, ...]:
    """List the folders once: a verification asks about the source of every unit."""
    return tuple(sorted(one.name for one in pkgutil.iter_modules(path) if one.ispkg))


def load(name: str) -> Source:
    """Return a source by name.

    Raises `SettingsError` naming the known sources if it is unknown, or what it lacks.
    """
    return cast("Source", _module(name))


def pack(name: str) -> Pack:
    """Return a source pack by name. Raises `SettingsError` when there is none."""
    return cast("Pack", _module(name))


def router(name: str) -> Router:
    """Return a router by name. Raises `SettingsError` when there is none."""
    return cast("Router", _module(name))


def routes(name: str) -> dict[str, str] | None:
    """Return the pack of each category of a router; None for a source that maps its own records.

    Raises `SettingsError` for an unknown source and for an invalid table.
    """
    if not _is_router(_module(name)):
        return None
    try:
        return msgspec.json.decode(table(name, ROUTES), type=_Routes).routes
    except msgspec.MsgspecError as error:
        raise SettingsError(f"source {name!r}: {ROUTES}: {error}") from error


@cache
def _module(name: str) -> object:
    """Import a source. Raises `SettingsError` if it is unknown, or saying what it lacks."""
    if name not in names():
        raise SettingsError(f"unknown source {name!r}; known: {', '.join(names())}")
    try:
        module = import_module(f"{__name__}.{name}")
    except ImportError as error:
        raise SettingsError(f"source {name!r} cannot be imported: {error}") from error
    problems = [
        problem
        for protocol in _protocols(module)
        for problem in conformance.problems(module, protocol)
    ]
    if not problems and name != module.NAME:
        problems = [f"NAME is {module.NAME!r}, but its folder is {name!r}"]
    if problems:
        raise SettingsError(f"source {name!r} is not complete: {'; '.join(problems)}")
    return module


def _is_router(module: object) -> bool:
    return hasattr(module, "category")


def _protocols(module: object) -> Iterator[type]:
    """Yield the protocols that a source has to implement."""
    yield Router if _is_router(module) else Pack
    if hasattr(module, "statement"):
        yield SigningSource
    if hasattr(module, "listed_id"):
        yield ListedSource


@cache
def cutter(name: str) -> Cutter | None:
    """Return what cuts a source's declared fields from its records; None if it declares none.

    Raises `SettingsError` for an unknown source and for an invalid table.
    """
    _module(name)
    try:
        declared = pkgutil.get_data(f"{__name__}.{name}", CUTS)
    except OSError:
        return None
    try:
        return Cutter(msgspec.json.decode(declared or b"", type=CutTable))
    except msgspec.MsgspecError as error:
        raise SettingsError(f"source {name!r}: {CUTS}: {error}") from error


def declared(name: str, file: str, shape: type[_DeclaredT]) -> _DeclaredT | None:
    """Return what a source declares in a TOML file in its folder; None if it has no such file.

    Such a file decides no output and is not part of the mapper digest. The source's code is not
    imported. Raises `SettingsError` for an unknown source, and for an invalid file.
    """
    if name not in names():
        raise SettingsError(f"unknown source {name!r}; known: {', '.join(names())}")
    places = (Path(folder, name, file) for folder in __path__)
    place = next((place for place in places if place.is_file()), None)
    if place is None:
        return None
    try:
        return msgspec.toml.decode(place.read_bytes(), type=shape)
    except msgspec.MsgspecError as error:
        raise SettingsError(f"source {name!r}: {file}: {error}") from error


def table(name: str, file: str) -> bytes:
    """Return the bytes of a pack's data file. Raises `SettingsError` if it has no such file."""
    try:
        data = pkgutil.get_data(f"{__name__}.{name}", file)
    except OSError as error:
        raise SettingsError(f"source {name!r} has no table {file!r}: {error.strerror}") from error
    if data is None:
        raise SettingsError(f"source {name!r} has no table {file!r}")
    return data
