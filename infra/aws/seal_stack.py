"""The evidence account: the keys, and the function that seals one evidence bucket with them."""

from __future__ import annotations

from aws_cdk import CfnOutput
from constructs import Construct

from infra.aws.protected_stack import ProtectedStack
from infra.aws.sealer import Sealer
from infra.aws.signature_log import SignatureLog
from infra.aws.signing_key import SigningKey
from infra.bundle import Bundle
from nhi_evidence import config as configuration
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws.key_policy import signing_keys

_KEYS = ("Signing", "Cosigning")
"""Construct ids in the order of `signing_keys`, of which there may be only one."""


class SealStack(ProtectedStack):
    """Keys, sealer, schedule, and the log of every use of the keys."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        store: configuration.EvidenceBucket,
        bundle: Bundle,
        architecture: str | None = None,
    ) -> None:
        account, region = config.evidence.account, store.region
        super().__init__(
            scope,
            name,
            account=account,
            region=region,
            description=f"seals {store.bucket} into {store.log}",
        )
        self.function_name = naming.function(store.id, "sealer")
        keys = [
            SigningKey(self, key, plan=plan)
            for key, plan in zip(_KEYS, signing_keys(config, store), strict=False)
        ]
        arns = [one.resource.attr_arn for one in keys]
        Sealer(
            self,
            "Sealer",
            config=config,
            store=store,
            bundle=bundle,
            keys=arns,
            architecture=architecture,
        )
        self.signed = SignatureLog(
            self,
            "Signed",
            log_name=f"nhi-evidence-{store.id}",
            keys=arns,
            sealer=naming.role_arn(region, account, self.function_name),
        )
        for key, arn in zip(_KEYS, arns, strict=False):
            CfnOutput(
                self,
                f"{key}KeyArn",
                value=arn,
                description="Fetch its public half now and keep it outside AWS: nhi-evidence keys",
            )
