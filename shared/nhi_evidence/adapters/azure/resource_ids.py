"""Ids of resources in the exporter's subscription, which are known before anything exists."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from nhi_evidence.config.azure_names import NAME, namespace_id, site_name, storage_name

SENDING_RULE = "azure-monitor"
"""The rule of the namespace with which Azure Monitor writes."""


def group(subscription: str) -> str:
    """Return the resource id of the exporter's resource group."""
    return f"/subscriptions/{subscription}/resourceGroups/{NAME}"


def site(subscription: str) -> str:
    """Return the resource id of the function app."""
    return f"{group(subscription)}/providers/Microsoft.Web/sites/{site_name(subscription)}"


def sending_rule(subscription: str) -> str:
    """Return the resource id of the rule with which Azure Monitor writes to the hub."""
    return f"{namespace_id(subscription)}/authorizationRules/{SENDING_RULE}"


def management_group(name: str) -> str:
    """Return the resource id of a management group."""
    return f"/providers/Microsoft.Management/managementGroups/{name}"


def storage(subscription: str) -> str:
    """Return the resource id of the host's storage account."""
    account = storage_name(subscription)
    return f"{group(subscription)}/providers/Microsoft.Storage/storageAccounts/{account}"


def role_guid(name: str, subscription: str) -> str:
    """Return the id of one of our roles: it is unique in the tenant, and known beforehand."""
    return str(uuid5(NAMESPACE_URL, f"{NAME}/{subscription}/{name}"))


def role_definition(guid: str) -> str:
    """Return the resource id that a role has throughout its tenant."""
    return f"/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def role(name: str, subscription: str) -> str:
    """Return the resource id of one of our roles."""
    return role_definition(role_guid(name, subscription))
