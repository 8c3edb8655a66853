"""The Azure stacks: which logs come, who reads them, and that nothing holds a key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.terrain.synthesis import Stack, Stacks, at, only, synthesize, values

SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
TENANT = "11111111-2222-3333-4444-555555555555"
AUDIENCE = f"api://{TENANT}/nhi-evidence"
EXPORTER = "${data.azurerm_user_assigned_identity.exporter.principal_id}"


@pytest.fixture(scope="session")
def site(azure: Stack) -> dict[str, Any]:
    """The function app the template makes."""
    (app,) = [one for one in _template(azure) if one["type"] == "Microsoft.Web/sites"]
    return dict(app["properties"])


def _template(stack: Stack) -> list[dict[str, Any]]:
    _, deployment = at(stack, "export/site")
    return list(json.loads(deployment["template_content"])["resources"])


@pytest.fixture(scope="session")
def settings(site: dict[str, Any]) -> dict[str, str]:
    """Its application settings."""
    return {one["name"]: one["value"] for one in site["siteConfig"]["appSettings"]}


def test_every_subscription_exports_what_was_done(azure: Stack) -> None:
    """Each configured subscription sends these categories of its Activity Log to the hub."""
    hub, rule = at(azure, "logs/hub")[0], at(azure, "logs/azure-monitor")[0]
    _, setting = at(azure, f"subscriptions/{SUBSCRIPTION}")
    assert f"/subscriptions/{SUBSCRIPTION}" == setting["target_resource_id"]
    assert [{"category": one} for one in ("Administrative", "Security", "Policy")] == setting[
        "enabled_log"
    ]
    assert f"${{{hub}.name}}" == setting["eventhub_name"]
    assert f"${{{rule}.id}}" == setting["eventhub_authorization_rule_id"]


def test_so_does_the_management_group(azure: Stack) -> None:
    """The tenant's root group, unless another is named, by a template with the same destination."""
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
    """One policy a kind: it makes the setting, and counts one that is off in part as missing."""
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
        logs_by_type[rule["if"]["equals"]] = kept
        conditions = details["existenceCondition"]["allOf"]
        assert [
            one["count"]["where"]["allOf"][1]["equals"] for one in conditions if "count" in one
        ] == [name for names in kept.values() for name in names]
        assert {"[parameters('rule')]", "[parameters('hub')]"} == {
            one["equals"] for one in conditions if "field" in one
        }
    assert WANTED == logs_by_type


def test_policies_reach_what_exists_already(azure: Stack) -> None:
    """Each is assigned to the group, acts as one identity, and has a remediation task."""
    assigned = azure["resource"]["azurerm_management_group_policy_assignment"]
    remediated = azure["resource"]["azurerm_management_group_policy_remediation"].values()
    policy, _ = at(azure, "resources/policy/identity")
    assert len(WANTED) == len(assigned)
    assert {f"${{azurerm_management_group_policy_assignment.{name}.id}}" for name in assigned} == {
        one["policy_assignment_id"] for one in remediated
    }
    for assignment in assigned.values():
        assert {"type": "UserAssigned", "identity_ids": [f"${{{policy}.id}}"]} == assignment[
            "identity"
        ]
        assert len(assignment["name"]) <= 24
        assert 2 == len(assignment["depends_on"])


