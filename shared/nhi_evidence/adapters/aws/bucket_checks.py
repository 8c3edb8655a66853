"""Checks of a bucket that the stacks make: every setting, compared with what they write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Clients, Judged, or_none
from nhi_evidence.adapters.aws.policy_differences import judged
from nhi_evidence.checks import Check
from nhi_evidence.config import naming
from nhi_evidence.config.aws.buckets import BucketPlan, LifecycleRule

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")

_NOT_COPIED = "ReplicationConfigurationNotFoundError"
_NO_RULES = "NoSuchLifecycleConfiguration"


NO_BUCKET = "NoSuchBucket"


def bucket(checks_of: AwsChecks, clients: Clients, plan: BucketPlan) -> Iterator[Check]:
    """Yield the checks of one bucket's own settings; a missing bucket is a single finding."""
    for check in _settings(checks_of, clients, plan):
        if check.observed == NO_BUCKET:
            yield msgspec.structs.replace(check, what="bucket", remediation=DEPLOY)
            return
        yield check


def _settings(checks_of: AwsChecks, clients: Clients, plan: BucketPlan) -> Iterator[Check]:
    s3 = clients.client("s3", plan.region)
    owned = {"Bucket": plan.name, "ExpectedBucketOwner": plan.account}
    if plan.lock_days is not None:
        days = plan.lock_days
        yield from checks_of.compare(
            "lock",
            lambda: s3.get_object_lock_configuration(**owned),
            lambda answer: locked(answer, days),
            f"the bucket must lock each version for {days} days in COMPLIANCE mode; "
            "a bucket created without Object Lock cannot be fixed: create another",
        )
    yield from checks_of.compare(
        "versioning",
        lambda: s3.get_bucket_versioning(**owned),
        lambda answer: (answer.get("Status") == "Enabled", str(answer.get("Status"))),
        DEPLOY,
    )
    yield from checks_of.compare(
        "encryption",
        lambda: s3.get_bucket_encryption(**owned),
        _encrypted,
        "a key that can be disabled makes locked evidence unreadable: set AES256",
    )
    yield from checks_of.compare(
        "policy",
        lambda: s3.get_bucket_policy(**owned),
        lambda answer: judged(json.loads(answer["Policy"]), plan.statements),
        f"somebody changed it; CloudTrail says who (PutBucketPolicy). Then {DEPLOY}",
    )
    yield from _expiry(checks_of, s3, owned, plan.lifecycle)
    yield from checks_of.compare(
        "ownership",
        lambda: s3.get_bucket_ownership_controls(**owned),
        _owned,
        DEPLOY,
    )
    yield from checks_of.compare(
        "public access",
        lambda: s3.get_public_access_block(**owned),
        lambda answer: _private(answer["PublicAccessBlockConfiguration"]),
        DEPLOY,
    )


def _expiry(
    checks_of: AwsChecks, s3: S3Client, owned: dict[str, str], rules: list[LifecycleRule]
) -> Iterator[Check]:
    def ask() -> Any:
        if rules:
            return s3.get_bucket_lifecycle_configuration(**owned)
        # No rules are wanted, so having none is OK.
        current = or_none(lambda: s3.get_bucket_lifecycle_configuration(**owned), _NO_RULES)
        return current or {"Rules": []}

    yield from checks_of.compare("lifecycle", ask, lambda answer: lifecycle(answer, rules), DEPLOY)


def replication(
    checks_of: AwsChecks, clients: Clients, plan: BucketPlan, *, replica: str | None, role: str
) -> Iterator[Check]:
    """Yield the check that a bucket is replicated only to the bucket with the ARN `replica`."""
    s3 = clients.client("s3", plan.region)
    owned = {"Bucket": plan.name, "ExpectedBucketOwner": plan.account}

    def ask() -> Any:
        answer = or_none(lambda: s3.get_bucket_replication(**owned), _NOT_COPIED)
        return [] if answer is None else _copies(answer["ReplicationConfiguration"])

    wanted = [] if replica is None else [_Copy(role=role, destination=replica)]
    yield from checks_of.compare(
        "replication",
        ask,
        lambda current: (current == wanted, "; ".join(map(str, current)) or "none"),
        f"somebody replicates it elsewhere, or no longer to the replica. {DEPLOY}",
    )


