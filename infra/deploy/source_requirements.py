"""What the log-archive account needs: a trail that delivers, and a bucket free to notify."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from infra.deploy.access import Access
from infra.deploy.asking import Asking, Judgment
from infra.deploy.assembly import Stack
from infra.deploy.requirement import Requirement, Standing
from nhi_evidence.config import Config
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.config.documents import Statement
from nhi_evidence.config.tables import Trail

CONTROL_TOWER = "aws-controltower-"
_CREATED = ("s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:*")
_KINDS = {
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}


def requirements(access: Access, config: Config, export: Stack) -> Iterator[Requirement]:
    """Yield the requirements of the feeds in one export stack's region."""
    for feed, entry in feeds(config):
        if feed.region != export.region:
            continue
        asking = Asking(f"s3://{feed.bucket}")
        trail = None if entry.trail is None else config.trail(entry.trail)
        if entry.streams or (trail is not None and trail.kind == "new"):
            continue  # its bucket is created with everything it needs
        yield from _trail(access, asking, export, trail)
        yield from _bucket(access, asking, export, feed)
        yield from _notifications(access, asking, export, feed)
        if feed.kms_key is not None:
            yield from _readable(access, asking, export, feed, feed.kms_key)


def _trail(
    access: Access, asking: Asking, export: Stack, trail: Trail | None
) -> Iterator[Requirement]:
    cloudtrail = access.client("cloudtrail", export)
    if trail is None or cloudtrail is None:
        return

    def judge(answer: Any) -> Judgment:
        described = [one for one in answer["trailList"] if one.get("S3BucketName") == trail.bucket]
        if not described:
            return Standing.MISSING, (
                "no trail delivers here, as far as this account can see: is the name right? Or "
                'write kind = "new"'
            )
        judged = [_as_configured(one, trail) for one in described]
        return min(judged, key=lambda judgment: judgment[0] is Standing.MISSING)

    yield from asking.ask(
        "whether a trail delivers here",
        lambda: cloudtrail.describe_trails(includeShadowTrails=True),
        judge,
        (Standing.MISSING, "no trail delivers here"),
    )


def _as_configured(described: dict[str, Any], trail: Trail) -> Judgment:
    prefix = described.get("S3KeyPrefix") or ""
    actual = f"{prefix.strip('/')}/" if prefix else ""
    if actual != trail.prefix:
        return Standing.MISSING, f'the trail delivers under "{actual}": write prefix = "{actual}"'
    key = described.get("KmsKeyId")
    if key and key != trail.kms_key:
        return Standing.MISSING, f'the trail encrypts its files: write kms_key = "{key}"'
    if not described.get("IsOrganizationTrail"):
        return Standing.NOTE, f"{described.get('Name')} is not an organization trail"
    return Standing.OK, f"{described.get('Name')} delivers here"


def _bucket(access: Access, asking: Asking, export: Stack, feed: Feed) -> Iterator[Requirement]:
    s3 = access.client("s3", export)
    if s3 is None:
        return
    if feed.bucket.startswith(CONTROL_TOWER):
        yield asking.stated(
            Standing.NOTE,
            "made by Control Tower, whose controls forbid changes to its policy, encryption, "
            "logging and lifecycle; whether they allow adding notifications is not settled "
            "(docs/conform.md): if not, have it notify a topic, from the management account",
        )
    yield from asking.ask(
        f"whether it is in {feed.owner}, {feed.region}",
        lambda: s3.get_bucket_location(Bucket=feed.bucket, ExpectedBucketOwner=feed.owner),
        lambda answer: _located(answer, feed),
        _no_bucket(feed),
    )


def _no_bucket(feed: Feed) -> Judgment:
    return Standing.MISSING, f"there is no such bucket in {feed.owner}"


def _located(answer: dict[str, Any], feed: Feed) -> Judgment:
    region = answer.get("LocationConstraint") or "us-east-1"
    if region != feed.region:
        return Standing.MISSING, f'is in {region}: write region = "{region}"'
    return Standing.OK, f"is in {feed.owner}, {region}"


