"""The evidence account: one locked bucket, and every role that reaches it."""

from __future__ import annotations

from aws_cdk import CfnDeletionPolicy, RemovalPolicy
from constructs import Construct

from infra.aws.entra_provider import EntraProvider
from infra.aws.evidence_bucket import EvidenceBucket
from infra.aws.notified_queue import notifications
from infra.aws.planned_role import PlannedRole
from infra.aws.protected_stack import ProtectedStack
from infra.aws.replica import replication
from nhi_evidence import config as configuration
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws import roles
from nhi_evidence.config.aws.buckets import evidence_bucket
from nhi_evidence.config.aws.subscription import EVIDENCE, subscription

_OWN_PREFIX = "The role may only put, and only under its own prefixes."
_AUDITED = "An auditor reads every version of every object, and the public half of every key."
_REPLICATED = (
    "Everything is replicated: the role reads versions and writes their copies, and nothing else."
)


class EvidenceStack(ProtectedStack):
    """One evidence bucket with its writers, operators and auditors.

    `makes_provider` is true for one stack of an account: IAM has a tenant's provider once per
    account.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        store: configuration.EvidenceBucket,
        makes_provider: bool,
    ) -> None:
        account, region = config.evidence.account, store.region
        super().__init__(
            scope,
            name,
            account=account,
            region=region,
            description=f"locked bucket {store.bucket} and its roles",
        )
        self._make_bucket(config, store)
        self._make_roles(config, store)
        azure = config.azure
        if makes_provider and azure is not None and azure.aws_provider == "new":
            entra = EntraProvider(self, "Entra", tenant=azure.tenant, audience=azure.audience)
            # With `existing`, or without this stack, other deployments' exporters still need it.
            # One of another tenant takes its place in every way, so that is not kept.
            entra.resource.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
            entra.resource.cfn_options.update_replace_policy = CfnDeletionPolicy.DELETE

    def _make_bucket(self, config: Config, store: configuration.EvidenceBucket) -> None:
        replicate = None
        if store.replica is not None:
            replica_arn = naming.bucket_arn(store.region, store.replica.bucket)
            role = PlannedRole(
                self,
                "Replication",
                plan=roles.replication(config, store, replica_arn),
                wide=[f"{naming.bucket_arn(store.region, store.bucket)}/*", f"{replica_arn}/*"],
                reason=_REPLICATED,
            )
            replicate = replication(
                role=role, replica_arn=replica_arn, replica_account=store.replica.account
            )
        subscribed = subscription(config, store)
        self.bucket = EvidenceBucket(
            self,
            "Evidence",
            plan=evidence_bucket(config, store),
            replicate=replicate,
            notify=None
            if subscribed is None
            else notifications(subscribed.queue_arn(subscribed.forwarder), EVIDENCE),
        )

    def _make_roles(self, config: Config, store: configuration.EvidenceBucket) -> None:
        bucket = naming.bucket_arn(store.region, store.bucket)
        for source, role in roles.writers(config, store):
            wide = [f"{bucket}/ev/v1/{source}/*"]
            PlannedRole(self, f"Writer-{source}", plan=role, wide=wide, reason=_OWN_PREFIX)
        for kind, role in roles.operators(config, store):
            wide = [f"{bucket}/op/v1/{kind}/*"]
            PlannedRole(self, f"Operator-{kind}", plan=role, wide=wide, reason=_OWN_PREFIX)
        for auditor, role in roles.auditors(config, store):
            wide = [f"{bucket}/*", roles.keys_arn(config, store)]
            PlannedRole(self, f"Auditor-{auditor}", plan=role, wide=wide, reason=_AUDITED)
