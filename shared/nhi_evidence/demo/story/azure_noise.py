"""The benign noise of an Azure tenant: people, managed identities, Microsoft itself, a stranger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from nhi_evidence.demo.story.azure_record import (
    GROUP,
    Principal,
    activity,
    entra,
    resource_log,
    time_of,
)
from nhi_evidence.demo.story.records import Recorder

Shape = Callable[[Recorder, timedelta, int], list[dict[str, Any]]]

_VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/example-payments"
_STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/examplepayments"
_FUNCTION = f"{GROUP}/providers/Microsoft.Web/sites/settle"
_OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_MANAGED = Principal(
    "eeeeeeee-4444-5555-6666-ffffffffffff",
    app_id="22223333-cccc-4444-dddd-5555eeee6666",
    managed=_FUNCTION,
)
_PERSON = Principal(
    "ffffffff-5555-6666-7777-aaaaaaaaaaaa",
    app_id="c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
    user="person1@example.com",
)
_OFFICE = "198.51.100.23"
_CLOUD = "192.0.2.71"


def function(r: Recorder, at: timedelta, n: int) -> list[dict[str, Any]]:
    """A function app's managed identity changing a queue: a start and an end."""
    queue = f"{_STORAGE}/queueServices/default/queues/settle-{n % 5}"
    operation = "Microsoft.Storage/storageAccounts/queueServices/queues/write"
    correlation = r.uid()
    return [
        activity(r, at, _MANAGED, operation, queue, ip=_CLOUD, correlation=correlation, started=one)
        for one in (True, False)
    ]


def person(r: Recorder, at: timedelta, _: int) -> list[dict[str, Any]]:
    """A person tagging a resource in the portal."""
    operation = "Microsoft.Resources/tags/write"
    return [activity(r, at, _PERSON, operation, f"{GROUP}/tags/default", ip=_OFFICE)]


def person_sign_in(r: Recorder, at: timedelta, _: int) -> list[dict[str, Any]]:
    """A person's browser renewing its session."""
    properties = {
        "id": r.uid(),
        "createdDateTime": time_of(r, at),
        "userId": _PERSON.object_id,
        "userPrincipalName": _PERSON.user,
        "userDisplayName": "Person One",
        "appId": _PERSON.app_id,
        "appDisplayName": "Azure Portal",
        "ipAddress": _OFFICE,
        "isInteractive": False,
        "status": {"errorCode": 0},
        "uniqueTokenIdentifier": r.uid(),
    }
    category = "NonInteractiveUserSignInLogs"
    return [entra(r, at, category, "Sign-in activity", properties, ip=_OFFICE)]


def managed_sign_in(r: Recorder, at: timedelta, _: int) -> list[dict[str, Any]]:
    """The function app's identity fetching a token."""
    properties = {
        "id": r.uid(),
        "createdDateTime": time_of(r, at),
        "appId": _MANAGED.app_id,
        "servicePrincipalId": _MANAGED.object_id,
        "servicePrincipalName": "settle",
        "managedIdentityType": "systemAssigned",
        "associatedResourceId": _FUNCTION,
        "clientCredentialType": "certificate",
        "resourceDisplayName": "Azure Key Vault",
        "ipAddress": "",
        "status": {"errorCode": 0},
        "uniqueTokenIdentifier": r.uid(),
    }
    category = "ManagedIdentitySignInLogs"
    return [entra(r, at, category, "Sign-in activity", properties, ip="")]


def microsoft_sign_in(r: Recorder, at: timedelta, _: int) -> list[dict[str, Any]]:
    """One of Microsoft's own applications calling another."""
    properties = {
        "id": r.uid(),
        "createdDateTime": time_of(r, at),
        "appId": "00000002-0000-0ff1-ce00-000000000000",
        "servicePrincipalId": "aaaaaaaa-6666-7777-8888-bbbbbbbbbbbb",
        "servicePrincipalName": "Office 365 Exchange Online",
        "resourceDisplayName": "Microsoft Graph",
        "ipAddress": "203.0.113.10",
        "status": {"errorCode": 0},
        "uniqueTokenIdentifier": r.uid(),
    }
    category = "MicrosoftServicePrincipalSignInLogs"
    return [entra(r, at, category, "Sign-in activity", properties, ip="203.0.113.10")]


def secret(r: Recorder, at: timedelta, n: int) -> list[dict[str, Any]]:
    """The function app reading its own setting from the vault."""
    where = f"https://example-payments.vault.azure.net/secrets/setting-{n % 4}"
    claim = {_OBJECT: _MANAGED.object_id, "appid": _MANAGED.app_id, "xms_mirid": _FUNCTION}
    return [
        resource_log(
            r,
            at,
            "AuditEvent",
            "SecretGet",
            _VAULT,
            ip=_CLOUD,
            operationVersion="7.4",
            resultType="Success",
            resultSignature="OK",
            identity={"claim": claim},
            properties={"id": where, "requestUri": where, "httpStatusCode": 200},
        )
    ]


def blob(r: Recorder, at: timedelta, n: int) -> list[dict[str, Any]]:
    """A partner reading a file with a shared access signature, which names nobody."""
    return [
        resource_log(
            r,
            at,
            "StorageRead",
            "GetBlob",
            f"{_STORAGE}/blobServices/default",
            ip=f"198.51.100.80:{40000 + n % 20000}",
            operationVersion="2023-11-03",
            schemaVersion="1.0",
            statusCode=200,
            statusText="SASSuccess",
            identity={"type": "SAS", "tokenHash": f"key1({'C0FFEE' * 10}EXAM)"},
            properties={
                "accountName": "examplepayments",
                "serviceType": "blob",
                "objectKey": f"/examplepayments/settlements/{n}.csv",
                "userAgentHeader": "AzCopy/10.24",
            },
            uri=f"https://examplepayments.blob.core.windows.net/settlements/{n}.csv?sv=x&sig=XXXXX",
            protocol="HTTPS",
        )
    ]


def foreign(r: Recorder, at: timedelta, n: int) -> list[dict[str, Any]]:
    """A metric, which a diagnostic setting can send to the same hub."""
    return [
        {
            "count": 1,
            "total": n,
            "average": n,
            "resourceId": _STORAGE.upper(),
            "time": time_of(r, at),
            "metricName": "Transactions",
            "timeGrain": "PT1M",
        }
    ]


SHAPES: tuple[tuple[Shape, int], ...] = (
    (function, 14),
    (person, 6),
    (person_sign_in, 10),
    (managed_sign_in, 10),
    (microsoft_sign_in, 4),
    (secret, 16),
    (blob, 9),
    (foreign, 1),
)
"""Record shapes and how often each occurs."""
