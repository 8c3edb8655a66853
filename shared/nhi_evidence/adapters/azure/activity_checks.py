"""Checks of the settings that send the Activity Log of subscriptions and management group.

Terraform does not notice that the group's setting is gone: it knows the deployment that made it.
https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/get
https://learn.microsoft.com/rest/api/monitor/management-group-diagnostic-settings/get
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nhi_evidence.adapters.azure import resource_ids
from nhi_evidence.adapters.cloud_checks import CloudChecks, Judged, same
from nhi_evidence.checks import Check, State, differing
from nhi_evidence.config import azure_names
from nhi_evidence.config.tables import Azure

MANAGEMENT = "management.azure.com"
_SETTINGS = "providers/Microsoft.Insights/diagnosticSettings"
_OF_SUBSCRIPTION = "api-version=2021-05-01-preview"
_OF_GROUP = "api-version=2020-01-01-preview"
_GROUP_AGAIN = (
    "terraform apply -replace=ADDRESS in azure-export, with the address of "
    "azurerm_management_group_template_deployment in terraform state list"
)


def settings(checks_of: CloudChecks, azure: Azure, deployment: str) -> Iterator[Check]:
    """Yield the check of each subscription's setting, and of the management group's."""
    own = f"{_SETTINGS}/{azure_names.shared(deployment)}"
    for subscription in sorted(azure.subscriptions):
        yield from checks_of.look(
            f"setting of the Activity Log, subscription {subscription}",
            f"https://{MANAGEMENT}/subscriptions/{subscription}/{own}?{_OF_SUBSCRIPTION}",
            _judging(azure, azure_names.ACTIVITY_CATEGORIES),
        )
    name = azure.management_group or azure.tenant
    what = f"setting of the Activity Log, management group {name}"
    url = f"https://{MANAGEMENT}{resource_ids.management_group(name)}/{own}?{_OF_GROUP}"
    failed, answer = checks_of.ask(what, url)
    if failed is None:
        judged = _judging(azure, azure_names.GROUP_CATEGORIES)(answer)
        yield checks_of.judged(what, judged, _GROUP_AGAIN)
    elif failed.state is State.NOT_DEPLOYED:
        yield checks_of.judged(what, (failed.state, failed.observed), _GROUP_AGAIN)
    else:
        yield failed


def unlisted(checks_of: CloudChecks, azure: Azure) -> Iterator[Check]:
    """Yield the check that every subscription below the management group is listed.

    https://learn.microsoft.com/rest/api/managementgroups/management-groups/get-descendants
    """
    name = azure.management_group or azure.tenant
    what = f"subscriptions below management group {name}"
    group = resource_ids.management_group(name)
    failed, answer = checks_of.ask(
        what,
        f"https://{MANAGEMENT}{group}/descendants?api-version=2020-05-01",
        items="value",
        next_page="nextLink",
    )
    if failed is not None:
        # The group is not ours to deploy: without an answer, nothing is known.
        yield checks_of.unseen(what, failed.observed)
        return
    below = {
        str(entry.get("name")).lower()
        for entry in answer["value"]
        if str(entry.get("type")).lower().endswith("subscriptions")
    }
    missed = sorted(below - {*azure.subscriptions})
    observed = f"of {len(below)}, not listed: {', '.join(missed)}" if missed else f"{len(below)}"
    yield checks_of.judged(
        what,
        (State.FAILED if missed else State.OK, observed),
        "their Activity Log is not exported: add them to azure.subscriptions and deploy again, or "
        "name a group above the listed ones alone in azure.management_group",
    )


def _judging(azure: Azure, categories: Sequence[str]) -> Callable[[dict[str, Any]], Judged]:
    # Azure compares ids without regard to case, and returns them in any case.
    wanted = {
        "sends by": resource_ids.sending_rule(azure.home).lower(),
        "sends to": azure_names.HUB,
        "categories": ", ".join(sorted(categories)),
    }

    def judge(answer: dict[str, Any]) -> Judged:
        properties = answer.get("properties", {})
        on = {str(one.get("category")) for one in properties.get("logs") or () if _is_on(one)}
        actual = {
            "sends by": str(properties.get("eventHubAuthorizationRuleId")).lower(),
            "sends to": str(properties.get("eventHubName")),
            # More than is wanted is no fault.
            "categories": ", ".join(sorted(on & {*categories})) or "none",
        }
        return same(differing(wanted, actual))

    return judge


def _is_on(log: dict[str, Any]) -> bool:
    return log.get("enabled") is True