class _Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A replication rule; the defaults are those of the stacks."""

    id: str = naming.REPLICATION_RULE
    role: str
    status: str = "Enabled"
    destination: str
    only: str = ""
    """Prefix of what is copied, or by what else it is chosen; empty: everything."""
    markers: str = "Disabled"
    metrics: str = "Enabled"
    """Without them, no alarm on replication can be raised."""

    def __str__(self) -> str:
        return (
            f"{self.id} {self.status} to {self.destination} by {self.role}, "
            f"{self.only or 'all objects'}, delete markers {self.markers}, metrics {self.metrics}"
        )


def _copies(configuration: dict[str, Any]) -> list[_Copy]:
    return [
        _Copy(
            id=rule.get("ID", ""),
            role=configuration["Role"],
            status=rule["Status"],
            destination=rule["Destination"]["Bucket"],
            only=_only(rule),
            markers=rule.get("DeleteMarkerReplication", {}).get("Status", "Disabled"),
            metrics=rule["Destination"].get("Metrics", {}).get("Status", "Disabled"),
        )
        for rule in configuration["Rules"]
    ]


def _only(rule: dict[str, Any]) -> str:
    chosen = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    others = sorted(chosen.keys() - {"Prefix"})
    return f"filtered by {', '.join(others)}" if others else str(chosen.get("Prefix", ""))


def locked(answer: dict[str, Any], days: int) -> Judged:
    """Judge whether each version is locked in COMPLIANCE mode, for at least `days`."""
    rule = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
    mode, lock_days = rule.get("Mode"), rule.get("Days") or 365 * (rule.get("Years") or 0)
    return mode == "COMPLIANCE" and lock_days >= days, f"{mode or 'no default'}, {lock_days} days"


def lifecycle(answer: dict[str, Any], rules: list[LifecycleRule]) -> Judged:
    """Judge whether the rules are exactly those that the stacks write."""
    actual = {str(one.get("ID")): _rule(one) for one in answer["Rules"]}
    wanted = {one.id: one for one in rules}
    kinds = {
        "missing": wanted.keys() - actual.keys(),
        "changed": {name for name in wanted.keys() & actual.keys() if wanted[name] != actual[name]},
        "added": actual.keys() - wanted.keys(),
    }
    current = [f"{kind}: {', '.join(sorted(names))}" for kind, names in kinds.items() if names]
    if current:
        return False, "; ".join(current)
    expiry = [f"{one.prefix or 'all'} {one.expire_days} days" for one in rules if one.expire_days]
    return True, ", ".join(expiry) or "none, as deployed"


_KNOWN = {
    "ID",
    "Status",
    "Prefix",
    "Filter",
    "Expiration",
    "Transitions",
    "NoncurrentVersionExpiration",
}


def _rule(rule: dict[str, Any]) -> LifecycleRule | None:
    """Return a rule as the stacks would write it; None if they could not have written it."""
    place = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    expiration, moves = rule.get("Expiration", {}), rule.get("Transitions", [])
    if (
        rule["Status"] != "Enabled"
        or not rule.keys() <= _KNOWN
        or not place.keys() <= {"Prefix"}
        or not expiration.keys() <= {"Days", "ExpiredObjectDeleteMarker"}
        or [one.get("StorageClass") for one in moves] not in ([], ["GLACIER_IR"])
    ):
        return None
    noncurrent = rule.get("NoncurrentVersionExpiration", {})
    return LifecycleRule(
        id=rule["ID"],
        prefix=place.get("Prefix", ""),
        expire_days=expiration.get("Days"),
        noncurrent_days=noncurrent.get("NoncurrentDays"),
        archive_days=moves[0].get("Days") if moves else None,
        markers=bool(expiration.get("ExpiredObjectDeleteMarker")),
    )


def _encrypted(answer: dict[str, Any]) -> Judged:
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
    algorithms = [one["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for one in rules]
    return algorithms == ["AES256"], ", ".join(algorithms)


def _owned(answer: dict[str, Any]) -> Judged:
    rules = [one["ObjectOwnership"] for one in answer["OwnershipControls"]["Rules"]]
    return rules == ["BucketOwnerEnforced"], ", ".join(rules)


def _private(block: dict[str, bool]) -> Judged:
    off = sorted(name for name, on in block.items() if not on)
    return not off and len(block) == len(_BLOCKS), f"off: {', '.join(off)}" if off else "blocked"
