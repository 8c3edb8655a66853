"""Checks of the evidence account: buckets, roles, keys, functions, alarms, newest evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters.aws import (
    athena_checks,
    bucket_checks,
    forward_checks,
    function_checks,
    key_checks,
)
from nhi_evidence.adapters.aws.alarm_checks import alarms
from nhi_evidence.adapters.aws.aws_checks import AwsChecks, Clients, Judged
from nhi_evidence.adapters.aws.function_checks import FunctionPlan
from nhi_evidence.adapters.aws.function_settings import (
    canary_settings,
    coverage_settings,
    reconciler_settings,
    sealer_settings,
)
from nhi_evidence.adapters.aws.provider_checks import provider
from nhi_evidence.adapters.aws.role_checks import role
from nhi_evidence.adapters.environ import variables
from nhi_evidence.checks import Check
from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws import canary_roles, coverage_roles, roles
from nhi_evidence.config.aws.alarms import evidence_regions, of_evidence
from nhi_evidence.config.aws.buckets import evidence_bucket, replica_bucket
from nhi_evidence.config.aws.key_policy import signing_keys
from nhi_evidence.config.aws.roles import RolePlan
from nhi_evidence.config.aws.subscription import subscription
from nhi_evidence.config.built_code import BuiltCode
from nhi_evidence.config.declaration import Schedule, declaration

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_STALE = timedelta(hours=2)


def checks(
    config: Config, clients: Clients, now: datetime, built: BuiltCode | None = None
) -> Iterator[Check]:
    """Yield every check of the evidence account; functions are compared with `built`.

    Raises `DeclarationError` if the library is installed without the functions' declarations.
    """
    account = config.evidence.account
    for bucket in config.evidence.buckets:
        checks_of = AwsChecks(f"evidence account {account}, {bucket.bucket}")
        plan = evidence_bucket(config, bucket)
        yield from bucket_checks.bucket(checks_of, clients, plan)
        yield from bucket_checks.replication(
            checks_of,
            clients,
            plan,
            replica=None
            if bucket.replica is None
            else naming.bucket_arn(bucket.region, bucket.replica.bucket),
            role=naming.role_arn(bucket.region, account, naming.replication(bucket.id)),
        )
        what = subscription(config, bucket)
        if what is None:
            yield from _without_notifications(checks_of, clients, bucket, account)
        else:
            yield from forward_checks.checks(checks_of, clients, what, built)
        yield from _roles(checks_of, clients, config, bucket)
        yield from _sealing(checks_of, clients, config, bucket, built)
        for planned in _clocked(config, bucket):
            yield from _by_the_clock(checks_of, clients, config, bucket, planned, built=built)
        if bucket.athena is not None:
            yield from athena_checks.checks(checks_of, clients, config, bucket, bucket.athena)
        yield from _newest(checks_of, clients, config=config, bucket=bucket, now=now)
    checks_of = AwsChecks(f"evidence account {account}")
    if config.azure is not None:
        yield from _provider(checks_of, clients, config)
    for region in evidence_regions(config):
        expected = of_evidence(config, region)
        yield from alarms(checks_of, clients, config, expected, account=account, region=region)


def replica_checks(config: Config, clients: Clients, account: str) -> Iterator[Check]:
    """Yield every check of the replicas in one account."""
    for bucket in config.evidence.buckets:
        if bucket.replica is not None and bucket.replica.account == account:
            checks_of = AwsChecks(f"replica account {account}, {bucket.replica.bucket}")
            plan = replica_bucket(config, bucket, bucket.replica)
            yield from bucket_checks.bucket(checks_of, clients, plan)
            yield from bucket_checks.replication(checks_of, clients, plan, replica=None, role="")


def _without_notifications(
    checks_of: AwsChecks, clients: Clients, bucket: EvidenceBucket, account: str
) -> Iterator[Check]:
    s3 = clients.client("s3", bucket.region)
    yield from checks_of.compare(
        "notifications",
        lambda: s3.get_bucket_notification_configuration(
            Bucket=bucket.bucket, ExpectedBucketOwner=account
        ),
        _notifies_nobody,
        "the stacks configure no notifications for the evidence bucket: remove it, or find out "
        "why it is there",
    )


def _notifies_nobody(answer: dict[str, Any]) -> Judged:
    destinations = sorted(answer.keys() - {"ResponseMetadata"})
    return not destinations, ", ".join(destinations) or "none, as deployed"


def _roles(
    checks_of: AwsChecks, clients: Clients, config: Config, bucket: EvidenceBucket
) -> Iterator[Check]:
    iam = clients.client("iam", bucket.region)
    for planned in (roles.writers, roles.operators, roles.auditors):
        for _, plan in planned(config, bucket):
            yield from role(checks_of, iam, plan)
    if bucket.replica is not None:
        replica = naming.bucket_arn(bucket.region, bucket.replica.bucket)
        yield from role(checks_of, iam, roles.replication(config, bucket, replica))


def _sealing(
    checks_of: AwsChecks,
    clients: Clients,
    config: Config,
    bucket: EvidenceBucket,
    built: BuiltCode | None,
) -> Iterator[Check]:
    name = naming.function(bucket.id, "sealer")
    kms, plans = clients.client("kms", bucket.region), signing_keys(config, bucket)
    for plan in plans:
        yield from key_checks.key(checks_of, kms, plan)
    try:
        keys = key_checks.arns(kms, plans)
    except (ClientError, BotoCoreError):
        yield checks_of.unseen(f"function and role {name}", "its keys could not be read, see above")
        return
    yield from _by_the_clock(
        checks_of,
        clients,
        config,
        bucket,
        _Clocked(
            "seal",
            name,
            sealer_settings(config, bucket, keys),
            lambda log_group: roles.sealer(bucket, keys=keys, log_group=log_group),
        ),
        built=built,
    )


class _Clocked(NamedTuple):
    """A function of the evidence account that runs on a schedule."""

    deployable: str
    name: str
    settings: msgspec.Struct
    role: Callable[[str], RolePlan]
    """Returns its role, given the ARN of its log group."""


def _clocked(config: Config, bucket: EvidenceBucket) -> Iterator[_Clocked]:
    """Yield the configured functions that run on a schedule, besides the sealer."""
    yield _Clocked(
        "reconcile",
        naming.function(bucket.id, naming.OPERATORS["recon"]),
        reconciler_settings(config, bucket),
        lambda log_group: roles.reconciler(config, bucket, log_group=log_group),
    )
    if config.coverage is not None:
        yield _Clocked(
            "coverage",
            naming.function(bucket.id, naming.OPERATORS["coverage"]),
            coverage_settings(config, bucket),
            lambda log_group: coverage_roles.collector(config, bucket, log_group=log_group),
        )
    canaries = config.canaries_of(bucket.name)
    if canaries is not None:
        yield _Clocked(
            "canary",
            naming.function(bucket.id, naming.CANARY),
            canary_settings(config, bucket, canaries),
            lambda log_group: canary_roles.runner(config, bucket, log_group=log_group),
        )


def _by_the_clock(
    checks_of: AwsChecks,
    clients: Clients,
    config: Config,
    bucket: EvidenceBucket,
    planned: _Clocked,
    *,
    built: BuiltCode | None,
) -> Iterator[Check]:
    """Yield the checks of a function, its schedule and its role."""
    account = config.evidence.account
    declared = declaration(planned.deployable)
    plan = FunctionPlan(
        name=planned.name,
        account=account,
        region=bucket.region,
        declared=declared.function,
        environment=variables(planned.settings),
        package=None if built is None else built.functions.get(planned.deployable),
    )
    yield from function_checks.function(checks_of, clients, plan)
    if isinstance(declared.trigger, Schedule):
        yield from function_checks.clock(checks_of, clients, plan, declared.trigger.rate_minutes)
    log_group = naming.log_group_arn(bucket.region, account, planned.name)
    iam = clients.client("iam", bucket.region)
    yield from role(checks_of, iam, planned.role(log_group))


def _provider(checks_of: AwsChecks, clients: Clients, config: Config) -> Iterator[Check]:
    azure, region = config.azure, config.evidence.buckets[0].region
    if azure is None:
        return
    place = region, config.evidence.account
    is_shared = azure.aws_provider == "existing"
    tenant = azure.tenant, azure.audience
    yield from provider(checks_of, clients, place, tenant, is_shared=is_shared)


def _newest(
    checks_of: AwsChecks, clients: Clients, *, config: Config, bucket: EvidenceBucket, now: datetime
) -> Iterator[Check]:
    s3 = clients.client("s3", bucket.region)
    owner = config.evidence.account
    yield from checks_of.look(
        "newest checkpoint",
        lambda: _last(s3, bucket.bucket, owner, f"log/v1/{now:%Y}/checkpoint/"),
        lambda at: (
            at is not None and now - at <= _STALE,
            "none this year" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}",
        ),
        "the sealer does not run, or fails: see its log (docs/operations.md, `stalled`)",
    )
    for source in dict.fromkeys(one.source for one in config.sources_in(bucket.name)):
        yield from checks_of.look(
            f"evidence of {source}",
            lambda source=source: _last(  # type: ignore[misc]
                s3,
                bucket.bucket,
                owner,
                *(f"ev/v1/{source}/h={now - timedelta(hours=n):%Y%m%d%H}/" for n in _HOURS),
            ),
            lambda at: (at is not None, f"newest {at:%Y-%m-%dT%H:%M:%SZ}" if at else "none"),
            "nothing from the last day: follow the path from the source "
            "(docs/operations.md, `silence`)",
        )


_HOURS = range(25)


def _last(s3: S3Client, bucket: str, owner: str, *prefixes: str) -> datetime | None:
    """Return when the newest object was written under the first prefix with any; else None."""
    for prefix in prefixes:
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, ExpectedBucketOwner=owner, Prefix=prefix
        )
        times = [one["LastModified"] for page in pages for one in page.get("Contents", [])]
        if times:
            newest: datetime = max(times)
            return newest
    return None
