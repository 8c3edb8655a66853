"""The real Terraform accepts, plans and applies the stacks, and refuses damaged ones."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.teardown import Teardown
from tests.infra.terrain.synthesis import (
    FEDERATED,
    Stack,
    Stacks,
    at,
    example,
    switched_on,
    synthesize,
)
from tests.infra.terrain.terraform import Terraform, destructible

STACKS = ("gcp-identity", "gcp-export", "azure-identity", "azure-export")


@pytest.mark.parametrize(
    "name", [STACKS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in STACKS[1:])]
)
def test_terraform_validates(name: str, stacks: Stacks, terraform: Terraform) -> None:
    """Every reference resolves, and every argument is known, well-typed and present."""
    assert [] == terraform.errors(stacks[name], name)


SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
VARIANTS: dict[str, Callable[[Path], Stacks]] = {
    "direct": lambda folder: synthesize(
        folder, change=('# delivery = "direct"', 'delivery = "direct"')
    ),
    "several-subscriptions": lambda folder: synthesize(
        folder,
        text=example(
            f'subscriptions = ["{SUBSCRIPTION}"]',
            f'subscriptions = ["00000000-3333-4444-5555-666666666666", "{SUBSCRIPTION}"]',
        ).replace("# subscription = ", "subscription = "),
    ),
    "without-zones": lambda folder: synthesize(
        folder, change=('location = "westeurope"', 'location = "canadaeast"')
    ),
    "federated": lambda folder: synthesize(folder, text=switched_on(*FEDERATED)),
    "drained": lambda folder: synthesize(folder, teardown=Teardown.DRAIN),
    "removed": lambda folder: synthesize(folder, teardown=Teardown.REMOVE),
}


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_terraform_accepts_every_variant(
    variant: str, stacks: Stacks, terraform: Terraform, tmp_path: Path
) -> None:
    """Other possible configurations are valid, and plan and apply."""
    changed = {
        name: stack
        for name, stack in VARIANTS[variant](tmp_path).items()
        if destructible(stack) != destructible(stacks[name])
    }
    for name, stack in changed.items():
        output = terraform.test(stack, f"{variant}-{name}", _asserting())
        assert "Success! 2 passed, 0 failed." in output, output
    assert changed


def _update(path: str, **arguments: object) -> Callable[[Stack], None]:
    return lambda stack: at(stack, path)[1].update(arguments)


def _remove(path: str, argument: str) -> Callable[[Stack], None]:
    return lambda stack: at(stack, path)[1].pop(argument)


def _update_in(path: str, block: str, **arguments: object) -> Callable[[Stack], None]:
    return lambda stack: at(stack, path)[1][block].update(arguments)


DAMAGE: dict[str, tuple[Callable[[Stack], None], str]] = {
    "a resource that is not there": (
        _update("organization/sink", destination="${google_pubsub_topic.nope.id}"),
        "Reference to undeclared resource",
    ),
    "an attribute that is not there": (
        lambda stack: at(stack, "organization/publisher")[1].update(
            members=[f"${{{at(stack, 'audit/topic')[0]}.arn}}"]
        ),
        "Unsupported attribute",
    ),
    "an unknown argument": (
        _update("audit/topic", retention="604800s"),
        "Extraneous JSON object property",
    ),
    "an unknown argument of a block": (
        _update_in("export/function", "service_config", ingress="ALLOW_ALL"),
        "Extraneous JSON object property",
    ),
    "a missing argument": (_remove("staging/bucket", "location"), "Missing required argument"),
    "a missing block": (
        _remove("data-access/allServices", "audit_log_config"),
        "Insufficient audit_log_config blocks",
    ),
    "a value of another type": (
        _update_in("export/function", "service_config", timeout_seconds="soon"),
        "Incorrect attribute value type",
    ),
    "a resource type that is not there": (
        lambda stack: stack["resource"].update(google_pubsub_topik={"x": {"name": "x"}}),
        "Invalid resource type",
    ),
}


IN_EVERY_RUN = ("an attribute that is not there", "an unknown argument")
"""One reference and one form; each damage takes a start of the program."""


@pytest.mark.parametrize(
    "damage",
    [
        *IN_EVERY_RUN,
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in DAMAGE
            if name not in IN_EVERY_RUN
        ),
    ],
)
def test_terraform_refuses_damage(damage: str, stacks: Stacks, terraform: Terraform) -> None:
    """A stack with one thing wrong is refused, for that reason."""
    mutate, reason = DAMAGE[damage]
    stack = copy.deepcopy(stacks["gcp-export"])
    mutate(stack)
    errors = terraform.errors(stack, damage.replace(" ", "-"))
    assert [reason] == [one.partition(":")[0] for one in errors]


def test_terraform_refuses_a_circle(stacks: Stacks, terraform: Terraform) -> None:
    """A cycle of dependencies cannot be created."""
    stack = copy.deepcopy(stacks["gcp-export"])
    sink, _ = at(stack, "organization/sink")
    at(stack, "audit/topic")[1]["labels"] = {"a": f"${{{sink}.id}}"}
    (error,) = terraform.errors(stack, "circle")
    assert error.startswith("Cycle:")


def _asserting(**conditions: str) -> str:
    """Return runs that plan, then apply, and assert the conditions on what was applied."""
    asserted = "\n".join(
        f'  assert {{\n    condition     = {condition}\n    error_message = "{name}"\n  }}'
        for name, condition in conditions.items()
    )
    return (
        f'run "plan" {{\n  command = plan\n}}\nrun "apply" {{\n  command = apply\n{asserted}\n}}\n'
    )


def _gcp_conditions(stack: Stack) -> dict[str, str]:
    address = {
        path: at(stack, path)[0]
        for path in (
            *("organization/sink", "organization/publisher", "audit/topic", "staging/bucket"),
            *("batches/subscription", "export/function", "staging/access", "export/invoker"),
        )
    }
    return {
        "children": f"{address['organization/sink']}.include_children == true",
        "destination": f"{address['organization/sink']}.destination == "
        f'"pubsub.googleapis.com/${{{address["audit/topic"]}.id}}"',
        "publisher": f"one({address['organization/publisher']}.members) == "
        f"{address['organization/sink']}.writer_identity",
        "files": f"{address['batches/subscription']}.cloud_storage_config[0].bucket == "
        f"{address['staging/bucket']}.name",
        "private": f'{address["staging/bucket"]}.public_access_prevention == "enforced"',
        "reader": f"{address['staging/access']}.bucket == {address['staging/bucket']}.name",
        "invoker": f"{address['export/invoker']}.name == {address['export/function']}.name",
    }


@pytest.mark.slow
def test_terraform_plans_and_applies_gcp(stacks: Stacks, terraform: Terraform) -> None:
    """With the cloud mocked, plan and apply succeed, and related values agree."""
    stack = stacks["gcp-export"]
    output = terraform.test(stack, "gcp-applied", _asserting(**_gcp_conditions(stack)))
    assert "Success! 2 passed, 0 failed." in output, output


def _azure_conditions(stack: Stack) -> dict[str, str]:
    address = {
        path: at(stack, path)[0]
        for path in (
            *("logs/hub", "logs/azure-monitor", "logs/generation", "entra/setting"),
            *(
                "export/site",
                "export/receiver",
                "host/account",
                "resources/KeyVault-vaults-assigned",
            ),
        )
    }
    parameters = f"jsondecode({address['export/site']}.parameters_content)"
    return {
        "receiver": f"{address['export/receiver']}.scope == {address['logs/hub']}.id",
        "entra": f"{address['entra/setting']}.eventhub_authorization_rule_id == "
        f"{address['logs/azure-monitor']}.id",
        "keyless": f"{address['host/account']}.shared_access_key_enabled == false",
        "hub": f"{parameters}.hub.value == {address['logs/hub']}.id",
        "generation": f"{parameters}.generation.value == {address['logs/generation']}.id",
        "template": f"jsondecode({address['export/site']}.template_content)"
        '.resources[0].type == "Microsoft.Web/sites"',
        "policy": f"jsondecode({address['resources/KeyVault-vaults-assigned']}.parameters)"
        f".rule.value == {address['logs/azure-monitor']}.id",
    }


@pytest.mark.slow
def test_terraform_plans_and_applies_azure(stacks: Stacks, terraform: Terraform) -> None:
    """With the cloud mocked, both succeed, and templates and policies get real values."""
    stack = stacks["azure-export"]
    output = terraform.test(stack, "azure-applied", _asserting(**_azure_conditions(stack)))
    assert "Success! 2 passed, 0 failed." in output, output


@pytest.mark.slow
def test_a_hub_of_another_place_fails_the_terraform_test(
    stacks: Stacks, terraform: Terraform
) -> None:
    """The same assertions notice an exporter that may read a whole namespace."""
    stack = copy.deepcopy(stacks["azure-export"])
    namespace, _ = at(stack, "logs/namespace")
    at(stack, "export/receiver")[1]["scope"] = f"${{{namespace}.id}}"
    output = terraform.test(stack, "azure-broken", _asserting(**_azure_conditions(stack)))
    assert "1 passed, 1 failed" in output, output
    assert ["receiver"] == _failed(output)


@pytest.mark.slow
def test_a_broken_promise_fails_the_terraform_test(stacks: Stacks, terraform: Terraform) -> None:
    """The same assertions notice a sink that leaves the children out."""
    stack = copy.deepcopy(stacks["gcp-export"])
    at(stack, "organization/sink")[1]["include_children"] = False
    output = terraform.test(stack, "gcp-broken", _asserting(**_gcp_conditions(stack)))
    assert "1 passed, 1 failed" in output, output
    assert ["children"] == _failed(output)


def _failed(output: str) -> list[str]:
    """Return the messages of the assertions that failed."""
    return re.findall(r"^([a-z]+)$", output, re.MULTILINE)
