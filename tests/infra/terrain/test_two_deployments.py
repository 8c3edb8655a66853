"""Two configurations for one organization and one tenant: neither replaces what the other made.

Each has its own project and subscription; organization, tenant, management group and the observed
subscriptions are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from nhi_evidence.config import naming, read
from nhi_evidence.config.azure_names import shared
from nhi_evidence.config.azure_resource_kinds import ASSIGNMENT_CHARACTERS, kinds_of
from tests.infra.terrain.synthesis import FEDERATED, Stacks, switched_on, synthesize

HOME = "22222222-3333-4444-5555-666666666666"
OTHER_HOME = "77777777-3333-4444-5555-666666666666"
FIRST = naming.deployment("main", "example.org/evidence")
SECOND = naming.deployment("main", "example.org/second")
LONGEST = 64
PROBED = "example-canary"
CANARY = f'\n[[canaries]]\nevidence = "main"\ngoogle = {{ project = "{PROBED}" }}\nentra = {{}}\n'

SHARED = {
    "azuread_application": "display_name",
    "azurerm_management_group_policy_assignment": "name",
    "azurerm_management_group_template_deployment": "name",
    "azurerm_monitor_aad_diagnostic_setting": "name",
    "azurerm_monitor_diagnostic_setting": "name",
    "azurerm_policy_definition": "name",
    "azurerm_role_definition": "name",
    "azurerm_subscription_policy_remediation": "name",
    "google_logging_organization_sink": "name",
    "google_project_iam_custom_role": "role_id",
}
"""By type, where a resource's name is. All but applications are one of each name, where another
deployment's may be; two applications of one name nobody could tell apart."""


def first() -> str:
    """Return the example for two subscriptions, with functions trusted in other clouds."""
    text = switched_on(*FEDERATED) + CANARY
    return text.replace(
        f'subscriptions = ["{HOME}"]',
        f'subscriptions = ["{HOME}", "{OTHER_HOME}"]\nsubscription = "{HOME}"',
    )


def second() -> str:
    """Return it for a second log, as somebody would copy it: from a home of its own."""
    text = first().replace('log = "example.org/evidence"', 'log = "example.org/second"')
    text = text.replace(f'subscription = "{HOME}"', f'subscription = "{OTHER_HOME}"')
    return text.replace('project = "example-evidence"', 'project = "example-second"')


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stacks, Stacks]:
    """The stacks of the first and of the second configuration."""
    folder = tmp_path_factory.mktemp("two")
    return (
        synthesize(folder / "first", text=first()),
        synthesize(folder / "second", text=second()),
    )


def resources(stacks: Stacks, type_name: str) -> Iterator[dict[str, Any]]:
    """Yield the resources of a type, of all stacks."""
    for stack in stacks.values():
        yield from stack["resource"].get(type_name, {}).values()


def names(stacks: Stacks) -> set[tuple[str, str]]:
    """Return the type and name of every resource that is not in one project or subscription."""
    named = {
        (type_name, str(body[key]).lower())
        for type_name, key in SHARED.items()
        for body in resources(stacks, type_name)
    }
    canaries = {
        ("google_service_account", body["account_id"])
        for body in resources(stacks, "google_service_account")
        if body["project"] == PROBED
    }
    return named | canaries


def test_the_two_are_different_deployments() -> None:
    """They are different in name, and the same in what they observe."""
    left, right = read(first()), read(second())
    assert (FIRST, SECOND) == (left.id, right.id)
    assert left.azure and right.azure and left.gcp and right.gcp
    assert left.azure.home != right.azure.home
    assert set(left.azure.subscriptions) == set(right.azure.subscriptions)
    assert left.gcp.organization == right.gcp.organization


def test_no_shared_name_is_used_twice(both: tuple[Stacks, Stacks]) -> None:
    """The second would be refused, or, where a template makes it, replace the first's."""
    mine, others = (names(stacks) for stacks in both)
    assert {*SHARED, "google_service_account"} == {kind for kind, _ in mine}
    assert len(mine) == len(others)
    assert set() == mine & others


def test_no_setting_that_a_template_makes_is_the_others(both: tuple[Stacks, Stacks]) -> None:
    """Azure Resource Manager updates a setting of the same name, and says nothing."""
    templated = [
        {
            *(
                one["name"]
                for body in resources(stacks, "azurerm_management_group_template_deployment")
                for one in json.loads(body["template_content"])["resources"]
            ),
            *(
                name
                for body in resources(stacks, "azurerm_policy_definition")
                for name in _by(body)
            ),
        }
        for stacks in both
    ]
    assert [{f"nhi-evidence-{FIRST}"}, {f"nhi-evidence-{SECOND}"}] == templated


def _by(policy: dict[str, Any]) -> Iterator[str]:
    """Yield the name of the setting a policy looks for, and of the one it makes."""
    details = json.loads(policy["policy_rule"])["then"]["details"]
    yield details["name"]
    for setting in details["deployment"]["properties"]["template"]["resources"]:
        yield setting["name"]


def test_an_alarm_is_on_settings_of_its_own(both: tuple[Stacks, Stacks]) -> None:
    """Both workspaces receive the Activity Log of both subscriptions."""
    for stacks, own, other in zip(both, (FIRST, SECOND), (SECOND, FIRST), strict=True):
        (query,) = [
            body["criteria"][0]["query"]
            for body in resources(stacks, "azurerm_monitor_scheduled_query_rules_alert_v2")
            if body["name"] == "nhi-evidence-setting-removed"
        ]
        assert f'_ResourceId has "nhi-evidence-{own}"' in query
        assert other not in query


def test_nothing_of_the_other_is_named(both: tuple[Stacks, Stacks]) -> None:
    """A setting, a policy or an output that names the other's would be found here."""
    mine, others = (json.dumps(stacks) for stacks in both)
    assert FIRST in mine
    assert SECOND in others
    assert SECOND not in mine
    assert FIRST not in others


@pytest.mark.parametrize("bucket", ["main", "a" * 20])
def test_names_are_no_longer_than_azure_allows(bucket: str) -> None:
    """Long names are cut, and stay different."""
    ids = [naming.deployment(bucket, log) for log in ("example.org/a", "example.org/b")]
    kinds = kinds_of(["Microsoft.ContainerService/managedClusters", "Microsoft.KeyVault/vaults"])
    policies = [shared(one, kind.slug) for one in ids for kind in kinds]
    assigned = [kind.assignment(one) for one in ids for kind in kinds]
    assert len(set(policies)) == len(policies) == len(set(assigned)) == len(assigned)
    assert max(map(len, policies)) <= LONGEST
    assert max(map(len, assigned)) <= ASSIGNMENT_CHARACTERS
