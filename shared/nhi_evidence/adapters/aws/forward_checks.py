"""Checks of forwarding evidence to a subscriber: notifications, queues, function, roles."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.adapters.aws import (
    bucket_checks,
    function_checks,
    notification_checks,
    queue_checks,
)
from nhi_evidence.adapters.aws.aws_checks import AwsChecks, Clients
from nhi_evidence.adapters.aws.function_checks import FunctionPlan
from nhi_evidence.adapters.aws.function_settings import forwarder_settings
from nhi_evidence.adapters.aws.provider_checks import provider
from nhi_evidence.adapters.aws.queue_checks import QueuePlan
from nhi_evidence.adapters.aws.role_checks import role
from nhi_evidence.adapters.environ import variables
from nhi_evidence.checks import Check
from nhi_evidence.config import naming
from nhi_evidence.config.aws import subscription as plan
from nhi_evidence.config.aws.redelivery import redelivery
from nhi_evidence.config.aws.subscription import Subscription
from nhi_evidence.config.aws.web_trust import SENTINEL
from nhi_evidence.config.built_code import BuiltCode
from nhi_evidence.config.declaration import Sqs, declaration


def checks(
    checks_of: AwsChecks, clients: Clients, what: Subscription, built: BuiltCode | None
) -> Iterator[Check]:
    """Yield every check of forwarding from one evidence bucket."""
    region, lines = what.store.region, what.subscriber.bucket
    queues = {what.store.bucket: (what.forwarder, plan.EVIDENCE), lines: (what.name, plan.LINES)}
    for bucket, (queue, prefix) in queues.items():
        yield from notification_checks.notifies(
            checks_of,
            clients.client("s3", region),
            bucket,
            owner=what.account,
            queue_arn=what.queue_arn(queue),
            prefix=prefix,
            missed="what it missed is in the evidence, but not with the subscriber.",
        )
    declared = declaration("forward")
    numbers = redelivery(declared)
    tried = {
        what.forwarder: (numbers.visibility, numbers.max_receive_count),
        what.name: (plan.SUBSCRIBER_VISIBILITY, plan.SUBSCRIBER_RECEIVES),
    }
    for queue, (visibility, receives) in tried.items():
        queue_plan = _queue(what, queue, visibility=visibility, receives=receives)
        yield from queue_checks.both(checks_of, clients.client("sqs", region), queue_plan)
    function = FunctionPlan(
        name=what.forwarder,
        account=what.account,
        region=region,
        declared=declared.function,
        environment=variables(forwarder_settings(what)),
        package=None if built is None else built.functions.get("forward"),
    )
    yield from function_checks.function(checks_of, clients, function)
    if isinstance(declared.trigger, Sqs):
        source = what.queue_arn(what.forwarder)
        yield from function_checks.queue_mapping(
            checks_of, clients, function, source, numbers=numbers, trigger=declared.trigger
        )
    iam = clients.client("iam", region)
    log_group = naming.log_group_arn(region, what.account, what.forwarder)
    yield from role(checks_of, iam, plan.forwarder_role(what, log_group=log_group))
    yield from role(checks_of, iam, plan.subscriber_role(what))
    yield from _sentinel(checks_of, clients, what)
    of_lines = AwsChecks(f"evidence account {what.account}, {lines}")
    yield from bucket_checks.bucket(of_lines, clients, plan.bucket(what))


def _sentinel(checks_of: AwsChecks, clients: Clients, what: Subscription) -> Iterator[Check]:
    sentinel, planned = what.subscriber.sentinel, plan.sentinel_role(what)
    if sentinel is None or planned is None:
        return
    region = what.store.region
    yield from role(checks_of, clients.client("iam", region), planned)
    tenant = SENTINEL[naming.partition(region)]
    is_shared = sentinel.provider == "existing"
    place = region, what.account
    yield from provider(checks_of, clients, place, tenant, is_shared=is_shared)


def _queue(what: Subscription, name: str, *, visibility: int, receives: int) -> QueuePlan:
    policies, dead = plan.queue_policies(what), plan.dead(name)
    return QueuePlan(
        name=name,
        arn=what.queue_arn(name),
        dead_letters=dead,
        dead_letters_arn=what.queue_arn(dead),
        policy=policies[name],
        dead_policy=policies[dead],
        visibility=visibility,
        receives=receives,
    )
