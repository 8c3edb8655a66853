"""The Azure stacks: which logs arrive, from which subscriptions and resources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nhi_evidence import config
from nhi_evidence.config import ConfigError
from nhi_evidence.config.azure_resource_kinds import kinds_of
from tests.infra.terrain.synthesis import (
    Stack,
    Stacks,
    at,
    example,
    only,
    synthesize,
)
from tests.infra.terrain.test_azure import AZURE_SPELLING, HOST_STORAGE, OTHER, SUBSCRIPTION, TENANT


def test_every_subscription_exports_its_activity_log(azure: Stack) -> None:
    """Each configured subscription sends these categories of its Activity Log to the hub."""
    hub, rule = at(azure, "logs/hub")[0], at(azure, "logs/azure-monitor")[0]
    _, setting = at(azure, f"subscriptions/{SUBSCRIPTION}")
    assert f"/subscriptions/{SUBSCRIPTION}" == setting["target_resource_id"]
    assert [{"category": one} for one in ("Administrative", "Security", "Policy")] == setting[
        "enabled_log"
    ]
    assert f"${{{hub}.name}}" == setting["eventhub_name"]
    assert f"${{{rule}.id}}" == setting["eventhub_authorization_rule_id"]


def test_the_management_group_exports_its_activity_log(azure: Stack) -> None:
    """It is the tenant's root group unless another is named, by a template with the same
    destination.
    """
    _, deployment = at(azure, "group/setting")
    group = f"/providers/Microsoft.Management/managementGroups/{TENANT}"
    assert group == deployment["management_group_id"]
    (setting,) = json.loads(deployment["template_content"])["resources"]
    assert "Microsoft.Insights/diagnosticSettings" == setting["type"]
    assert [
        {"category": "Administrative", "enabled": True},
        {"category": "Policy", "enabled": True},
    ] == setting["properties"]["logs"]


def test_the_directory_exports_every_kind_of_sign_in(azure: Stack) -> None:
    """All categories of the sources' documentation, in one tenant setting."""
    setting = only(azure, "azurerm_monitor_aad_diagnostic_setting")
    assert {
        "AuditLogs",
        "SignInLogs",
        "NonInteractiveUserSignInLogs",
        "ServicePrincipalSignInLogs",
        "ManagedIdentitySignInLogs",
        "MicrosoftServicePrincipalSignInLogs",
        "MicrosoftGraphActivityLogs",
    } == {one["category"] for one in setting["enabled_log"]}


WANTED = {
    "Microsoft.KeyVault/vaults": {"categoryGroup": ["audit"]},
    **{
        f"Microsoft.Storage/storageAccounts/{service}Services": {
            "category": ["StorageRead", "StorageWrite", "StorageDelete"]
        }
        for service in ("blob", "file", "queue", "table")
    },
}


def test_a_policy_gives_every_resource_its_setting(azure: Stack) -> None:
    """One policy per type creates the setting, and treats a partly disabled one as missing."""
    logs_by_type = {}
    for body in azure["resource"]["azurerm_policy_definition"].values():
        rule = json.loads(body["policy_rule"])
        details = rule["then"]["details"]
        assert "DeployIfNotExists" == rule["then"]["effect"]
        (setting,) = details["deployment"]["properties"]["template"]["resources"]
        logs = setting["properties"]["logs"]
        assert all(log["enabled"] is True for log in logs)
        assert "[parameters('rule')]" == setting["properties"]["eventHubAuthorizationRuleId"]
        kept: dict[str, list[str]] = {}
        for log in logs:
            ((field, name),) = [(k, v) for k, v in log.items() if k != "enabled"]
            kept.setdefault(field, []).append(name)
        of_type, not_ours = rule["if"]["allOf"]
        assert {"field": "id", "notLike": f"{HOST_STORAGE}*"} == not_ours
        logs_by_type[of_type["equals"]] = kept
        conditions = details["existenceCondition"]["allOf"]
        assert [
            one["count"]["where"]["allOf"][1]["equals"] for one in conditions if "count" in one
        ] == [name for names in kept.values() for name in names]
        assert {"[parameters('rule')]", "[parameters('hub')]"} == {
            one["equals"] for one in conditions if "field" in one
        }
    assert WANTED == logs_by_type


