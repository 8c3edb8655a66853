"""What things are called in Azure: known before anything exists."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from nhi_evidence.config.azure_names import (
    HUB,
    NAME,
    namespace_name,
    site_name,
    storage_name,
    unique,
)

__all__ = [
    "HUB",
    "NAME",
    "group_id",
    "management_group_id",
    "namespace_name",
    "role_definition",
    "role_id",
    "site_id",
    "site_name",
    "storage_id",
    "storage_name",
    "unique",
]


def group_id(subscription: str) -> str:
    """Return the resource id of the exporter's resource group."""
    return f"/subscriptions/{subscription}/resourceGroups/{NAME}"


def site_id(subscription: str) -> str:
    """Return the resource id of the function app."""
    return f"{group_id(subscription)}/providers/Microsoft.Web/sites/{site_name(subscription)}"


def management_group_id(group: str) -> str:
    """Return the resource id of a management group."""
    return f"/providers/Microsoft.Management/managementGroups/{group}"


def storage_id(subscription: str) -> str:
    """Return the resource id of the host's storage account."""
    account = storage_name(subscription)
    return f"{group_id(subscription)}/providers/Microsoft.Storage/storageAccounts/{account}"


def role_id(name: str, subscription: str) -> str:
    """Return the id of a role of ours: a role's id is one in the tenant, and known beforehand."""
    return str(uuid5(NAMESPACE_URL, f"{NAME}/{subscription}/{name}"))


def role_definition(guid: str) -> str:
    """Return the resource id a role has everywhere in its tenant."""
    return f"/providers/Microsoft.Authorization/roleDefinitions/{guid}"
