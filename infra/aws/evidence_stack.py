"""The evidence account: one locked bucket, and every role that reaches it."""

from __future__ import annotations

from collections.abc import Collection

from aws_cdk import Environment, Stack
from constructs import Construct

from infra.aws import plan
from infra.aws.auditor_role import AuditorRole
from infra.aws.evidence_bucket import EvidenceBucket
from infra.aws.replica import ReplicationRole, replication
from infra.aws.web_identity import EntraProvider
from infra.aws.writer_role import PutOnlyRole, source_prefixes
from nhi_evidence import config as configuration
from nhi_evidence.config import Config, naming
from nhi_evidence.config.bucket_policy import evidence_policy
from nhi_evidence.config.silence import silence_hours


class EvidenceStack(Stack):
    """One evidence bucket with its writers, operators and auditors.

    `makes_provider` is true for one stack of an account: a tenant is a provider of the account.
    `deployed` names the functions of the evidence account; each kind of `op/` object has a role
    where its function is among them.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        store: configuration.EvidenceBucket,
        makes_provider: bool,
        deployed: Collection[str],
    ) -> None:
        account, region = config.evidence.account, store.region
        super().__init__(
            scope,
            name,
            env=Environment(account=account, region=region),
            description=f"nhi-evidence: locked bucket {store.bucket} and its roles",
            termination_protection=True,
        )
        bucket_arn = naming.bucket_arn(region, store.bucket)
        replicate = None
        if store.replica is not None:
            replica_arn = naming.bucket_arn(region, store.replica.bucket)
            role = ReplicationRole(
                self,
                "Replication",
                role_name=naming.replication(store.name),
                account=account,
                source_arn=bucket_arn,
                replica_arn=replica_arn,
            )
            replicate = replication(
                role=role, replica_arn=replica_arn, replica_account=store.replica.account
            )
        self.bucket = EvidenceBucket(
            self,
            "Evidence",
            bucket=store.bucket,
            retention_days=store.retention_days,
            grace_days=store.grace_days,
            archive_after_days=store.archive_after_days,
            statements=evidence_policy(
                bucket_arn,
                organization=config.organization.id,
                sealer=naming.role_arn(region, account, naming.function(store.name, "sealer")),
                retention_days=store.retention_days,
                grace_days=store.grace_days,
                legal_role=config.evidence.legal_role,
            ),
            sources=[
                source
                for source in dict.fromkeys(one.source for one in config.sources_in(store.name))
                if silence_hours(config, store.name, source) is not None
            ],
            replicate=replicate,
        )
        trusts = plan.writer_trusts(config, store)
        for source, trusted in trusts.items():
            PutOnlyRole(
                self,
                f"Writer-{source}",
                role_name=naming.writer(store.name, source),
                bucket_arn=bucket_arn,
                prefixes=source_prefixes(source),
                trusted=trusted,
            )
        for kind, function in naming.OPERATORS.items():
            if function in deployed:
                PutOnlyRole(
                    self,
                    f"Operator-{kind}",
                    role_name=naming.operator(store.name, kind),
                    bucket_arn=bucket_arn,
                    prefixes=(f"op/v1/{kind}/",),
                    trusted=[plan.operator_trust(config, store, function)],
                )
        for auditor in config.auditors:
            AuditorRole(
                self,
                f"Auditor-{auditor.name}",
                role_name=naming.auditor(store.name, auditor.name),
                bucket_arn=bucket_arn,
                keys_arn=f"arn:{naming.partition(region)}:kms:{region}:{account}:key/*",
                principals=auditor.principals,
                external_id=auditor.external_id,
                mfa=auditor.mfa,
            )
        if makes_provider and config.azure is not None:
            EntraProvider(self, "Entra", tenant=config.azure.tenant, audience=config.azure.audience)