def test_policies_reach_what_exists_already(azure: Stack) -> None:
    """Each is assigned to the group and acts as one identity; a task per subscription re-evaluates.

    A task handles Azure's maximum, only what can send to this hub, and continues after failures.
    """
    assigned = azure["resource"]["azurerm_management_group_policy_assignment"]
    remediated = azure["resource"]["azurerm_subscription_policy_remediation"].values()
    policy, _ = at(azure, "resources/policy/identity")
    assert len(WANTED) == len(assigned)
    assert {
        (f"${{azurerm_management_group_policy_assignment.{name}.id}}", SUBSCRIPTION)
        for name in assigned
    } == {
        (one["policy_assignment_id"], one["subscription_id"].rpartition("/")[2])
        for one in remediated
    }
    for task in remediated:
        assert {
            "resource_discovery_mode": "ReEvaluateCompliance",
            "resource_count": 50_000,
            "parallel_deployments": 30,
            "failure_percentage": 1,
            "location_filters": ["westeurope"],
        }.items() <= task.items()
    for assignment in assigned.values():
        assert {"type": "UserAssigned", "identity_ids": [f"${{{policy}.id}}"]} == assignment[
            "identity"
        ]
        assert len(assignment["name"]) <= 24
        assert 2 == len(assignment["depends_on"])
    for output in ("remediate", "compliance"):
        text = azure["output"][output]["value"]
        assert all(one["name"] in text for one in assigned.values())


def test_two_types_with_one_last_segment_do_not_collide(tmp_path: Path) -> None:
    """Names have the whole type; one type in two spellings, or under its account, is one policy.

    A configuration with two spellings is refused (tests/unit/test_config_values.py).
    """
    types = (
        *("Microsoft.KeyVault/vaults", "Microsoft.RecoveryServices/vaults"),
        *("Microsoft.CognitiveServices/accounts", "Microsoft.Purview/accounts"),
        *("microsoft.keyvault/vaults", "Microsoft.Storage/storageAccounts"),
        "Microsoft.Storage/storageAccounts/blobServices",
    )
    assert {
        *("Microsoft.KeyVault/vaults", "Microsoft.RecoveryServices/vaults"),
        *("Microsoft.CognitiveServices/accounts", "Microsoft.Purview/accounts"),
        *(
            f"Microsoft.Storage/storageAccounts/{service}Services"
            for service in ("blob", "file", "queue", "table")
        ),
    } == {kind.type for kind in kinds_of(types[:4] + types[5:])}
    assert len(kinds_of(types)) == 8
    listed = ", ".join(f'"{one}"' for one in types[:4] + types[5:])
    text = example()
    start = text.index("resource_types = [")
    end = text.index("]", start)
    several = synthesize(tmp_path, text=f"{text[:start]}resource_types = [{listed}{text[end:]}")[
        "azure-export"
    ]
    for kind in ("azurerm_policy_definition", "azurerm_management_group_policy_assignment"):
        names = [one["name"] for one in several["resource"][kind].values()]
        assert len(names) == len(set(names)) == len({one.lower() for one in names})


def test_every_subscription_registers_what_it_needs(tmp_path: Path) -> None:
    """Spelled as Azure spells them: the exporter's has all, others what logs and policies need."""
    stack = _several(tmp_path, [OTHER, SUBSCRIPTION])["azure-export"]
    providers = {one["subscription_id"]: one for one in stack["provider"]["azurerm"]}
    assert {OTHER, SUBSCRIPTION} == set(providers)
    for provider in providers.values():
        assert "none" == provider["resource_provider_registrations"]
        assert {"microsoft.insights", "Microsoft.PolicyInsights"} <= set(
            provider["resource_providers_to_register"]
        )
        wrong = [
            one for one in provider["resource_providers_to_register"] if one not in AZURE_SPELLING
        ]
        assert [] == wrong
    _, setting = at(stack, f"subscriptions/{OTHER}")
    assert f"azurerm.{providers[OTHER]['alias']}" == setting["provider"]


def test_the_order_of_subscriptions_means_nothing(tmp_path: Path) -> None:
    """In either order every file is the same; the exporter's subscription is named explicitly."""
    one_way = _several(tmp_path / "one", [OTHER, SUBSCRIPTION])
    other_way = _several(tmp_path / "other", [SUBSCRIPTION, OTHER])
    assert one_way == other_way
    named = only(one_way["azure-export"], "azurerm_eventhub_namespace")["name"]
    alone = synthesize(tmp_path / "alone")["azure-export"]
    assert only(alone, "azurerm_eventhub_namespace")["name"] == named


def test_several_subscriptions_need_a_name_for_the_exporter_s(tmp_path: Path) -> None:
    """Neither the first nor the last is assumed; one that is not listed is refused."""
    text = example(
        f'subscriptions = ["{SUBSCRIPTION}"]', f'subscriptions = ["{OTHER}", "{SUBSCRIPTION}"]'
    )
    with pytest.raises(ConfigError, match="say which one holds what is deployed"):
        config.read(text)
    text = example("# subscription = ", "subscription = ").replace(
        f'subscriptions = ["{SUBSCRIPTION}"]', f'subscriptions = ["{OTHER}"]'
    )
    with pytest.raises(ConfigError, match="is not in subscriptions"):
        config.read(text)


def _several(folder: Path, subscriptions: list[str]) -> Stacks:
    listed = ", ".join(f'"{one}"' for one in subscriptions)
    text = example(f'subscriptions = ["{SUBSCRIPTION}"]', f"subscriptions = [{listed}]")
    return synthesize(folder, text=text.replace("# subscription = ", "subscription = "))