def test_roles_are_these(azure: Stack) -> None:
    """Every role in the stack, whom it is given to, and on what."""
    policy, _ = at(azure, "resources/policy/identity")
    hub, namespace = at(azure, "logs/hub")[0], at(azure, "logs/namespace")[0]
    account, stream = at(azure, "host/account")[0], at(azure, "resources/policy/stream")[0]
    roles = azure["resource"]["azurerm_role_assignment"].values()
    monitoring = "749f88d5-cbae-40b8-bcfc-e573ddc772fa"
    assert {
        (EXPORTER, "Azure Event Hubs Data Receiver", f"${{{hub}.id}}"),
        (EXPORTER, "Storage Blob Data Owner", f"${{{account}.id}}"),
        (
            f"${{{policy}.principal_id}}",
            f"/providers/Microsoft.Authorization/roleDefinitions/{monitoring}",
            f"/providers/Microsoft.Management/managementGroups/{TENANT}",
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
    _, made = at(azure, "resources/policy/stream")
    assert [f"/subscriptions/{SUBSCRIPTION}/resourceGroups/nhi-evidence"] == made[
        "assignable_scopes"
    ]
    (permissions,) = made["permissions"]
    assert {"actions"} == set(permissions)
    assert [] == [one for one in permissions["actions"] if "*" in one or "write" in one.lower()]


def test_nothing_of_ours_holds_a_key(stacks: Stacks, settings: dict[str, str]) -> None:
    """No key, connection string, password or secret is read, set or handed on in any stack."""
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
    assert [] == [one for one in settings if not re.match(r"[A-Za-z]+__|NHI_EVIDENCE_", one)]
    assert [] == [
        one for one in settings.values() if re.search(r"(?i)accountkey=|sharedaccess", one)
    ]


def test_host_and_trigger_reach_what_they_need_by_identity(settings: dict[str, str]) -> None:
    """An address and who to be, for the host's storage and for the hub: exactly that."""
    assert {
        "AzureWebJobsStorage__accountName": "[parameters('storage')]",
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__clientId": "[parameters('clientId')]",
        "EventHubConnection__fullyQualifiedNamespace": "[concat(parameters('namespace'), "
        "'.servicebus.windows.net')]",
        "EventHubConnection__credential": "managedidentity",
        "EventHubConnection__clientId": "[parameters('clientId')]",
    } == {name: value for name, value in settings.items() if "__" in name}


def test_a_hub_made_anew_has_another_creation_id(azure: Stack, settings: dict[str, str]) -> None:
    """Azure's own creation time, asked for again whenever the hub is replaced."""
    created = "[reference(parameters('hub'), '2024-01-01').createdAt]"
    assert created == settings["NHI_EVIDENCE_HUB_CREATION_ID"]
    hub, _ = at(azure, "logs/hub")
    generation, body = at(azure, "logs/generation")
    assert [f"{hub}.id"] == body["lifecycle"]["replace_triggered_by"]
    assert (
        f'"generation" = {{"value" = {generation}.id}}'
        in at(azure, "export/site")[1]["parameters_content"]
    )


def test_the_app_runs_the_declared_python_and_takes_no_password(
    azure: Stack, site: dict[str, Any]
) -> None:
    """Python 3.13 on the sleeping plan; HTTPS and TLS 1.2; nobody publishes by password."""
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


def test_storage_knows_no_keys_and_no_public(azure: Stack) -> None:
    """The host's storage is reached by identity, over TLS 1.2, and by nobody unnamed."""
    account = only(azure, "azurerm_storage_account")
    assert account["shared_access_key_enabled"] is False
    assert account["allow_nested_items_to_be_public"] is False
    assert account["cross_tenant_replication_enabled"] is False
    assert account["https_traffic_only_enabled"] is True
    assert "TLS1_2" == account["min_tls_version"]
    assert "private" == only(azure, "azurerm_storage_container")["container_access_type"]
    assert azure["provider"]["azurerm"][0]["storage_use_azuread"] is True


def test_the_hub_keeps_a_week_and_has_a_reader_of_its_own(azure: Stack) -> None:
    """Seven days, deleted rather than compacted; the group the function declares; TLS 1.2."""
    _, hub = at(azure, "logs/hub")
    assert {"cleanup_policy": "Delete", "retention_time_in_hours": 168} == hub[
        "retention_description"
    ]
    assert "nhi-evidence" == only(azure, "azurerm_eventhub_consumer_group")["name"]
    assert "1.2" == only(azure, "azurerm_eventhub_namespace")["minimum_tls_version"]


def test_the_tokens_are_for_aws_and_for_this_identity_alone(stacks: Stacks) -> None:
    """Audience and issuer are what AWS is told, the subject the identity; assignment required."""
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
    """The first stack has identity and audience alone; the second finds the identity by name."""
    assert {
        "azurerm_resource_group",
        "azurerm_user_assigned_identity",
        "azuread_application",
        "azuread_service_principal",
        "azuread_app_role_assignment",
    } == set(stacks["azure-identity"]["resource"])
    looked_up = azure["data"]["azurerm_user_assigned_identity"]["exporter"]
    _, made = at(stacks["azure-identity"], "exporter/identity")
    assert made["name"] == looked_up["name"]


def test_someone_is_told_when_logs_stop_wait_or_fail(azure: Stack) -> None:
    """Three alerts to the configured address."""
    group = only(azure, "azurerm_monitor_action_group")
    assert "security@example.org" == group["email_receiver"][0]["email_address"]
    assert {
        "nhi-evidence-silent": [("IncomingMessages", "LessThan", 1)],
        "nhi-evidence-unread": [
            ("IncomingMessages", "GreaterThan", 0),
            ("OutgoingMessages", "LessThan", 1),
        ],
    } == {
        one["name"]: [
            (part["metric_name"], part["operator"], part["threshold"]) for part in one["criteria"]
        ]
        for one in azure["resource"]["azurerm_monitor_metric_alert"].values()
    }
    failing = only(azure, "azurerm_monitor_scheduled_query_rules_alert_v2")
    assert ("GreaterThan", 0) == (
        failing["criteria"][0]["operator"],
        failing["criteria"][0]["threshold"],
    )


def test_a_tenant_may_leave_out_its_directory_and_its_resources(tmp_path: Path) -> None:
    """Without Entra and resource types there is no tenant setting, policy or policy identity."""
    less = synthesize(
        tmp_path,
        change=(
            (
                'resource_types = [\n    "Microsoft.KeyVault/vaults",\n'
                '    "Microsoft.Storage/storageAccounts",  # blobs, files, queues and tables; '
                "by far the largest\n]"
            ),
            "entra = false",
        ),
    )["azure-export"]
    assert [] == [one for one in less["resource"] if "policy" in one or "aad" in one]
    assert 2 == len(less["resource"]["azurerm_role_assignment"])
