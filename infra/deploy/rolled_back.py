"""Stacks whose first creation failed: remove what keeps them from being created again.

The CDK deletes such a stack before it creates it again. But it turned on termination protection
before it created any resource, and CloudFormation refuses to delete a protected stack, even an
empty one.
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
"""States of a stack whose first creation failed. It holds nothing, and can only be deleted."""


def release(access: Access, stacks: Sequence[Stack]) -> None:
    """Unprotect stacks that were never created. Raises `StoreUnavailableError`."""
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
                say(f"{stack.name} was never created; it is deleted and created again")
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailableError(f"{stack.name}: {error}") from error
