"""The Azure stacks: which logs arrive, who reads them, and that nothing has a key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.azure import regions
from infra.azure.names import storage_id
from infra.teardown import Teardown
from tests.infra.terrain.synthesis import (
    ROOT,
    Stack,
    Stacks,
    at,
    never_destroyed,
    only,
    synthesize,
    values,
)

SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"


OTHER = "00000000-3333-4444-5555-666666666666"


HOST_STORAGE = storage_id(SUBSCRIPTION)


AZURE_SPELLING = {
    *("Microsoft.Authorization", "Microsoft.EventHub", "Microsoft.ManagedIdentity"),
    *("Microsoft.Management", "Microsoft.OperationalInsights", "Microsoft.PolicyInsights"),
    *("Microsoft.Resources", "Microsoft.Storage", "Microsoft.Web", "microsoft.insights"),
}
"""https://learn.microsoft.com/azure/azure-resource-manager/management/azure-services-resource-providers"""


TENANT = "11111111-2222-3333-4444-555555555555"


AUDIENCE = f"api://{TENANT}/nhi-evidence"


EXPORTER = "${data.azurerm_user_assigned_identity.exporter.principal_id}"


@pytest.fixture(scope="session")
def site(azure: Stack) -> dict[str, Any]:
    """The function app in the template."""
    (app,) = [one for one in _template(azure) if one["type"] == "Microsoft.Web/sites"]
    return dict(app["properties"])


def _template(stack: Stack) -> list[dict[str, Any]]:
    _, deployment = at(stack, "export/site")
    return list(json.loads(deployment["template_content"])["resources"])


@pytest.fixture(scope="session")
def settings(site: dict[str, Any]) -> dict[str, str]:
    """Its application settings."""
    return {one["name"]: one["value"] for one in site["siteConfig"]["appSettings"]}


def test_a_region_without_zones_is_noted_and_gets_local_storage(tmp_path: Path) -> None:
    """Storage is local without zones; both shortcomings are noted before an apply."""
    assert () == regions.notes("westeurope")
    less = synthesize(tmp_path, change=('location = "westeurope"', 'location = "canadaeast"'))
    assert (
        "LRS" == only(less["azure-export"], "azurerm_storage_account")["account_replication_type"]
    )
    zones, plan = regions.notes("canadaeast")
    assert "no availability zones" in zones
    assert "list-flexconsumption-locations" in plan


def test_exactly_these_roles_are_assigned(azure: Stack) -> None:
    """Every role in the stack, its principal, and its scope."""
    policy, _ = at(azure, "resources/policy/identity")
    hub, namespace = at(azure, "logs/hub")[0], at(azure, "logs/namespace")[0]
    account, stream = at(azure, "host/account")[0], at(azure, "resources/policy/stream")[0]
    settings, role = at(azure, "resources/policy/settings")
    roles = azure["resource"]["azurerm_role_assignment"].values()
    group = f"/providers/Microsoft.Management/managementGroups/{TENANT}"
    assert {
        (EXPORTER, "Azure Event Hubs Data Receiver", f"${{{hub}.id}}"),
        (EXPORTER, "Storage Blob Data Owner", f"${{{account}.id}}"),
        (
            f"${{{policy}.principal_id}}",
            f"${{{settings}.role_definition_resource_id}}",
            group,
        ),
        (
            f"${{{policy}.principal_id}}",
            f"${{{stream}.role_definition_resource_id}}",
            f"${{{namespace}.id}}",
        ),
    } == {
        (
            one["principal_id"],
            one.get("role_definition_name") or one["role_definition_id"],
            one["scope"],
        )
        for one in roles
    }
    _, definition = at(azure, "resources/policy/stream")
    assert [f"/subscriptions/{SUBSCRIPTION}/resourceGroups/nhi-evidence"] == definition[
        "assignable_scopes"
    ]
    (permissions,) = definition["permissions"]
    assert {"actions"} == set(permissions)
    assert [] == [one for one in permissions["actions"] if "*" in one or "write" in one.lower()]
    assert [group] == role["assignable_scopes"]
    (permissions,) = role["permissions"]
    assert {"actions"} == set(permissions)
    assert [
        "Microsoft.Insights/diagnosticSettings/write",
        "Microsoft.Resources/deployments/write",
    ] == [one for one in permissions["actions"] if not one.endswith(("/read", "/validate/action"))]
    assert [] == [one for one in permissions["actions"] if "*" in one or "delete" in one.lower()]
    for body in azure["resource"]["azurerm_policy_definition"].values():
        (named,) = json.loads(body["policy_rule"])["then"]["details"]["roleDefinitionIds"]
        assert role["role_definition_id"] == named.rpartition("/")[2]


