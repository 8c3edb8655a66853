"""Forwarding new evidence to a subscriber: names, bucket, queues, roles.

Nothing here can write evidence, and the subscriber cannot reach it: the function reads one prefix
of the evidence bucket, and writes one prefix of another bucket.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws import queues
from nhi_evidence.config.aws.buckets import BucketPlan, LifecycleRule
from nhi_evidence.config.aws.roles import RolePlan, function_role
from nhi_evidence.config.aws.web_trust import sentinel_trust
from nhi_evidence.config.bucket_policy import deny_outsiders, transport
from nhi_evidence.config.documents import NONE, Statement, allow, role_trust
from nhi_evidence.config.readers import Subscriber

EVIDENCE = "ev/v1/"
"""Prefix of what is forwarded in the evidence bucket."""

LINES = "ocsf/v1/"
"""Prefix of the lines in the subscriber's bucket."""

SUBSCRIBER_QUEUE = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
)
"""What the inputs of Splunk, Sentinel and Elastic need on a queue (docs/siem.md)."""


SUBSCRIBER_VISIBILITY = 300
"""Seconds that a subscriber has for an object before it is notified again."""

SUBSCRIBER_RECEIVES = 100
"""Receives before a message is set aside: a SIEM that is down for hours loses none."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Forwarding from one evidence bucket to its subscriber."""

    config: Config
    store: EvidenceBucket
    subscriber: Subscriber

    @property
    def account(self) -> str:
        """The evidence account, which owns everything involved."""
        return self.config.evidence.account

    @property
    def evidence_arn(self) -> str:
        """ARN of the evidence bucket."""
        return naming.bucket_arn(self.store.region, self.store.bucket)

    @property
    def bucket_arn(self) -> str:
        """ARN of the subscriber's bucket."""
        return naming.bucket_arn(self.store.region, self.subscriber.bucket)

    @property
    def forwarder(self) -> str:
        """Name of the function, its role and its queue."""
        return naming.forwarder(self.store.id)

    @property
    def name(self) -> str:
        """Name of the subscriber's role and queue."""
        return naming.subscriber(self.store.id)

    def queue_arn(self, name: str) -> str:
        """Return the ARN of one of the queues."""
        return naming.queue_arn(self.store.region, self.account, name)


def subscription(config: Config, store: EvidenceBucket) -> Subscription | None:
    """Return the forwarding of an evidence bucket; None without a subscriber."""
    subscriber = config.subscriber(store.name)
    if subscriber is None:
        return None
    return Subscription(config=config, store=store, subscriber=subscriber)


def dead(queue: str) -> str:
    """Return the name of a queue's dead-letter queue."""
    return f"{queue}-dead"


def queue_policies(what: Subscription) -> dict[str, list[Statement]]:
    """Return the policy of each queue by name, in the order in which they are made."""
    fed = {what.forwarder: what.evidence_arn, what.name: what.bucket_arn}
    policies: dict[str, list[Statement]] = {}
    for queue, bucket in fed.items():
        policies[dead(queue)] = queues.encrypted(what.queue_arn(dead(queue)))
        policies[queue] = queues.of_bucket(what.queue_arn(queue), bucket, what.account)
    return policies


def bucket(what: Subscription) -> BucketPlan:
    """Return the plan of the subscriber's bucket: no lock, and objects expire as configured."""
    return BucketPlan(
        name=what.subscriber.bucket,
        account=what.account,
        region=what.store.region,
        statements=[
            *transport(what.bucket_arn),
            deny_outsiders(what.bucket_arn, what.config.organization.id),
        ],
        lifecycle=[
            LifecycleRule(id="expire", expire_days=what.subscriber.keep_days, noncurrent_days=1),
            LifecycleRule(id="markers", markers=True),
        ],
    )


def forwarder_role(what: Subscription, *, log_group: str) -> RolePlan:
    """Return the function's role: it reads evidence and puts lines, but cannot write evidence.

    `log_group` is the ARN of its own log group, with its streams.
    """
    return function_role(
        what.forwarder,
        log_group,
        [
            allow("Read", ["s3:GetObjectVersion"], f"{what.evidence_arn}/{EVIDENCE}*"),
            allow("Put", ["s3:PutObject"], f"{what.bucket_arn}/{LINES}*"),
            allow(
                "Messages",
                ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                what.queue_arn(what.forwarder),
            ),
        ],
    )


def sentinel_role(what: Subscription) -> RolePlan | None:
    """Return Microsoft Sentinel's role, with the subscriber role's permissions; None without it."""
    sentinel = what.subscriber.sentinel
    if sentinel is None:
        return None
    trusted = sentinel_trust(
        region=what.store.region, account=what.account, workspace=sentinel.workspace
    )
    name = naming.sentinel(what.store.id)
    return replace(subscriber_role(what), name=name, trust=[trusted])


def subscriber_role(what: Subscription) -> RolePlan:
    """Return the role for the SIEM: it reads lines, and receives messages from one queue."""
    subscriber = what.subscriber
    condition = (
        {"StringEquals": {"sts:ExternalId": subscriber.external_id}}
        if subscriber.external_id is not None
        else NONE
    )
    return RolePlan(
        name=what.name,
        trust=[role_trust("Subscriber", subscriber.principals, condition)],
        policy_name="read",
        policy=[
            allow("Lines", ["s3:GetObject"], f"{what.bucket_arn}/{LINES}*"),
            allow("Bucket", ["s3:ListBucket", "s3:GetBucketLocation"], what.bucket_arn),
            allow("Messages", SUBSCRIBER_QUEUE, what.queue_arn(what.name)),
        ],
    )
