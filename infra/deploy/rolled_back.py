"""Stacks whose first creation failed: what keeps them from being made anew.

The CDK removes such a stack before it makes it again. It has protected it against termination
before it filled it, and CloudFormation refuses to remove what is protected, however empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.access import Access
from infra.deploy.assembly import Stack
from infra.deploy.clients import CloudFormation, described
from infra.deploy.running import say
from nhi_evidence.errors import StoreUnavailableError

NEVER_MADE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
"""States of a stack whose first creation failed. It holds nothing, and can only be removed."""


def release(access: Access, stacks: Sequence[Stack]) -> None:
    """Take the protection off stacks that were never made. Raises `StoreUnavailableError`."""
    for stack in stacks:
        client: CloudFormation | None = access.deployer("cloudformation", stack)
        if client is None:
            continue
        try:
            description = described(client, stack.name)
            if description.get("StackStatus") in NEVER_MADE and description.get(
                "EnableTerminationProtection"
            ):
                client.update_termination_protection(
                    StackName=stack.name, EnableTerminationProtection=False
                )
                say(f"{stack.name} was never made; it is taken away and made anew")
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailableError(f"{stack.name}: {error}") from error
