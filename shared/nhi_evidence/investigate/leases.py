"""Credentials of clouds that a log names by their lease alone, so that their use is not joined.

A product that creates cloud credentials records the lease, and the cloud records the credential's
id. If the product's log hashes that id, nothing joins the two sides: not the time, which others
share, and not the name. A source declares such a log in `leases.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import msgspec

from nhi_evidence import sources
from nhi_evidence.investigate.lineage import Path
from nhi_evidence.investigate.row import Row

_DECLARATION = "leases.toml"


class _Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A log that names the cloud credentials it records by their leases."""

    platform: str
    """Whose log it is, in words."""
    services: frozenset[str]
    """Services that create credentials of a cloud."""
    tuning: str
    """The setting that writes ids unhashed."""


@cache
def _logs() -> dict[str, _Log]:
    """Return the declarations by the names of their sources. Raises `SettingsError`."""
    every = {name: sources.declared(name, _DECLARATION, _Log) for name in sources.names()}
    return {name: log for name, log in every.items() if log is not None}


def not_joined(path: Path) -> Iterator[str]:
    """Yield, in words, each lease of a path whose credential no record names.

    Raises `SettingsError` for an invalid declaration.
    """
    for step in path.steps:
        row, log = step.row, _logs().get(step.row.source)
        if log is None or row.service not in log.services or not row.issued:
            continue
        if all(_is_lease(row, uid) for uid in row.issued):
            yield (
                f"{', '.join(row.issued)}: {log.platform} created a credential of a cloud and "
                f"recorded its lease alone, so its use there is not joined ({log.tuning})"
            )


def _is_lease(row: Row, uid: str) -> bool:
    """Whether an issued id is a lease: a lease's id begins with the path it was read from."""
    return any(uid.startswith(f"{target}/") for target in row.targets)
