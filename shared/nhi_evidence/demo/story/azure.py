"""The story in Azure: the CI job signs in with a federated credential, then acts.

Shapes follow Microsoft's references of the sign-in, Graph activity, Activity Log and Key Vault
schemas. https://learn.microsoft.com/graph/api/resources/signin
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from nhi_evidence.demo.story.azure_record import (
    GROUP,
    SUBSCRIPTION,
    TENANT,
    Principal,
    activity,
    entra,
    resource_log,
    time_of,
)
from nhi_evidence.demo.story.crossing import AGENT, FOREIGN, ISSUER, SUBJECT
from nhi_evidence.demo.story.records import Recorder
from nhi_evidence.demo.story.step import Step

APP = "11112222-bbbb-3333-cccc-4444dddd5555"
SERVICE_PRINCIPAL = "bbbbbbbb-1111-2222-3333-cccccccccccc"
FEDERATED_CREDENTIAL = "cccccccc-2222-3333-4444-dddddddddddd"
"""Id of the credential that represents the CI's issuer and subject."""

_SESSION = "session-EXAMPLE-of-ci-job"
_NAME = "ci-deploy"
_VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/example-payments"
_STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/examplepayments"
_SETTING = f"/subscriptions/{SUBSCRIPTION}/providers/microsoft.insights/diagnosticSettings/evidence"
_OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_JOB = Principal(SERVICE_PRINCIPAL, app_id=APP, session=_SESSION)

STEPS = (
    Step("sign in", 41, "Entra", "Sign-in activity", "success", "Credential Validation"),
    Step("enumerate", 42, "Microsoft Graph", "servicePrincipals", "success", "Enumeration"),
    Step(
        "read secret",
        42,
        "Microsoft.Storage",
        "Microsoft.Storage/storageAccounts/listKeys/action",
        "success",
        "Secret Access",
    ),
    Step("read secret", 43, "Microsoft.KeyVault", "SecretGet", "success", "Secret Access"),
    Step(
        "persist",
        43,
        "Microsoft.Authorization",
        "Microsoft.Authorization/roleAssignments/write",
        "denied",
        "Privilege Change",
    ),
    Step(
        "hide",
        44,
        "Microsoft.Insights",
        "Microsoft.Insights/diagnosticSettings/delete",
        "denied",
        "Defense Evasion",
    ),
)
"""What the stolen token does in Azure, in order."""


def trusted(recorder: Recorder) -> dict[str, Any]:
    """Return the record of the day's first act: an administrator trusts the CI's issuer.

    A sign-in names only the credential; its issuer and subject are stated only here.
    """
    credential = {
        "Name": "github-main",
        "Issuer": ISSUER,
        "Subject": SUBJECT,
        "Id": FEDERATED_CREDENTIAL,
        "Audiences": ["api://AzureADTokenExchange"],
    }
    at = timedelta(minutes=2, seconds=11)
    return entra(
        recorder,
        at,
        "AuditLogs",
        "Update application",
        {
            "id": f"Directory_{recorder.uid()}_EXAMP_1",
            "category": "ApplicationManagement",
            "result": "success",
            "resultReason": "",
            "activityDisplayName": "Update application",
            "activityDateTime": time_of(recorder, at),
            "loggedByService": "Core Directory",
            "operationType": "Update",
            "initiatedBy": {
                "user": {
                    "id": "dddddddd-3333-4444-5555-eeeeeeeeeeee",
                    "displayName": None,
                    "userPrincipalName": "admin@example.com",
                    "ipAddress": "198.51.100.23",
                    "roles": [],
                }
            },
            "targetResources": [
                {
                    "id": "00001111-aaaa-2222-bbbb-3333cccc4444",
                    "displayName": _NAME,
                    "type": "Application",
                    "modifiedProperties": [
                        {
                            "displayName": "FederatedIdentityCredentials",
                            "oldValue": "[]",
                            "newValue": json.dumps([credential], separators=(",", ":")),
                        }
                    ],
                }
            ],
            "additionalDetails": [{"key": "AppId", "value": APP}],
        },
        ip="198.51.100.23",
        result="",
    )


