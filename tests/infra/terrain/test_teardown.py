"""What may hold unlocked records is not destroyed until it is declared drained."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

import pytest

from infra.teardown import Teardown
from tests.infra.terrain.synthesis import (
    FEDERATED,
    ROOT,
    Stack,
    Stacks,
    never_destroyed,
    switched_on,
    synthesize,
)
from tests.infra.terrain.terraform import Terraform

EXPORTS = ("gcp-export", "azure-export")

HOLDS = {
    "azurerm_eventhub",
    "azurerm_eventhub_namespace",
    "azurerm_storage_account",
    "google_pubsub_subscription",
    "google_pubsub_topic",
    "google_storage_bucket",
}
"""Resource types that hold waiting records, or how far they were read."""

EMPTY = {"gcp-export/source/bucket": "the function's source; no record comes near it"}
"""Resources of these types that hold neither, by path, with the reason."""

PASSES = {
    "azurerm_eventhub_consumer_group": "without it the hub is read again from its start",
    "azurerm_eventhub_namespace_authorization_rule": "a right",
    "azurerm_log_analytics_workspace": "what the function says of itself",
    "azurerm_management_group_policy_assignment": "a source's switch",
    "azurerm_management_group_template_deployment": "a source's switch",
    "azurerm_monitor_aad_diagnostic_setting": "a source's switch",
    "azurerm_monitor_action_group": "whom alarms tell",
    "azurerm_monitor_diagnostic_setting": "a source's switch",
    "azurerm_monitor_scheduled_query_rules_alert_v2": "an alarm",
    "azurerm_policy_definition": "a source's switch",
    "azurerm_resource_group_template_deployment": "the function; what it has not locked waits",
    "azurerm_role_assignment": "a right",
    "azurerm_role_definition": "a right",
    "azurerm_service_plan": "where the function runs",
    "azurerm_storage_container": "the function's package; the host makes that of its checkpoints",
    "azurerm_subscription_policy_remediation": "a source's switch",
    "azurerm_user_assigned_identity": "an identity",
    "google_artifact_registry_repository": "the function's container",
    "google_artifact_registry_repository_iam_member": "a right",
    "google_cloud_run_v2_service_iam_binding": "a right",
    "google_cloudfunctions2_function": "what it has not locked waits",
    "google_logging_organization_sink": "the source's switch",
    "google_monitoring_alert_policy": "an alarm",
    "google_monitoring_notification_channel": "whom alarms tell",
    "google_organization_iam_audit_config": "a source's switch",
    "google_project_iam_member": "a right",
    "google_pubsub_subscription_iam_binding": "a right",
    "google_pubsub_topic_iam_binding": "a right",
    "google_service_account": "an identity",
    "google_service_account_iam_binding": "a right",
    "google_storage_bucket_iam_policy": "rights",
    "google_storage_bucket_iam_member": "a right",
    "google_storage_bucket_object": "the function's source",
    "google_storage_notification": "a file that was written is announced by `replay gcp`",
    "terraform_data": "a number in the state",
}
"""All other types, and why nothing is lost with them."""

SOURCES = {
    "gcp-export": {"google_logging_organization_sink", "google_pubsub_topic_iam_binding"},
    "azure-export": {
        "azurerm_management_group_policy_assignment",
        "azurerm_management_group_template_deployment",
        "azurerm_monitor_aad_diagnostic_setting",
        "azurerm_monitor_diagnostic_setting",
        "azurerm_policy_definition",
        "azurerm_role_assignment",
        "azurerm_role_definition",
        "azurerm_subscription_policy_remediation",
        "azurerm_user_assigned_identity",
    },
}
"""Types removed in the first step: senders, with their permissions and identity."""


def resources(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Yield type, address and path for each resource."""
    for type_name, bodies in stack["resource"].items():
        for name, body in bodies.items():
            yield type_name, f"{type_name}.{name}", body["//"]["metadata"]["path"]


