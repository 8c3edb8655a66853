"""The rule of a policy that gives every resource of a kind its diagnostic setting."""

from __future__ import annotations

from typing import Any

from nhi_evidence.config.azure_resource_kinds import Logged

_TEMPLATE = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_ALIAS = "Microsoft.Insights/diagnosticSettings"

PARAMETERS = {
    name: {"type": "String", "metadata": {"displayName": title}}
    for name, title in (
        ("rule", "Authorization rule of the Event Hubs namespace"),
        ("hub", "Event Hub"),
    )
}


def rule(kind: Logged, *, setting: str, role: str, excluded: str) -> dict[str, Any]:
    """Return the rule: if a resource lacks the setting, create it, acting with `role`.

    `setting` is its name. A setting of that name that sends elsewhere would be overwritten, so no
    two deployments have one name.

    The resource with the id `excluded`, and everything in it, is exempt.

    A resource has the setting if one sends to our hub with every wanted log enabled; a similar
    setting, or one that was disabled in part, does not count.
    """
    return {
        "if": {
            "allOf": [
                {"field": "type", "equals": kind.type},
                {"field": "id", "notLike": f"{excluded}*"},
            ]
        },
        "then": {
            "effect": "DeployIfNotExists",
            "details": {
                "type": _ALIAS,
                "name": setting,
                "existenceCondition": {
                    "allOf": [
                        {
                            "field": f"{_ALIAS}/eventHubAuthorizationRuleId",
                            "equals": "[parameters('rule')]",
                        },
                        {"field": f"{_ALIAS}/eventHubName", "equals": "[parameters('hub')]"},
                        *(_is_on(log) for log in _wanted(kind)),
                    ]
                },
                "roleDefinitionIds": [role],
                "deployment": {"properties": _deployment(kind, setting)},
            },
        },
    }


def _wanted(kind: Logged) -> tuple[tuple[str, str], ...]:
    if kind.categories:
        return tuple(("category", one) for one in kind.categories)
    return (("categoryGroup", "audit"),)


def _is_on(log: tuple[str, str]) -> dict[str, Any]:
    field, name = log
    return {
        "count": {
            "field": f"{_ALIAS}/logs[*]",
            "where": {
                "allOf": [
                    {"field": f"{_ALIAS}/logs[*].enabled", "equals": "true"},
                    {"field": f"{_ALIAS}/logs[*].{field}", "equals": name},
                ]
            },
        },
        "greaterOrEquals": 1,
    }


def _deployment(kind: Logged, setting: str) -> dict[str, Any]:
    names = ("resource", "rule", "hub")
    return {
        "mode": "incremental",
        "parameters": {
            "resource": {"value": "[field('id')]"},
            "rule": {"value": "[parameters('rule')]"},
            "hub": {"value": "[parameters('hub')]"},
        },
        "template": {
            "$schema": _TEMPLATE,
            "contentVersion": "1.0.0.0",
            "parameters": {name: {"type": "string"} for name in names},
            "resources": [
                {
                    "type": _ALIAS,
                    "apiVersion": "2021-05-01-preview",
                    "name": setting,
                    "scope": "[parameters('resource')]",
                    "properties": {
                        "eventHubAuthorizationRuleId": "[parameters('rule')]",
                        "eventHubName": "[parameters('hub')]",
                        "logs": [{field: name, "enabled": True} for field, name in _wanted(kind)],
                    },
                }
            ],
        },
    }
