"""A stack of one account and region that cannot be deleted by mistake."""

from __future__ import annotations

from aws_cdk import Environment, Stack
from constructs import Construct


class ProtectedStack(Stack):
    """A stack that CloudFormation does not delete until its termination protection is off."""

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
