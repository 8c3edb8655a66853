"""What Azure and Entra answer about the estate: all logs go to one Event Hub namespace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nhi_evidence.coverage.answers import Answer
from nhi_evidence.demo.story import azure_record

SUBSCRIPTION = "/subscriptions/22222222-3333-4444-5555-666666666666"
_GROUP = f"{SUBSCRIPTION}/resourceGroups/shop/providers"
NAMESPACE = (
    f"{SUBSCRIPTION}/resourceGroups/evidence/providers/Microsoft.EventHub/namespaces/nhi-evidence"
)
RULE = f"{NAMESPACE}/authorizationRules/azure-monitor"
VAULT = f"{_GROUP}/Microsoft.KeyVault/vaults/shop"
STORAGE = f"{_GROUP}/Microsoft.Storage/storageAccounts/shop"
CLUSTER = f"{_GROUP}/Microsoft.ContainerService/managedClusters/shop"
MODEL = f"{_GROUP}/Microsoft.CognitiveServices/accounts/shop"
TENANT = "/providers/microsoft.aadiam"
STORAGE_SERVICES = ("blobServices", "fileServices", "queueServices", "tableServices")
ENTRA = (
    "AuditLogs",
    "SignInLogs",
    "NonInteractiveUserSignInLogs",
    "ServicePrincipalSignInLogs",
    "ManagedIdentitySignInLogs",
    "MicrosoftGraphActivityLogs",
)
CROSSED = f"/subscriptions/{azure_record.SUBSCRIPTION}"
"""The subscription that the story of the demo crosses."""
_CROSSED_GROUP = f"{azure_record.GROUP}/providers"
CROSSED_VAULT = f"{_CROSSED_GROUP}/Microsoft.KeyVault/vaults/example-payments"
CROSSED_STORAGE = f"{_CROSSED_GROUP}/Microsoft.Storage/storageAccounts/examplepayments"
_CROSSED_TYPES = {
    CROSSED_VAULT: "microsoft.keyvault/vaults",
    CROSSED_STORAGE: "microsoft.storage/storageaccounts",
}
_TYPES = {
    VAULT: "microsoft.keyvault/vaults",
    STORAGE: "microsoft.storage/storageaccounts",
    CLUSTER: "microsoft.containerservice/managedclusters",
    MODEL: "microsoft.cognitiveservices/accounts",
}


def setting(
    categories: Sequence[str] = (), *, group: str | None = None, rule: str = RULE
) -> dict[str, Any]:
    """Return one diagnostic setting, with categories or with a group of them."""
    logs = [{"category": name, "enabled": True} for name in categories]
    if group:
        logs.append({"categoryGroup": group, "enabled": True})
    properties = {"eventHubAuthorizationRuleId": rule, "logs": logs}
    return {"name": "nhi-evidence", "properties": properties}


def diagnostics(scope: str, *settings: dict[str, Any]) -> Answer:
    """Return the diagnostic settings of a scope."""
    call = "Microsoft.Insights/diagnosticSettings"
    return Answer(call=call, scope=scope, answer={"value": list(settings)})


def categories(scope: str, **groups: Sequence[str]) -> Answer:
    """Return the log categories of a resource, each with the groups it belongs to."""
    value = [
        {"name": name, "properties": {"categoryType": "Logs", "categoryGroups": list(of)}}
        for name, of in groups.items()
    ]
    call = "Microsoft.Insights/diagnosticSettingsCategories"
    return Answer(call=call, scope=scope, answer={"value": value})


def answers() -> tuple[Answer, ...]:
    """Return every answer."""
    return (*_tenant(), *_resources())


def _tenant() -> tuple[Answer, ...]:
    subscriptions = [
        {
            "subscriptionId": scope.rpartition("/")[2],
            "tenantId": azure_record.TENANT,
            "state": "Enabled",
        }
        for scope in (SUBSCRIPTION, CROSSED)
    ]
    plan = {"servicePlanName": "AAD_PREMIUM", "provisioningStatus": "Success"}
    return (
        Answer(
            call="Microsoft.Resources/subscriptions",
            scope="tenant",
            answer={"value": subscriptions},
        ),
        diagnostics(SUBSCRIPTION, setting(["Administrative", "Policy", "Security"])),
        diagnostics(CROSSED, setting(["Administrative", "Policy", "Security"])),
        diagnostics(TENANT, setting(ENTRA)),
        Answer(
            call="graph:subscribedSkus",
            scope="tenant",
            answer={"value": [{"capabilityStatus": "Enabled", "servicePlans": [plan]}]},
        ),
        Answer(
            call="Microsoft.CognitiveServices/accounts/projects/connections",
            scope=MODEL,
            answer={"value": [{"name": "traces", "properties": {"category": "AppInsights"}}]},
        ),
    )


def _resources() -> tuple[Answer, ...]:
    types = {**_TYPES, **_CROSSED_TYPES}
    listed = [{"id": id_, "type": type_} for id_, type_ in types.items()]
    storage = [
        f"{account}/{service}/default"
        for account in (STORAGE, CROSSED_STORAGE)
        for service in STORAGE_SERVICES
    ]
    kinds = ("StorageRead", "StorageWrite", "StorageDelete")
    return (
        Answer(
            call="Microsoft.ResourceGraph/resources", scope=SUBSCRIPTION, answer={"data": listed}
        ),
        *(
            answer
            for vault in (VAULT, CROSSED_VAULT)
            for answer in (
                diagnostics(vault, setting(group="audit")),
                categories(
                    vault, AuditEvent=["audit", "allLogs"], AzurePolicyEvaluationDetails=["allLogs"]
                ),
            )
        ),
        *(diagnostics(scope, setting(kinds)) for scope in storage),
        diagnostics(CLUSTER, setting(["kube-audit"])),
        diagnostics(MODEL, setting(["Audit", "RequestResponse"])),
    )
