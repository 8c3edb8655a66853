"""Names in Azure, for deploying, checking and replaying."""

from __future__ import annotations

from hashlib import sha256

from nhi_evidence.config import naming

NAME = "nhi-evidence"
"""Name of the resource group, and name or prefix of what is in it."""

HUB = "audit-logs"
"""The Event Hub through which all logs come."""

ACTIVITY_CATEGORIES = ("Administrative", "Security", "Policy")
"""Categories of the Activity Log that are exported: what someone did. The others (health,
autoscale, advice) describe the state of resources.
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema"""

GROUP_CATEGORIES = ("Administrative", "Policy")
"""The categories in a management group's log."""


def shared(deployment: str, *words: str) -> str:
    """Return the name of something outside the resource group, where other deployments may be too.

    Settings of observed subscriptions, of the management group and of the directory, policies and
    roles. Policies and deployments at a management group have names of at most 64 characters:
    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    """
    return naming.shortened("-".join((NAME, deployment, *words)))


def unique(subscription: str) -> str:
    """Return twelve characters that make a name unique in all of Azure, always the same."""
    return sha256(subscription.encode()).hexdigest()[:12]


def namespace_name(subscription: str) -> str:
    """Return the name of the Event Hubs namespace."""
    return f"{NAME}-{unique(subscription)}"


def namespace_id(subscription: str) -> str:
    """Return the resource id of the Event Hubs namespace."""
    group = f"/subscriptions/{subscription}/resourceGroups/{NAME}"
    return f"{group}/providers/Microsoft.EventHub/namespaces/{namespace_name(subscription)}"


def site_name(subscription: str) -> str:
    """Return the name of the function app."""
    return f"{NAME}-{unique(subscription)}"


def storage_name(subscription: str) -> str:
    """Return the name of the host's storage account."""
    return f"nhievidence{unique(subscription)}"
