"""Which logs of a resource type show what was done to it, and which resource has them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

ASSIGNMENT_CHARACTERS = 24
"""Maximum length of the name of a management group's policy assignment in Azure."""


class Logged(NamedTuple):
    """One kind of resource that has diagnostic settings."""

    type: str
    categories: tuple[str, ...] = ()
    """Log categories; empty: the category group `audit`."""

    @property
    def slug(self) -> str:
        """The type as part of a name: all segments of it, since last segments repeat."""
        return self.type.removeprefix("Microsoft.").replace("/", "-").replace(".", "-")

    def assignment(self, deployment: str) -> str:
        """Return a name of at most 24 characters that no other type and deployment has."""
        digest = sha256(f"{deployment}/{self.type.lower()}".encode()).hexdigest()[:8]
        last = self.type.rpartition("/")[2]
        return f"nhi-{last[: ASSIGNMENT_CHARACTERS - 13]}-{digest}"


_STORAGE = ("StorageRead", "StorageWrite", "StorageDelete")
_STORAGE_ACCOUNT = "Microsoft.Storage/storageAccounts"
_STORAGE_SERVICES = tuple(
    Logged(f"{_STORAGE_ACCOUNT}/{service}", _STORAGE)
    for service in ("blobServices", "fileServices", "queueServices", "tableServices")
)

_KNOWN = {
    # A storage account itself has no such log; each of its services does.
    _STORAGE_ACCOUNT: _STORAGE_SERVICES,
    **{service.type: (service,) for service in _STORAGE_SERVICES},
    # kube-audit-admin omits get and list, and with them exec over a websocket.
    "Microsoft.ContainerService/managedClusters": (
        Logged("Microsoft.ContainerService/managedClusters", ("kube-audit",)),
    ),
    "Microsoft.CognitiveServices/accounts": (
        Logged("Microsoft.CognitiveServices/accounts", ("Audit", "RequestResponse")),
    ),
}
_BY_LOWER_CASE = {name.lower(): kinds for name, kinds in _KNOWN.items()}


def kinds_of(resource_types: Iterable[str]) -> tuple[Logged, ...]:
    """Return the kinds to be set for resource types, without duplicates.

    An unlisted type gets the category group `audit`. Types are compared without regard to case, as
    in Azure.
    """
    kinds = {
        kind.type.lower(): kind
        for resource_type in resource_types
        for kind in _BY_LOWER_CASE.get(resource_type.lower(), (Logged(resource_type),))
    }
    return tuple(kinds.values())
