"""Every role in AWS: who may assume it, and what it may do."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws import trusts
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.aws.key_policy import PUBLIC
from nhi_evidence.config.documents import (
    Condition,
    Statement,
    allow,
    service_statement,
)

READS = (
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:GetObjectRetention",
    "s3:GetObjectLegalHold",
)
LISTS = ("s3:ListBucket", "s3:ListBucketVersions")
SETTINGS = (
    "s3:GetBucketLocation",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
)
FROM_SOURCE = (
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectRetention",
    "s3:GetObjectLegalHold",
)


def operating(config: Config, store: EvidenceBucket) -> dict[str, tuple[str, ...]]:
    """Return each kind of `op/` object of a bucket, with the deployed functions that put it.

    A kind that no deployed function puts is left out, as its role would be unused, and so a risk.
    """
    deployed = {"reconcile"}
    if config.coverage is not None:
        deployed.add("coverage")
    kinds: dict[str, tuple[str, ...]] = {
        kind: (function,) for kind, function in naming.OPERATORS.items() if function in deployed
    }
    if config.canaries_of(store.name) is not None:
        kinds[naming.PLANS] = (*kinds.get(naming.PLANS, ()), naming.CANARY)
    return kinds


class RolePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One role, with its only policy."""

    name: str
    trust: list[Statement]
    policy_name: str
    policy: list[Statement]


def writers(config: Config, store: EvidenceBucket) -> tuple[tuple[str, RolePlan], ...]:
    """Return each source kept in a bucket with the role that may put its evidence."""
    return tuple(
        (
            source,
            _put_only(store, naming.writer(store.id, source), f"ev/v1/{source}/", trusted),
        )
        for source, trusted in trusts.writer_trusts(config, store).items()
    )


def operators(config: Config, store: EvidenceBucket) -> tuple[tuple[str, RolePlan], ...]:
    """Return each kind of `op/` object with the role that may put it.

    A kind has a role if its function is deployed. The kind `custody` has one if an auditor may
    assume it: the record of a case is put by whoever makes the case.
    """
    of_functions = tuple(
        (
            kind,
            _put_only(
                store,
                naming.operator(store.id, kind),
                f"op/v1/{kind}/",
                [trusts.operator_trust(config, store, functions)],
            ),
        )
        for kind, functions in operating(config, store).items()
    )
    trusted = [
        {**trusts.auditor_trust(auditor), "Sid": f"Auditor{number}"}
        for number, auditor in enumerate(config.auditors, start=1)
        if auditor.custody
    ]
    if not trusted:
        return of_functions
    role = _put_only(store, naming.operator(store.id, "custody"), "op/v1/custody/", trusted)
    return (*of_functions, ("custody", role))


def _put_only(store: EvidenceBucket, name: str, prefix: str, trusted: list[Statement]) -> RolePlan:
    """Return a role that may only put objects under one prefix."""
    objects = [f"{naming.bucket_arn(store.region, store.bucket)}/{prefix}*"]
    return RolePlan(
        name=name,
        trust=trusted,
        policy_name="put",
        policy=[allow("Put", ["s3:PutObject"], objects)],
    )


def auditors(config: Config, store: EvidenceBucket) -> tuple[tuple[str, RolePlan], ...]:
    """Return each auditor with the role for reading one evidence bucket.

    Auditors may belong to another organization; the external id keeps their provider from being
    tricked into using its access for someone else (confused deputy). They may fetch the public
    half of a key if its own policy names the role.
    """
    bucket = naming.bucket_arn(store.region, store.bucket)
    keys = keys_arn(config, store)
    roles = []
    for auditor in config.auditors:
        role = RolePlan(
            name=naming.auditor(store.id, auditor.name),
            trust=[trusts.auditor_trust(auditor)],
            policy_name="read",
            policy=[
                allow("Objects", READS, f"{bucket}/*"),
                allow("Bucket", [*LISTS, *SETTINGS], bucket),
                allow("Keys", PUBLIC, keys),
            ],
        )
        roles.append((auditor.name, role))
    return tuple(roles)


def keys_arn(config: Config, store: EvidenceBucket) -> str:
    """Return the ARN of every key of the evidence account in a bucket's region."""
    partition, account = naming.partition(store.region), config.evidence.account
    return f"arn:{partition}:kms:{store.region}:{account}:key/*"


