"""Which logs of a resource type show what was done to it, and where it keeps them."""

from __future__ import annotations

from typing import NamedTuple


class Logged(NamedTuple):
    """One kind of resource that has diagnostic settings."""

    type: str
    categories: tuple[str, ...] = ()
    """Log categories; none: the category group `audit`."""


_STORAGE = ("StorageRead", "StorageWrite", "StorageDelete")

_KNOWN = {
    # A storage account has no such log itself; each of its services has.
    "Microsoft.Storage/storageAccounts": tuple(
        Logged(f"Microsoft.Storage/storageAccounts/{service}", _STORAGE)
        for service in ("blobServices", "fileServices", "queueServices", "tableServices")
    ),
    # kube-audit-admin leaves out get and list, and with them exec over a websocket.
    "Microsoft.ContainerService/managedClusters": (
        Logged("Microsoft.ContainerService/managedClusters", ("kube-audit",)),
    ),
    "Microsoft.CognitiveServices/accounts": (
        Logged("Microsoft.CognitiveServices/accounts", ("Audit", "RequestResponse")),
    ),
}


def kinds_of(resource_type: str) -> tuple[Logged, ...]:
    """Return what has to be set for a resource type; of one not listed, its group `audit`."""
    return _KNOWN.get(resource_type, (Logged(resource_type),))