def holding(stack: Stack) -> set[str]:
    """Return the addresses of what may hold unread records, by type."""
    every = list(resources(stack))
    undecided = {type_name for type_name, _, _ in every} - HOLDS - {*PASSES}
    assert not undecided, "of a new type of resource it is to be said what is lost with it"
    return {
        address for type_name, address, path in every if type_name in HOLDS and path not in EMPTY
    }


@pytest.fixture(scope="module")
def variants(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stacks]:
    """Estates whose exports hold different things."""
    folder = tmp_path_factory.mktemp("variants")
    direct = ('# delivery = "direct"', 'delivery = "direct"')
    return {
        "the example": stacks,
        "direct": synthesize(folder / "direct", change=direct),
        "federated": synthesize(folder / "federated", text=switched_on(*FEDERATED)),
    }


@pytest.fixture(scope="module")
def steps(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stacks]:
    """The example in each step of its teardown."""
    folder = tmp_path_factory.mktemp("steps")
    later = {
        one.value: synthesize(folder / one.value, teardown=one)
        for one in Teardown
        if one is not Teardown.NONE
    }
    return {Teardown.NONE.value: stacks, **later}


def test_whatever_holds_unread_records_is_protected(variants: dict[str, Stacks]) -> None:
    """By resource type, in every estate, and nothing else: new types need a decision."""
    for variant, stacks in variants.items():
        for name in EXPORTS:
            assert holding(stacks[name]) == never_destroyed(stacks[name]), (variant, name)
    used = {
        type_name
        for stacks in variants.values()
        for name in EXPORTS
        for type_name, *_ in resources(stacks[name])
    }
    assert used == HOLDS | {*PASSES}, "what no estate has is not listed"


@pytest.mark.parametrize("name", EXPORTS)
def test_a_resource_without_its_protection_is_noticed(stacks: Stacks, name: str) -> None:
    """For each in turn, the comparison above fails for exactly that one."""
    for address in holding(stacks[name]):
        mutated = copy.deepcopy(stacks[name])
        type_name, _, own = address.partition(".")
        del mutated["resource"][type_name][own]["lifecycle"]["prevent_destroy"]
        assert {address} == holding(mutated) - never_destroyed(mutated)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTS)
def test_terraform_tears_down_in_the_documented_order(
    terraform: Terraform, steps: dict[str, Stacks], name: str
) -> None:
    """Drained, the sources are gone and all else remains; then everything can go."""
    assert ["none", "drain", "remove"] == list(steps)
    page = (ROOT / "docs" / f"deploy-{name.partition('-')[0]}.md").read_text()
    assert ["drain", "remove"] == re.findall(r"make synth TEARDOWN=(\w+)", page)
    became = terraform.steps({step: one[name] for step, one in steps.items()}, f"down-{name}")
    assert set() == became.refused, "after the last step all of it may be destroyed"
    running, drained, removed = (became.resources[one] for one in steps)
    gone = running - drained
    assert gone
    assert SOURCES[name] == {one.partition(".")[0] for one in gone}
    assert not drained - running
    assert drained == removed, "the last step itself destroys nothing"
    kept = holding(steps["none"][name])
    assert kept <= drained
    alarms = {one for one in running if "alert" in one}
    assert alarms
    assert alarms <= drained, "what still waits is watched"


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTS)
def test_terraform_refuses_before_the_last_step(
    terraform: Terraform, steps: dict[str, Stacks], name: str
) -> None:
    """Destroying a stack that is only drained stops at what may hold unread records."""
    done = {one: steps[one][name] for one in ("none", "drain")}
    refused = terraform.steps(done, f"refused-{name}").refused
    assert refused
    assert refused <= holding(done["drain"])


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTS)
def test_terraform_destroys_what_nothing_protects(
    terraform: Terraform, stacks: Stacks, name: str
) -> None:
    """The refusal comes from the protection: without it the same destroy succeeds."""
    bare = copy.deepcopy(stacks[name])
    for bodies in bare["resource"].values():
        for body in bodies.values():
            body.get("lifecycle", {}).pop("prevent_destroy", None)
    assert set() == terraform.steps({"none": bare}, f"bare-{name}").refused
