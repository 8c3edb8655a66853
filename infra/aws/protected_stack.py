"""A stack of one account and region that nobody deletes by mistake."""

from __future__ import annotations

from aws_cdk import Environment, Stack
from constructs import Construct


class ProtectedStack(Stack):
    """A stack that CloudFormation does not delete before its protection is switched off."""

    def __init__(
        self, scope: Construct, name: str, *, account: str, region: str, description: str
    ) -> None:
        super().__init__(
            scope,
            name,
            env=Environment(account=account, region=region),
            description=f"nhi-evidence: {description}",
            termination_protection=True,
        )
