"""The evidence account: the key, and the function that seals one evidence bucket with it."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from infra.aws.sealer import Sealer
from infra.aws.signature_log import SignatureLog
from infra.aws.signing_key import SigningKey
from infra.bundle import Bundle
from nhi_evidence import config as configuration
from nhi_evidence.adapters.aws.sealer import Settings
from nhi_evidence.config import Config, naming


class SealStack(Stack):
    """Key, sealer, schedule, and the log of every use of the key."""

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
            env=Environment(account=account, region=region),
            description=f"nhi-evidence: seals {store.bucket} into {store.log}",
            termination_protection=True,
        )
        self.function_name = naming.function(store.name, "sealer")
        sealer_arn = naming.role_arn(region, account, self.function_name)
        key = SigningKey(
            self,
            "Signing",
            account_root=f"arn:{naming.partition(region)}:iam::{account}:root",
            sealer=sealer_arn,
            signer=config.evidence.signer,
            readers=[
                naming.role_arn(region, account, name)
                for name in (
                    *(naming.auditor(store.name, one.name) for one in config.auditors),
                    naming.function(store.name, naming.OPERATORS["recon"]),
                )
            ],
            alias=f"nhi-evidence-{store.name}",
        )
        key_arn = key.resource.attr_arn
        Sealer(
            self,
            "Sealer",
            bundle=bundle,
            function_name=self.function_name,
            architecture=architecture,
            bucket_arn=naming.bucket_arn(region, store.bucket),
            key_arn=key_arn,
            settings=Settings(
                bucket=store.bucket,
                bucket_owner=account,
                log_name=store.log,
                signing_keys=(key_arn,),
                retention_days=store.retention_days,
                grace_days=store.grace_days,
            ),
        )
        self.signed = SignatureLog(
            self,
            "Signed",
            log_name=f"nhi-evidence-{store.name}",
            key_arn=key_arn,
            sealer=sealer_arn,
        )
        CfnOutput(
            self,
            "SigningKeyArn",
            value=key_arn,
            description="Fetch its public half now and keep it apart: nhi-evidence keys",
        )
