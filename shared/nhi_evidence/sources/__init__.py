"""The log sources, one folder each, strangers to each other. This registry is the only door.

A new source is a new folder here that offers what `Pack` asks for; nothing else changes. A source
whose deliveries mix several packs' records is a `Router`: its table says which pack a record is of.
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
"""Table of a pack whose records carry what must never be locked; most have none."""


class Source(Protocol):
    """What a source says of its deliveries. A module can be one."""

    @property
    def NAME(self) -> str:  # noqa: N802 a module constant
        """The source's name in evidence keys; also its folder."""
        ...

    @property
    def LISTS_OUT_OF_SCOPE_IDS(self) -> bool:  # noqa: N802 a module constant
        """Whether completeness is asked record by record, so that objects name what is left out."""
        ...

    def decode(self, body: bytes, limits: Limits) -> Decoded | Undecodable:
        """Return the exact slices of the records in a delivery, or why there are none."""
        ...

    def unwrap(self, document: bytes, limits: Limits) -> Decoded | Undecodable:
        """Return the records of a document in any form the provider hands records out in.

        For reading local files; only delivered files are evidence units.
        """
        ...

    def kind_of(self, object_key: str) -> Kind:
        """Return what a delivered file is, by its name."""
        ...

    def hour_of(self, object_key: str) -> str | None:
        """Return the UTC hour the name of a delivered file states, or None."""
        ...


class Pack(Source, Protocol):
    """A source that maps its records itself."""

    @property
    def TABLES(self) -> tuple[str, ...]:  # noqa: N802 a module constant
        """Data files of the pack that decide output: the catalog, then any access levels."""
        ...

    def normalize(self, raw: bytes) -> Event | Rejection:
        """Return the event a raw record states, from the record alone."""
        ...


class Router(Source, Protocol):
    """A source whose deliveries hold records of several packs; `routes.json` tells them apart."""

    def category(self, raw: bytes) -> str | Rejection:
        """Return the category a record states, as the table spells it, or why it states none."""
        ...


class _Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    routes: dict[str, str]
    """Category, or provider and category (`provider/category`), lower case, to pack."""


class SigningSource(Source, Protocol):
    """A pack whose provider signs what it delivered, in companions of the files."""

    def signature(self, metadata: Mapping[str, str]) -> bytes:
        """Return the signature of a companion, from what the source said of it.

        Raises `ValueError` when it was not kept, or is none.
        """
        ...

    def statement(self, document: bytes, unit: str, raw_sha256: str) -> Statement | None:
        """Return what a companion, inflated, states of the delivered file a unit is.

        None when it does not name that file with that hash. Raises `ValueError` when the bytes
        are no companion.
        """
        ...

    def signed_list(self, document: bytes) -> SignedList:
        """Return everything a companion, inflated, states. Raises `ValueError` of none."""
        ...

    def listed_before(self, place: str, ends: int) -> str | None:
        """Return where the list of the same chain would lie that ends at another instant.

        `place` is that of a list, `<bucket>/<key>`, `ends` milliseconds since the epoch. None
        when the name is not one of this source.
        """
        ...

    def scope_of(self, object_key: str) -> FileScope | None:
        """Return whose files a delivered file or list is one of; None when its name says not."""
        ...

    def delivered_record(self, file: bytes, index: int) -> bytes:
        """Return the exact text of a record of a delivered file, inflated, by its place in it.

        Raises `ValueError` when the file is none of this source, or holds fewer records.
        """
        ...


def signing_source(name: str) -> SigningSource | None:
    """Return a pack whose provider signs what it delivered, or None when that one's does not."""
    if name not in names():
        return None
    pack = load(name)
    return cast("SigningSource", pack) if hasattr(pack, "statement") else None


class ListedSource(Source, Protocol):
    """A pack whose deliveries leave out the id that its provider's API lists."""

    def listed_id(self, raw: bytes) -> str | None:
        """Return what a record, delivered or listed, is matched by; None where it cannot be."""
        ...

    def native_id(self, raw: bytes) -> str | None:
        """Return the id the provider gave a record; None where its form leaves it out."""
        ...


def listed_source(name: str) -> ListedSource | None:
    """Return a pack whose records are matched otherwise than by their id, or None of another."""
    pack = load(name)
    return cast("ListedSource", pack) if hasattr(pack, "listed_id") else None


def platforms(name: str) -> tuple[str, ...]:
    """Return what the cells of coverage call the platforms of a source's log.

    Nothing of a source that does not say, such as a cloud's, or that is unknown.
    """
    declared = getattr(_module(name), "PLATFORMS", ()) if name in names() else ()
    return tuple(declared)


def names() -> tuple[str, ...]:
    """Return the names of all source packs."""
    return _names(tuple(__path__))


@cache
def _names(path: tuple[str, ...]) -> tuple[str, ...]:
    """Look into the folders once: a verification asks of every unit whether its source is known."""
    return tuple(sorted(one.name for one in pkgutil.iter_modules(path) if one.ispkg))


def load(name: str) -> Source:
    """Return a source by name.

    Raises `SettingsError` naming the known sources when there is none of that name.
    """
    return cast("Source", _module(name))


def pack(name: str) -> Pack:
    """Return a source pack by name. Raises `SettingsError` when there is none."""
    return cast("Pack", _module(name))


def router(name: str) -> Router:
    """Return a router by name. Raises `SettingsError` when there is none."""
    return cast("Router", _module(name))


def routes(name: str) -> dict[str, str] | None:
    """Return which pack each category of a router belongs to; None of a source that maps itself.

    Raises `SettingsError` for an unknown source and for a table that is not one.
    """
    if not _is_router(_module(name)):
        return None
    try:
        return msgspec.json.decode(table(name, ROUTES), type=_Routes).routes
    except msgspec.MsgspecError as error:
        raise SettingsError(f"source {name!r}: {ROUTES}: {error}") from error


@cache
def _module(name: str) -> object:
    """Import a source. Raises `SettingsError` when there is none, or what it lacks of one."""
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
        problems = [f"NAME is {module.NAME!r}, and its folder {name!r}"]
    if problems:
        raise SettingsError(f"source {name!r} is not complete: {'; '.join(problems)}")
    return module


def _is_router(module: object) -> bool:
    return hasattr(module, "category")


def _protocols(module: object) -> Iterator[type]:
    """Yield what a source has to offer, by what it is."""
    yield Router if _is_router(module) else Pack
    if hasattr(module, "statement"):
        yield SigningSource
    if hasattr(module, "listed_id"):
        yield ListedSource


@cache
def cutter(name: str) -> Cutter | None:
    """Return what takes the declared fields out of a source's records; None without any.

    Raises `SettingsError` for an unknown source and for a table that is not one.
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
    """Return what a source declares in a file of its folder, in TOML; None where it has none.

    Such a file decides nothing that is written: it is no part of the mapper digest. Its code is
    not imported. Raises `SettingsError` for an unknown source, and for a file of another shape.
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
    """Return the bytes of a pack's data file. Raises `SettingsError` when it has no such file."""
    try:
        data = pkgutil.get_data(f"{__name__}.{name}", file)
    except OSError as error:
        raise SettingsError(f"source {name!r} has no table {file!r}: {error.strerror}") from error
    if data is None:
        raise SettingsError(f"source {name!r} has no table {file!r}")
    return data
