"""The log sources, one folder each, strangers to each other. This registry is the only door.

A new source is a new folder here that offers what `Source` asks for; nothing else changes.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Protocol, cast

from nhi_evidence.errors import SettingsError
from nhi_evidence.event import Decoded, Event, Kind, Limits, Rejection, Undecodable


class Source(Protocol):
    """What a source pack offers. A module can be one."""

    @property
    def NAME(self) -> str:  # noqa: N802 a module constant
        """The source's name in evidence keys; also its folder."""
        ...

    @property
    def TABLES(self) -> tuple[str, ...]:  # noqa: N802 a module constant
        """Data files of the pack that decide output: the catalog, then any access levels."""
        ...

    def decode(self, body: bytes, limits: Limits) -> Decoded | Undecodable:
        """Return the exact slices of the records in a delivery, or why there are none."""
        ...

    def normalize(self, raw: bytes) -> Event | Rejection:
        """Return the event a raw record states, from the record alone."""
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


def names() -> tuple[str, ...]:
    """Return the names of all source packs."""
    return tuple(sorted(one.name for one in pkgutil.iter_modules(__path__) if one.ispkg))


def load(name: str) -> Source:
    """Return a source pack by name.

    Raises `SettingsError` naming the known packs when there is none of that name.
    """
    if name not in names():
        raise SettingsError(f"unknown source {name!r}; known: {', '.join(names())}")
    return cast("Source", import_module(f"{__name__}.{name}"))


def table(name: str, file: str) -> bytes:
    """Return the bytes of a pack's data file."""
    data = pkgutil.get_data(f"{__name__}.{name}", file)
    if data is None:
        raise SettingsError(f"source {name!r} has no table {file!r}")
    return data
