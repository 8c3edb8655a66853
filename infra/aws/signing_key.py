"""A key that signs checkpoints: only the sealer may use it, and no IAM policy can add anybody."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct

from nhi_evidence.config import documents
from nhi_evidence.config.aws.key_policy import KeyPlan

LONGEST_WAIT_DAYS = 30


class SigningKey(Construct):
    """An asymmetric key for one sealer."""

    def __init__(self, scope: Construct, name: str, *, plan: KeyPlan) -> None:
        super().__init__(scope, name)
        self.resource = kms.CfnKey(
            self,
            "Key",
            description=f"Signs the checkpoints of {plan.alias}",
            key_spec=plan.spec,
            key_usage="SIGN_VERIFY",
            pending_window_in_days=LONGEST_WAIT_DAYS,
            key_policy=documents.document(plan.statements),
        )
        # The public key outlives the private one only if somebody has kept a copy.
        self.resource.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        kms.CfnAlias(
            self, "Alias", alias_name=f"alias/{plan.alias}", target_key_id=self.resource.ref
        )
