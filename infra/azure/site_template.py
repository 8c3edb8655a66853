"""The function app as an Azure Resource Manager template.

The provider's own resource for this plan writes `AzureWebJobsStorage`, a connection string with an
empty key, beside the identity-based settings, and the host then prefers the string
(docs/decisions/0047-function-app-by-template.md). The template states every setting itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_SITES = "Microsoft.Web/sites"
_VERSION = "2024-04-01"
_HUB_VERSION = "2024-01-01"

HUB_CREATED = f"[reference(parameters('hub'), '{_HUB_VERSION}').createdAt]"
"""When Azure says the hub was created: it distinguishes a re-created hub from the previous one."""


def template(
    *,
    parameters: Iterable[str],
    settings: Mapping[str, str],
    python: str,
    memory_mb: int,
    instances: int,
) -> dict[str, Any]:
    """Return the template; `settings` may hold template expressions."""
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {name: {"type": "string"} for name in parameters},
        "resources": [
            {
                "type": _SITES,
                "apiVersion": _VERSION,
                "name": "[parameters('site')]",
                "location": "[parameters('location')]",
                "kind": "functionapp,linux",
                "identity": {
                    "type": "UserAssigned",
                    "userAssignedIdentities": {"[parameters('identity')]": {}},
                },
                "properties": {
                    "serverFarmId": "[parameters('plan')]",
                    "httpsOnly": True,
                    "functionAppConfig": _app_config(python, memory_mb, instances),
                    "siteConfig": _site_config(settings),
                },
            },
            # Publishing uses the deployer's own sign-in, never a publishing password.
            *(_no_password(way) for way in ("scm", "ftp")),
        ],
    }


def _app_config(python: str, memory_mb: int, instances: int) -> dict[str, Any]:
    return {
        "deployment": {
            "storage": {
                "type": "blobContainer",
                "value": "[parameters('packages')]",
                "authentication": {
                    "type": "UserAssignedIdentity",
                    "userAssignedIdentityResourceId": "[parameters('identity')]",
                },
            }
        },
        "runtime": {"name": "python", "version": python},
        "scaleAndConcurrency": {
            "instanceMemoryMB": memory_mb,
            "maximumInstanceCount": instances,
        },
    }


def _site_config(settings: Mapping[str, str]) -> dict[str, Any]:
    return {
        "appSettings": [{"name": name, "value": value} for name, value in settings.items()],
        "minTlsVersion": "1.2",
        "scmMinTlsVersion": "1.2",
        "ftpsState": "Disabled",
        "remoteDebuggingEnabled": False,
    }


def _no_password(way: str) -> dict[str, Any]:
    return {
        "type": f"{_SITES}/basicPublishingCredentialsPolicies",
        "apiVersion": _VERSION,
        "name": f"[concat(parameters('site'), '/{way}')]",
        "dependsOn": [f"[resourceId('{_SITES}', parameters('site'))]"],
        "properties": {"allow": False},
    }
