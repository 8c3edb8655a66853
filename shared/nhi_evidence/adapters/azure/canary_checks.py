"""Checks of a tenant's canary: an application without secrets or rights, used by one function.

https://learn.microsoft.com/graph/api/resources/serviceprincipal
https://learn.microsoft.com/graph/api/application-list-federatedidentitycredentials
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nhi_evidence.adapters.azure.policy_checks import MANAGEMENT
from nhi_evidence.adapters.cloud_checks import CloudChecks, Judged, same
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.checks import Check, State, differing
from nhi_evidence.config import Config, federated
from nhi_evidence.config.tables import Azure, EntraCanary

GRAPH = "graph.microsoft.com"
_ROLES = "api-version=2022-04-01"
_DEPLOY = "deploy again: make deploy-azure"


def checks(
    config: Config, azure: Azure, *, graph: RestReader | None, management: RestReader | None
) -> Iterator[Check]:
    """Yield every check of the tenant's canary; what no token reaches is reported as unknown."""
    entry = next((each.entra for each in config.canaries if each.entra is not None), None)
    if entry is None:
        return
    scope = f"Entra, canary of {azure.tenant}"
    if entry.client_id is None or entry.object_id is None:
        yield Check(scope, "everything", State.UNKNOWN, "ids of canaries.entra are not known")
        return
    if graph is None:
        yield Check(scope, "in the directory", State.UNKNOWN, "not checked: no --graph-token")
    else:
        yield from _directory(config, entry, CloudChecks(scope, graph, _DEPLOY))
    if management is None:
        yield Check(scope, "rights in Azure", State.UNKNOWN, "not checked: no --azure-token")
    else:
        yield from _azure(azure, entry, CloudChecks(scope, management, _DEPLOY))


def _directory(config: Config, entry: EntraCanary, checks_of: CloudChecks) -> Iterator[Check]:
    service = f"https://{GRAPH}/v1.0/servicePrincipals/{entry.object_id}"
    application = f"https://{GRAPH}/v1.0/applications(appId='{entry.client_id}')"
    yield from checks_of.look("service principal", service, lambda answer: _service(answer, entry))
    yield from checks_of.look("application", application, _application)
    yield from checks_of.look(
        "who acts as it",
        f"{application}/federatedIdentityCredentials",
        lambda answer: _trusts(config, answer),
    )
    for what, path in (
        ("permissions", "appRoleAssignments"),
        ("delegated permissions", "oauth2PermissionGrants"),
        ("groups and directory roles", "transitiveMemberOf"),
    ):
        yield from checks_of.look(
            what, f"{service}/{path}", _none("value", _named), f"remove it, then {_DEPLOY}"
        )


def _azure(azure: Azure, entry: EntraCanary, checks_of: CloudChecks) -> Iterator[Check]:
    for subscription in azure.subscriptions:
        url = (
            f"https://{MANAGEMENT}/subscriptions/{subscription}/providers/"
            f"Microsoft.Authorization/roleAssignments?{_ROLES}"
            f"&$filter=principalId%20eq%20'{entry.object_id}'"
        )
        yield from checks_of.look(
            f"roles in subscription {subscription}",
            url,
            _none("value", lambda each: str((each.get("properties") or {}).get("scope"))),
            f"remove the assignment, then {_DEPLOY}",
        )


def _service(answer: dict[str, Any], entry: EntraCanary) -> Judged:
    wanted = {"application": str(entry.client_id), "enabled": "yes", "secrets": "none"}
    actual = {
        "application": str(answer.get("appId")),
        "enabled": "yes" if answer.get("accountEnabled") is True else "no",
        "secrets": _secrets(answer),
    }
    return same(differing(wanted, actual))


def _application(answer: dict[str, Any]) -> Judged:
    apis = [str(each.get("resourceAppId")) for each in answer.get("requiredResourceAccess") or ()]
    wanted = {"of": "AzureADMyOrg", "asks for": "nothing", "secrets": "none"}
    actual = {
        "of": str(answer.get("signInAudience")),
        "asks for": ", ".join(apis) or "nothing",
        "secrets": _secrets(answer),
    }
    return same(differing(wanted, actual))


def _secrets(answer: dict[str, Any]) -> str:
    kinds = ("passwordCredentials", "keyCredentials")
    names = [str(each.get("keyId")) for kind in kinds for each in answer.get(kind) or ()]
    return ", ".join(names) or "none"


def _trusts(config: Config, answer: dict[str, Any]) -> Judged:
    """Compare subjects, issuers and audiences; issuers only if one is configured."""
    issuer = config.evidence.token_issuer
    actual = {
        (
            str(each.get("subject")),
            str(each.get("issuer")) if issuer is not None else "",
            ", ".join(map(str, each.get("audiences") or ())),
        )
        for each in answer.get("value") or ()
    }
    wanted = {
        (subject, issuer or "", federated.ENTRA_AUDIENCE)
        for subject in federated.entra_canaries(config)
    }
    spelled = [
        "; ".join(sorted(" ".join(filter(None, each)) for each in side)) or "nobody"
        for side in (wanted, actual)
    ]
    return same(differing({"trusts": spelled[0]}, {"trusts": spelled[1]}))


def _none(name: str, named: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], Judged]:
    def judge(answer: dict[str, Any]) -> Judged:
        names = [named(each) for each in answer.get(name) or ()]
        if not names and answer.get("@odata.nextLink"):
            return State.UNKNOWN, "more pages, and none of them was read"
        return (State.CHANGED, ", ".join(names)) if names else (State.OK, "none")

    return judge


def _named(each: dict[str, Any]) -> str:
    for member in ("resourceDisplayName", "displayName", "scope", "id"):
        if each.get(member):
            return str(each[member])
    return "unnamed"
