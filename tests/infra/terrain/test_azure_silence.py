"""Alarms of the Azure stack, and tenants that leave out some logs."""

from __future__ import annotations

from pathlib import Path

from tests.infra.terrain.synthesis import (
    Stack,
    at,
    synthesize,
)


def test_alarms_query_a_workspace_that_has_the_data(azure: Stack) -> None:
    """One workspace has the function's log, the hub's counts and every Activity Log."""
    workspace, _ = at(azure, "workspace/workspace")
    group, body = at(azure, "alarms/group")
    assert "security@example.org" == body["email_receiver"][0]["email_address"]
    alerts = azure["resource"]["azurerm_monitor_scheduled_query_rules_alert_v2"].values()
    for alert in alerts:
        assert [f"${{{workspace}.id}}"] == alert["scopes"]
        assert {"action_groups": [f"${{{group}.id}}"]} == alert["action"]
        assert alert["auto_mitigation_enabled"] is True
    assert {
        "lagging": "Partition",
        "losing": "Partition",
        "partition-unread": "Partition",
        "category-silent": "Category",
        "setting-removed": "Setting",
    } == {
        one["name"].removeprefix("nhi-evidence-"): one["criteria"][0]["dimension"][0]["name"]
        for one in alerts
        if "dimension" in one["criteria"][0]
    }
    assert "azurerm_monitor_metric_alert" not in azure["resource"]
    sent = {
        one["name"]: (one["log_analytics_workspace_id"], *_categories(one))
        for one in azure["resource"]["azurerm_monitor_diagnostic_setting"].values()
    }
    assert {
        "nhi-evidence-main-170b2e-hub": (f"${{{workspace}.id}}", "AllMetrics"),
        "nhi-evidence-main-170b2e-function": (f"${{{workspace}.id}}", "FunctionAppLogs"),
    }.items() <= sent.items()
    assert f"${{{workspace}.id}}" == sent["nhi-evidence-main-170b2e"][0]
    _, hub = at(azure, "logs/hub")
    _, unread = at(azure, "alarms/partition-unread")
    assert f"range Number from 0 to {hub['partition_count'] - 1} " in unread["criteria"][0]["query"]


def _categories(setting: Stack) -> list[str]:
    kinds = ("enabled_log", "enabled_metric")
    return [one["category"] for kind in kinds for one in setting.get(kind, ())]


SILENCES = {"silent", "no-success", "category-silent", "directory-silent"}


def test_silence_is_as_long_as_the_configuration_says(azure: Stack, tmp_path: Path) -> None:
    """Six hours by default, none for 0; the evidence account covers longer silences."""

    def silences(stack: Stack) -> dict[str, str]:
        rules = stack["resource"]["azurerm_monitor_scheduled_query_rules_alert_v2"].values()
        named = {
            one["name"].removeprefix("nhi-evidence-"): one["criteria"][0]["query"] for one in rules
        }
        return {name: query for name, query in named.items() if name in SILENCES}

    assert SILENCES == set(silences(azure))
    assert "ago(6h)" in silences(azure)["silent"]
    entry = 'source = "azure_monitor"\nevidence = "main"\n'
    for hours, expected in ((40, SILENCES), (50, set()), (0, set())):
        stack = synthesize(
            tmp_path / str(hours), change=(entry, f"{entry}silence_hours = {hours}\n")
        )["azure-export"]
        assert expected == set(silences(stack))
        for name in expected & {"silent", "no-success"}:
            assert f"ago({hours}h)" in silences(stack)[name]


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
    rules = less["resource"]["azurerm_monitor_scheduled_query_rules_alert_v2"].values()
    assert "nhi-evidence-directory-silent" not in {one["name"] for one in rules}