def test_nothing_of_ours_holds_a_key(stacks: Stacks, settings: dict[str, str]) -> None:
    """No stack reads, sets or passes on a key, connection string, password or secret."""
    refused = r"(?i)(access_?key|primary_key|secondary_key|connection_?string|password|secret|sas)"
    allowed = {"shared_access_key_enabled"}
    for name in ("azure-identity", "azure-export"):
        stack = stacks[name]
        keys = {path.rpartition(".")[2] for path, _ in values(stack)} - allowed
        assert [] == [one for one in keys if re.search(refused, one)]
        referred = [
            attribute
            for _, value in values(stack)
            for attribute in re.findall(r"[a-z_0-9]+\.[\w-]+\.([a-z_0-9]+)", str(value))
        ]
        assert [] == [one for one in referred if re.search(refused, one)]
    plain = {"EventHubConsumerGroup", "PYTHON_THREADPOOL_THREAD_COUNT"}
    unknown = [one for one in settings if not re.match(r"[A-Za-z]+__|NHI_EVIDENCE_", one)]
    assert plain == set(unknown)
    assert [] == [
        one for one in settings.values() if re.search(r"(?i)accountkey=|sharedaccess", one)
    ]


def test_host_and_trigger_reach_what_they_need_by_identity(settings: dict[str, str]) -> None:
    """Exactly an address and an identity, for the host's storage and for the hub."""
    assert {
        "AzureWebJobsStorage__accountName": "[parameters('storage')]",
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__clientId": "[parameters('clientId')]",
        "EventHubConnection__fullyQualifiedNamespace": "[concat(parameters('namespace'), "
        "'.servicebus.windows.net')]",
        "EventHubConnection__credential": "managedidentity",
        "EventHubConnection__clientId": "[parameters('clientId')]",
    } == {name: value for name, value in settings.items() if "__" in name}


def test_a_recreated_hub_has_another_creation_id(azure: Stack, settings: dict[str, str]) -> None:
    """It is Azure's own creation time, read again whenever the hub is replaced."""
    created = "[reference(parameters('hub'), '2024-01-01').createdAt]"
    assert created == settings["NHI_EVIDENCE_HUB_CREATION_ID"]
    hub, _ = at(azure, "logs/hub")
    generation, body = at(azure, "logs/generation")
    assert [f"{hub}.id"] == body["lifecycle"]["replace_triggered_by"]
    assert (
        f'"generation" = {{"value" = {generation}.id}}'
        in at(azure, "export/site")[1]["parameters_content"]
    )


def test_a_recreated_hub_is_read_from_its_start(azure: Stack, settings: dict[str, str]) -> None:
    """Its consumer group has another name, so no checkpoint of the previous hub is found."""
    generation, _ = at(azure, "logs/generation")
    group, body = at(azure, "logs/exporter")
    assert f"nhi-evidence-${{substr({generation}.id, 0, 8)}}" == body["name"]
    assert "[parameters('consumerGroup')]" == settings["EventHubConsumerGroup"]
    parameters = at(azure, "export/site")[1]["parameters_content"]
    assert f'"consumerGroup" = {{"value" = {group}.name}}' in parameters
    host = json.loads((ROOT / "functions" / "azure_export" / "host.json").read_text())
    offset = host["extensions"]["eventHubs"]["initialOffsetOptions"]
    assert {"type": "fromStart"} == offset


def test_terraform_refuses_to_destroy_unread_records(azure: Stack, tmp_path: Path) -> None:
    """This covers hub and checkpoints; once drained no source is left; the last step may remove
    everything.
    """
    kept = {at(azure, path)[0] for path in ("logs/namespace", "logs/hub", "host/account")}
    assert kept == never_destroyed(azure)
    drained = synthesize(tmp_path / "drain", teardown=Teardown.DRAIN)["azure-export"]
    assert kept == never_destroyed(drained)
    settings = drained["resource"]["azurerm_monitor_diagnostic_setting"].values()
    assert ["nhi-evidence-main-170b2e-function", "nhi-evidence-main-170b2e-hub"] == sorted(
        one["name"] for one in settings
    )
    assert not {
        *("azurerm_monitor_aad_diagnostic_setting", "azurerm_policy_definition"),
        "azurerm_management_group_template_deployment",
    } & set(drained["resource"])
    assert "azurerm_resource_group_template_deployment" in drained["resource"]
    removed = synthesize(tmp_path / "remove", teardown=Teardown.REMOVE)["azure-export"]
    assert set() == never_destroyed(removed)


