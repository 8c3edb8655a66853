"""Both clouds' stacks, synthesized once, and the Terraform that checks them."""

from __future__ import annotations

import pytest

from tests.infra.terrain.synthesis import FEDERATED, Stack, Stacks, switched_on, synthesize
from tests.infra.terrain.terraform import Terraform, program


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """The example configuration's stacks."""
    return synthesize(tmp_path_factory.mktemp("terrain"))


@pytest.fixture(scope="session")
def gcp(stacks: Stacks) -> Stack:
    """The stack that exports an organization's audit logs."""
    return stacks["gcp-export"]


@pytest.fixture(scope="session")
def azure(stacks: Stacks) -> Stack:
    """The stack that exports a tenant's logs."""
    return stacks["azure-export"]


@pytest.fixture(scope="session")
def terraform(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform with a stub of every provider the stacks use."""
    folder = tmp_path_factory.mktemp("terraform")
    federated = synthesize(folder / "federated", text=switched_on(*FEDERATED))
    return Terraform(program(), folder, [*stacks.values(), *federated.values()])
