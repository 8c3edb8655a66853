"""Build records in the shapes that Azure Monitor streams to an event hub."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from nhi_evidence.demo.story.records import START, Recorder

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
SUBSCRIPTION = "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/payments"
DIRECTORY = f"/tenants/{TENANT}/providers/Microsoft.aadiam"

_CLAIM = "http://schemas.microsoft.com/identity/claims/"


class Principal(NamedTuple):
    """A caller of Azure Resource Manager, as the claims of its token state it."""

    object_id: str
    app_id: str | None = None
    user: str | None = None
    managed: str | None = None
    """Resource id of the resource whose managed identity it is."""
    session: str | None = None
    """The token's unique id (`uti`)."""

    def claims(self) -> dict[str, str]:
        """Return the claims as the Activity Log writes them, short and long names mixed."""
        claims = {
            "aud": "https://management.azure.com/",
            "iss": f"https://sts.windows.net/{TENANT}/",
            "idtyp": "user" if self.user else "app",
            f"{_CLAIM}objectidentifier": self.object_id,
            f"{_CLAIM}tenantid": TENANT,
            "ver": "1.0",
        }
        if self.app_id:
            claims |= {"appid": self.app_id, "appidacr": "0" if self.user else "2"}
        if self.user:
            claims |= {
                "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": self.user,
                "name": self.user.partition("@")[0],
                f"{_CLAIM}scope": "user_impersonation",
            }
        if self.managed:
            claims["xms_mirid"] = self.managed
        if self.session:
            claims["uti"] = self.session
        return claims


def time_of(recorder: Recorder, at: timedelta) -> str:
    """Return an instant as most categories write it, with seven fractional digits."""
    return f"{START + at:%Y-%m-%dT%H:%M:%S}.{recorder.random.randrange(10**7):07d}Z"


def activity(
    recorder: Recorder,
    at: timedelta,
    who: Principal,
    operation: str,
    resource: str,
    *,
    ip: str,
    denied: bool = False,
    correlation: str | None = None,
    started: bool = False,
) -> dict[str, Any]:
    """Return a record of the Activity Log's Administrative category.

    https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
    """
    kind = "User" if who.user else "ServicePrincipal"
    outcome = ("Start", "Started.") if started else ("Success", "Succeeded.")
    if denied:
        outcome = ("Failure", "Forbidden.")
    return {
        "RoleLocation": "West Europe",
        "time": time_of(recorder, at),
        "resourceId": resource.upper(),
        "operationName": operation.upper(),
        "category": "Administrative",
        "resultType": outcome[0],
        "resultSignature": outcome[1],
        "durationMs": "0" if started else str(recorder.random.randrange(20, 900)),
        "callerIpAddress": ip,
        "correlationId": correlation or recorder.uid(),
        "identity": {
            "authorization": {
                "scope": resource,
                "action": operation,
                "evidence": {
                    "role": "Contributor",
                    "roleAssignmentScope": f"/subscriptions/{SUBSCRIPTION}",
                    "principalId": who.object_id.replace("-", ""),
                    "principalType": kind,
                },
            },
            "claims": who.claims(),
        },
        "level": "Error" if denied else "Information",
        "properties": {
            "statusCode": "Forbidden" if denied else "OK",
            "serviceRequestId": recorder.uid(),
            "eventCategory": "Administrative",
            "entity": resource,
            "message": operation,
            "hierarchy": f"{TENANT}/{SUBSCRIPTION}",
        },
        "tenantId": TENANT,
    }


def entra(
    recorder: Recorder,
    at: timedelta,
    category: str,
    operation: str,
    properties: dict[str, Any],
    *,
    ip: str,
    result: str = "0",
    version: str = "1.0",
) -> dict[str, Any]:
    """Return a record of a category of Microsoft Entra's diagnostic settings.

    https://learn.microsoft.com/entra/identity/monitoring-health/concept-diagnostic-settings-logs-options
    """
    return {
        "time": time_of(recorder, at),
        "resourceId": DIRECTORY,
        "operationName": operation,
        "operationVersion": version,
        "category": category,
        "tenantId": TENANT,
        "resultType": result,
        "resultSignature": "None",
        "durationMs": 0,
        "callerIpAddress": ip,
        "correlationId": recorder.uid(),
        "Level": 4,
        "location": "NL",
        "properties": properties,
    }


def resource_log(
    recorder: Recorder,
    at: timedelta,
    category: str,
    operation: str,
    resource: str,
    *,
    ip: str,
    **extra: Any,
) -> dict[str, Any]:
    """Return a record of a resource's own log; `extra` are its service's own attributes.

    https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs-schema
    """
    return {
        "time": time_of(recorder, at),
        "resourceId": resource.upper(),
        "operationName": operation,
        "category": category,
        "durationMs": recorder.random.randrange(3, 60),
        "callerIpAddress": ip,
        "correlationId": recorder.uid(),
        **extra,
    }
