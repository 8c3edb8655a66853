"""Names in the exporter's Azure subscription, for who deploys and for who replays."""

from __future__ import annotations

from hashlib import sha256

NAME = "nhi-evidence"
"""What every resource is called, or begins with; the resource group's whole name."""

HUB = "audit-logs"
"""The Event Hub all logs come through."""

ACTIVITY_CATEGORIES = ("Administrative", "Security", "Policy")
"""Of the Activity Log, what is exported: what somebody did. The other categories (health,
autoscale, advice) say how something fares.
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema"""


def unique(subscription: str) -> str:
    """Return twelve characters for names that all of Azure shares, the same every time."""
    return sha256(subscription.encode()).hexdigest()[:12]


def namespace_name(subscription: str) -> str:
    """Return the Event Hubs namespace."""
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