def test_the_app_runs_the_declared_python_and_takes_no_password(
    azure: Stack, site: dict[str, Any]
) -> None:
    """Python 3.13 on Flex Consumption, HTTPS and TLS 1.2, no publishing with a password."""
    assert "FC1" == only(azure, "azurerm_service_plan")["sku_name"]
    assert {"name": "python", "version": "3.13"} == site["functionAppConfig"]["runtime"]
    deployed = site["functionAppConfig"]["deployment"]["storage"]["authentication"]
    assert "UserAssignedIdentity" == deployed["type"]
    assert site["httpsOnly"] is True
    config = site["siteConfig"]
    assert ("1.2", "1.2") == (config["minTlsVersion"], config["scmMinTlsVersion"])
    assert "Disabled" == config["ftpsState"]
    assert [False, False] == [
        one["properties"]["allow"]
        for one in _template(azure)
        if one["type"].endswith("/basicPublishingCredentialsPolicies")
    ]


def test_storage_allows_no_keys_and_no_public_access(azure: Stack) -> None:
    """The host's storage is accessed by identity, over TLS 1.2, never anonymously."""
    account = only(azure, "azurerm_storage_account")
    assert account["shared_access_key_enabled"] is False
    assert account["allow_nested_items_to_be_public"] is False
    assert account["cross_tenant_replication_enabled"] is False
    assert account["https_traffic_only_enabled"] is True
    assert "TLS1_2" == account["min_tls_version"]
    assert "private" == only(azure, "azurerm_storage_container")["container_access_type"]
    assert azure["provider"]["azurerm"][0]["storage_use_azuread"] is True


def test_the_hub_keeps_a_week(azure: Stack) -> None:
    """Seven days, deleted rather than compacted, with TLS 1.2."""
    _, hub = at(azure, "logs/hub")
    assert {"cleanup_policy": "Delete", "retention_time_in_hours": 168} == hub[
        "retention_description"
    ]
    assert "1.2" == only(azure, "azurerm_eventhub_namespace")["minimum_tls_version"]


def test_an_apply_leaves_the_hub_as_large_as_it_has_grown(azure: Stack) -> None:
    """Azure raises the throughput units of a namespace that may grow; Terraform would reset them.

    https://github.com/hashicorp/terraform-provider-azurerm/issues/32391
    """
    _, namespace = at(azure, "logs/namespace")
    assert namespace["auto_inflate_enabled"] is True
    assert {"prevent_destroy": True, "ignore_changes": ["capacity"]} == namespace["lifecycle"]


def test_tokens_are_for_aws_and_this_identity_only(stacks: Stacks) -> None:
    """Audience and issuer match AWS's configuration, the subject is the identity, and assignment is
    required.
    """
    identity = stacks["azure-identity"]
    exporter, _ = at(identity, "exporter/identity")
    application, body = at(identity, "aws/application")
    service, principal = at(identity, "aws/service")
    _, assigned = at(identity, "aws/exporter")
    assert [AUDIENCE] == body["identifier_uris"]
    assert 1 == body["api"]["requested_access_token_version"]
    assert "AzureADMyOrg" == body["sign_in_audience"]
    assert principal["app_role_assignment_required"] is True
    assert f"${{{application}.client_id}}" == principal["client_id"]
    assert f"${{{exporter}.principal_id}}" == assigned["principal_object_id"]
    assert f"${{{service}.object_id}}" == assigned["resource_object_id"]
    assert body["app_role"][0]["id"] == assigned["app_role_id"]
    assert {
        "exporter_subject": f"${{{exporter}.principal_id}}",
        "exporter_issuer": f"https://sts.windows.net/{TENANT}/",
        "exporter_audience": AUDIENCE,
    } == {name: one["value"] for name, one in identity["output"].items()}


def test_the_identity_comes_before_what_uses_it(stacks: Stacks, azure: Stack) -> None:
    """The first stack has only identity and audience; the second finds the identity by name."""
    assert {
        "azurerm_resource_group",
        "azurerm_user_assigned_identity",
        "azuread_application",
        "azuread_service_principal",
        "azuread_app_role_assignment",
    } == set(stacks["azure-identity"]["resource"])
    looked_up = azure["data"]["azurerm_user_assigned_identity"]["exporter"]
    _, identity = at(stacks["azure-identity"], "exporter/identity")
    assert identity["name"] == looked_up["name"]