def attack(recorder: Recorder) -> list[dict[str, Any]]:
    """Return the records of the crossing, one per step, in the order of `STEPS`."""
    return [
        _SHAPES[position](recorder, timedelta(minutes=step.minute, seconds=position * 5), step)
        for position, step in enumerate(STEPS)
    ]


def _sign_in(r: Recorder, at: timedelta, step: Step) -> dict[str, Any]:
    properties = {
        "id": r.uid(),
        "createdDateTime": time_of(r, at),
        "appId": APP,
        "servicePrincipalId": SERVICE_PRINCIPAL,
        "servicePrincipalName": _NAME,
        "clientCredentialType": "federatedIdentityCredential",
        "federatedCredentialId": FEDERATED_CREDENTIAL,
        "servicePrincipalCredentialKeyId": None,
        "servicePrincipalCredentialThumbprint": "",
        "resourceDisplayName": "Windows Azure Service Management API",
        "resourceId": "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        "ipAddress": FOREIGN,
        "userAgent": AGENT,
        "isInteractive": False,
        "incomingTokenType": "none",
        "uniqueTokenIdentifier": _SESSION,
        "correlationId": r.uid(),
        "status": {"errorCode": 0},
        "location": {"city": "Amsterdam", "countryOrRegion": "NL"},
    }
    category = "ServicePrincipalSignInLogs"
    return entra(r, at, category, step.operation, properties, ip=FOREIGN)


def _graph(r: Recorder, at: timedelta, _: Step) -> dict[str, Any]:
    properties = {
        "timeGenerated": time_of(r, at),
        "requestId": r.uid(),
        "operationId": r.uid(),
        "clientRequestId": r.uid(),
        "apiVersion": "v1.0",
        "requestMethod": "GET",
        "requestUri": "https://graph.microsoft.com/v1.0/servicePrincipals?$top=999",
        "responseStatusCode": 200,
        "responseSizeBytes": 48211,
        "durationMs": 412811,
        "tenantId": TENANT,
        "appId": APP,
        "servicePrincipalId": SERVICE_PRINCIPAL,
        "userId": None,
        "clientAuthMethod": "2",
        "signInActivityId": _SESSION,
        "roles": "Application.Read.All",
        "ipAddress": FOREIGN,
        "userAgent": AGENT,
        "identityProvider": f"https://sts.windows.net/{TENANT}/",
        "C_Idtyp": "app",
    }
    record = entra(
        r,
        at,
        "MicrosoftGraphActivityLogs",
        "Microsoft Graph Activity",
        properties,
        ip=FOREIGN,
        version="v1.0",
    )
    del record["resultType"]
    return record | {"resultSignature": "200", "resourceId": record["resourceId"].upper()}


def _manage(resource: str) -> Callable[[Recorder, timedelta, Step], dict[str, Any]]:
    def shape(r: Recorder, at: timedelta, step: Step) -> dict[str, Any]:
        denied = step.outcome == "denied"
        return activity(r, at, _JOB, step.operation, resource, ip=FOREIGN, denied=denied)

    return shape


def _vault(r: Recorder, at: timedelta, step: Step) -> dict[str, Any]:
    where = "https://example-payments.vault.azure.net/secrets/settlement-api/0123456789abcdef"
    return resource_log(
        r,
        at,
        "AuditEvent",
        step.operation,
        _VAULT,
        ip=FOREIGN,
        operationVersion="7.4",
        resultType="Success",
        resultSignature="OK",
        identity={
            "claim": {
                _OBJECT: SERVICE_PRINCIPAL,
                "appid": APP,
                "idtyp": "app",
                "uti": _SESSION,
            }
        },
        properties={
            "id": where,
            "clientInfo": AGENT,
            "requestUri": f"{where}?api-version=7.4",
            "httpStatusCode": 200,
            "isRbacAuthorized": True,
        },
    )


_SHAPES = (
    _sign_in,
    _graph,
    _manage(_STORAGE),
    _vault,
    _manage(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/x"),
    _manage(_SETTING),
)
