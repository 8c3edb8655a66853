"""Checks of the policies that enable resource logs: their assignment, and what they miss.

https://learn.microsoft.com/rest/api/policyinsights/policy-states/summarize-for-management-group
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from nhi_evidence.adapters.azure import resource_ids
from nhi_evidence.adapters.cloud_checks import CloudChecks, same
from nhi_evidence.checks import Check, State, differing
from nhi_evidence.config import azure_names
from nhi_evidence.config.azure_policy import rule
from nhi_evidence.config.azure_resource_kinds import Logged, kinds_of
from nhi_evidence.config.tables import Azure

MANAGEMENT = "management.azure.com"
_POLICY = "api-version=2023-04-01"
_INSIGHTS = "api-version=2019-10-01"
_AUTHORIZATION = "providers/Microsoft.Authorization"


def policies(checks_of: CloudChecks, azure: Azure, deployment: str) -> Iterator[Check]:
    """Yield, for each kind of resource, the checks of definition, assignment and compliance."""
    group = resource_ids.management_group(azure.management_group or azure.tenant)
    for kind in kinds_of(azure.resource_types):
        yield from _definition(checks_of, azure, group, kind, deployment)
        yield from _assignment(checks_of, azure, group, kind, deployment)
        yield from _compliance(checks_of, group, kind, deployment)


def _definition(
    checks_of: CloudChecks, azure: Azure, group: str, kind: Logged, deployment: str
) -> Iterator[Check]:
    name = azure_names.shared(deployment, kind.slug)
    wanted = rule(
        kind,
        setting=azure_names.shared(deployment),
        role=resource_ids.role("settings", azure.home),
        excluded=resource_ids.storage(azure.home),
    )

    def judge(answer: dict[str, Any]) -> tuple[State, str]:
        is_same = answer.get("properties", {}).get("policyRule") == wanted
        return (State.OK, "as deployed") if is_same else (State.CHANGED, "a different rule")

    yield from checks_of.look(
        f"policy {name}",
        f"https://{MANAGEMENT}{group}/{_AUTHORIZATION}/policyDefinitions/{name}?{_POLICY}",
        judge,
    )


def _assignment(
    checks_of: CloudChecks, azure: Azure, group: str, kind: Logged, deployment: str
) -> Iterator[Check]:
    name = kind.assignment(deployment)
    sending = resource_ids.sending_rule(azure.home)
    policy = azure_names.shared(deployment, kind.slug)
    definition = f"{group}/{_AUTHORIZATION}/policyDefinitions/{policy}"
    # Azure compares ids without regard to case, and returns them in any case.
    wanted = {
        "policy": definition.lower(),
        "enforced": "Default",
        "left out": "none",
        "sends by": sending.lower(),
        "sends to": azure_names.HUB,
    }

    def judge(answer: dict[str, Any]) -> tuple[State, str]:
        properties = answer.get("properties", {})
        parameters = properties.get("parameters") or {}
        actual = {
            "policy": str(properties.get("policyDefinitionId")).lower(),
            "enforced": str(properties.get("enforcementMode", "Default")),
            "left out": ", ".join(properties.get("notScopes") or ()) or "none",
            "sends by": str(parameters.get("rule", {}).get("value")).lower(),
            "sends to": str(parameters.get("hub", {}).get("value")),
        }
        return same(differing(wanted, actual))

    yield from checks_of.look(
        f"policy assignment {name}",
        f"https://{MANAGEMENT}{group}/{_AUTHORIZATION}/policyAssignments/{name}?{_POLICY}",
        judge,
    )


def _compliance(
    checks_of: CloudChecks, group: str, kind: Logged, deployment: str
) -> Iterator[Check]:
    name = kind.assignment(deployment)
    chosen = quote(f"policyAssignmentName eq '{name}'")
    yield from checks_of.look(
        f"{kind.type} without the setting",
        f"https://{MANAGEMENT}{group}/providers/Microsoft.PolicyInsights/policyStates/latest"
        f"/summarize?{_INSIGHTS}&%24filter={chosen}",
        _complies,
        f"their logs are not exported; which: terraform output -raw compliance. In the hub's own "
        f"region: az policy remediation create --name {name} --policy-assignment {name} "
        "--management-group ... (terraform output -raw remediate); elsewhere by hand",
        body={},
    )


def _complies(answer: dict[str, Any]) -> tuple[State, str]:
    """Judge the summary of one assignment; if nothing was evaluated, nothing is known."""
    summaries = list(answer.get("value") or ())
    if len(summaries) != 1:
        return State.UNKNOWN, f"{len(summaries)} summaries, not 1"
    results = summaries[0].get("results") or {}
    lacking = results.get("nonCompliantResources")
    counts = {
        str(one.get("complianceState")).lower(): int(one.get("count") or 0)
        for one in results.get("resourceDetails") or ()
    }
    if not isinstance(lacking, int):
        return State.UNKNOWN, "no number is given"
    if lacking:
        return State.FAILED, f"{lacking} of {max(lacking, sum(counts.values()))} evaluated"
    if not sum(counts.values()):
        return State.UNKNOWN, "none was evaluated in the last day: there are none, or not yet"
    exempt = counts.get("exempt", 0)
    return State.OK, f"0 of {sum(counts.values())} evaluated" + (
        f", {exempt} exempt" * bool(exempt)
    )