def replication(config: Config, store: EvidenceBucket, replica: str) -> RolePlan:
    """Return the role with which S3 replicates to the bucket with the ARN `replica`.

    It may not replicate deletions or tags, nor transfer ownership: the replica's account owns what
    is in it.
    """
    bucket = naming.bucket_arn(store.region, store.bucket)
    condition: Condition = {
        "StringEquals": {"aws:SourceAccount": config.evidence.account},
        "ArnEquals": {"aws:SourceArn": bucket},
    }
    return RolePlan(
        name=naming.replication(store.id),
        trust=[service_statement("s3.amazonaws.com", condition)],
        policy_name="replicate",
        policy=[
            allow("Source", ["s3:GetReplicationConfiguration", "s3:ListBucket"], bucket),
            allow("Versions", FROM_SOURCE, f"{bucket}/*"),
            allow("Replica", ["s3:ReplicateObject"], f"{replica}/*"),
        ],
    )


def sealer(store: EvidenceBucket, *, keys: Sequence[str], log_group: str) -> RolePlan:
    """Return the sealer's role: it reads everything, writes only under `log/`, and signs.

    `keys` are the ARNs of its keys, `log_group` that of its own log group with its streams.
    """
    bucket = naming.bucket_arn(store.region, store.bucket)
    return function_role(
        naming.function(store.id, "sealer"),
        log_group,
        [
            allow("Read", READS, f"{bucket}/*"),
            allow("List", [*LISTS, *SETTINGS], bucket),
            allow("Log", ["s3:PutObject", "s3:PutObjectRetention"], f"{bucket}/log/v1/*"),
            allow("Sign", ["kms:Sign", *PUBLIC], list(keys)),
        ],
    )


def reconciler(config: Config, store: EvidenceBucket, *, log_group: str) -> RolePlan:
    """Return the reconciler's role: it reads everything, and fetches public keys.

    It writes only by assuming the role that may put under `op/v1/recon`. `log_group` is the ARN of
    its own log group, with its streams.
    """
    bucket = naming.bucket_arn(store.region, store.bucket)
    operator = naming.role_arn(
        store.region, config.evidence.account, naming.operator(store.id, "recon")
    )
    return function_role(
        naming.function(store.id, naming.OPERATORS["recon"]),
        log_group,
        [
            allow("Read", READS, f"{bucket}/*"),
            allow("List", LISTS, bucket),
            allow("LogKeys", PUBLIC, keys_arn(config, store)),
            # It has no resource, as the keys are published to everyone.
            allow("ProviderKeys", ["cloudtrail:ListPublicKeys"], "*"),
            allow("State", ["sts:AssumeRole"], operator),
            *identity_tokens(
                provider=None if config.gcp is None else config.gcp.reconcile_provider,
                client_id=None if config.azure is None else config.azure.reconcile_client_id,
            ),
        ],
    )


TOKEN_SECONDS = 300
"""Maximum lifetime of a token that identifies a function to another cloud."""


def identity_tokens(
    *, provider: str | None, client_id: str | None, others: Sequence[str] = ()
) -> list[Statement]:
    """Return the permission to get identity tokens, for these audiences only and short-lived.

    `provider` is that of Google Cloud's workload identity pool, `client_id` an Entra application;
    `others` are further audiences, as they are.
    """
    audiences = [] if client_id is None else ["api://AzureADTokenExchange"]
    audiences += [] if provider is None else [f"https:{provider}"]
    audiences += others
    if not audiences:
        return []
    condition: Condition = {
        "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": audiences},
        # A condition on all values is also true if there is none, so its presence is required.
        "Null": {"sts:IdentityTokenAudience": "false"},
        "NumericLessThanEquals": {"sts:DurationSeconds": str(TOKEN_SECONDS)},
    }
    return [allow("Outward", ["sts:GetWebIdentityToken"], "*", condition)]


def exporter(config: Config, feed: Feed, *, log_group: str) -> RolePlan:
    """Return an exporter's role: it reads the feed's prefix and queue, and assumes its writer role.

    `log_group` is the ARN of its own log group, with its streams.
    """
    files = f"{feed.bucket_arn}/{feed.prefix}*"
    statements = [
        allow("Source", ["s3:GetObject", "s3:GetObjectVersion"], files),
        allow("Write", ["sts:AssumeRole"], feed.writer_arn(config.evidence.account)),
        allow(
            "Messages",
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            feed.queue_arn,
        ),
    ]
    if feed.kms_key is not None:
        statements.append(allow("Decrypt", ["kms:Decrypt"], feed.kms_key, feed.through_s3))
    return function_role(feed.exporter, log_group, statements)


def function_role(name: str, log_group: str, statements: list[Statement]) -> RolePlan:
    """Return the role of a function, which may write its own log and do what `statements` say."""
    logs = allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group])
    return RolePlan(
        name=name,
        trust=[service_statement("lambda.amazonaws.com")],
        policy_name="function",
        policy=[logs, *statements],
    )