def _notifications(
    access: Access, asking: Asking, export: Stack, feed: Feed
) -> Iterator[Requirement]:
    s3 = access.client("s3", export)
    if s3 is None or feed.notifies == "elsewhere":
        return
    yield from asking.ask(
        "whether it already notifies anything else of the same keys",
        lambda: s3.get_bucket_notification_configuration(
            Bucket=feed.bucket, ExpectedBucketOwner=feed.owner
        ),
        lambda answer: notifiable(answer, feed),
        _no_bucket(feed),
    )


def notifiable(answer: dict[str, Any], feed: Feed) -> Judgment:
    """Return whether a bucket can notify a feed's queue: S3 has one destination for each key."""
    destinations = [(one[arn], one) for kind, arn in _KINDS.items() for one in answer.get(kind, ())]
    if feed.notifies == "topic":
        topics = {arn for arn, _ in destinations}
        if feed.topic in topics:
            return Standing.OK, f"notifies {feed.topic}"
        return Standing.MISSING, (
            f"does not notify {feed.topic}: have it do so, or remove topic = ..."
        )
    others = [
        (arn, _prefix(one))
        for arn, one in destinations
        if arn != feed.queue_arn
        and any(event in _CREATED for event in one["Events"])
        and _overlap(_prefix(one), feed.prefix)
    ]
    if others:
        arn, prefix = others[0]
        return Standing.MISSING, (
            f'already notifies {arn} of "{prefix}", and S3 notifies one destination of each key: '
            "have the bucket notify a topic, subscribe both, and name it with topic = ..."
        )
    return Standing.OK, "is free to notify"


def _prefix(configuration: dict[str, Any]) -> str:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    return next((rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"), "")


def _overlap(first: str, other: str) -> bool:
    return first.startswith(other) or other.startswith(first)


def _readable(
    access: Access, asking: Asking, export: Stack, feed: Feed, key: str
) -> Iterator[Requirement]:
    region, account = key.split(":")[3:5]
    statement = msgspec.json.encode(decrypting(feed)).decode()
    give = f"add to the policy of {key}: {statement}"
    if account != export.account:
        yield asking.stated(
            Standing.NOTE, f"its key belongs to {account}, which must let the exporter read: {give}"
        )
        return
    kms = access.client("kms", export, region)
    if kms is None:
        return
    yield from asking.ask(
        f"whether {key} can be read with",
        lambda: msgspec.json.decode(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]),
        lambda policy: _delegates(policy, account, feed, give),
        (Standing.MISSING, f"there is no key {key}"),
    )


def _delegates(policy: dict[str, Any], account: str, feed: Feed, give: str) -> Judgment:
    wanted = {"*", feed.role_arn, f"{feed.role_arn.split(':role/')[0]}:root", account}
    relevant = [
        one
        for one in _listed(policy["Statement"])
        if wanted & _principals(one) and any(map(_decrypts, _listed(one.get("Action", []))))
    ]
    allowing = [one for one in relevant if one["Effect"] == "Allow"]
    if not allowing:
        return Standing.MISSING, give
    conditions: tuple[object, ...] = ({}, decrypting(feed)["Condition"])
    is_plain = any(one.get("Condition", {}) in conditions for one in allowing)
    if not is_plain or len(allowing) < len(relevant):
        return Standing.UNSEEN, f"whether the conditions of its key let the exporter read; {give}"
    return Standing.OK, "its key lets this account's roles decrypt"


def _principals(statement: dict[str, Any]) -> set[str]:
    principals = statement.get("Principal", {})
    return {*_listed(principals.get("AWS", []) if isinstance(principals, dict) else principals)}


def _decrypts(action: str) -> bool:
    return fnmatchcase("kms:decrypt", action.lower())


def _listed(value: Any) -> list[Any]:
    """Return what a policy may write as a list or, if it is one thing, as that."""
    return value if isinstance(value, list) else [value]


def decrypting(feed: Feed) -> Statement:
    """Return the statement a key's policy needs, for an exporter that may not exist yet."""
    return {
        "Sid": "NhiEvidenceReads",
        "Effect": "Allow",
        "Principal": {"AWS": f"{feed.role_arn.split(':role/')[0]}:root"},
        "Action": ["kms:Decrypt"],
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": feed.role_arn}, **feed.through_s3},
    }
