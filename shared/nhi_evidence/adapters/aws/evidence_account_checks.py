"""Looking at the evidence account: the lock, who may write, the sealer, its key, what came last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

from nhi_evidence.adapters.aws.aws_checks import AwsChecks, Judged
from nhi_evidence.checks import Check
from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.bucket_policy import evidence_policy
from nhi_evidence.config.documents import Statement

DEPLOY = "deploy again: cdk deploy"
_STALE = timedelta(hours=2)
_SPECS = {"ed25519": "ECC_NIST_EDWARDS25519", "p256": "ECC_NIST_P256"}
_EXPIRING = ("ev/", "op/")


class Clients(Protocol):
    """Makes clients of one account."""

    def client(self, service: str, region: str) -> Any:
        """Return a client of a service in a region."""
        ...


def checks(config: Config, clients: Clients, now: datetime) -> Iterator[Check]:
    """Yield every check of the evidence account."""
    account = config.evidence.account
    for bucket in config.evidence.buckets:
        checks_of = AwsChecks(f"evidence account {account}, {bucket.bucket}")
        s3 = clients.client("s3", bucket.region)
        owned = {"Bucket": bucket.bucket, "ExpectedBucketOwner": account}
        yield from _bucket(checks_of, s3, owned, bucket, _policy(config, bucket))
        yield from _roles(checks_of, clients.client("iam", bucket.region), config, bucket)
        yield from _sealing(checks_of, clients, config, bucket)
        yield from _newest(checks_of, s3, owned, config=config, bucket=bucket, now=now)


def _policy(config: Config, bucket: EvidenceBucket) -> list[Statement]:
    """Return the policy the stacks give an evidence bucket."""
    sealer = naming.function(bucket.name, "sealer")
    return evidence_policy(
        naming.bucket_arn(bucket.region, bucket.bucket),
        organization=config.organization.id,
        sealer=naming.role_arn(bucket.region, config.evidence.account, sealer),
        retention_days=bucket.retention_days,
        grace_days=bucket.grace_days,
        legal_role=config.evidence.legal_role,
    )


def _bucket(
    checks_of: AwsChecks,
    s3: Any,
    owned: dict[str, str],
    bucket: EvidenceBucket,
    policy: list[Statement],
) -> Iterator[Check]:
    yield from checks_of.look(
        "lock",
        lambda: s3.get_object_lock_configuration(**owned),
        lambda answer: _locked(answer, bucket.retention_days),
        f"the bucket must lock each version for {bucket.retention_days} days in COMPLIANCE mode; "
        "a bucket made without Object Lock cannot be mended: make another",
    )
    yield from checks_of.look(
        "versioning",
        lambda: s3.get_bucket_versioning(**owned),
        lambda answer: (answer.get("Status") == "Enabled", str(answer.get("Status"))),
        DEPLOY,
    )
    yield from checks_of.look(
        "encryption",
        lambda: s3.get_bucket_encryption(**owned),
        _encrypted,
        "a key that can be disabled makes locked evidence unreadable: set AES256",
    )
    yield from checks_of.look(
        "policy",
        lambda: s3.get_bucket_policy(**owned),
        lambda answer: _policy_differences(json.loads(answer["Policy"]), policy),
        f"somebody changed it; CloudTrail says who (PutBucketPolicy). Then {DEPLOY}",
    )
    yield from checks_of.look(
        "lifecycle",
        lambda: s3.get_bucket_lifecycle_configuration(**owned),
        lambda answer: _expires(answer, bucket.retention_days + bucket.grace_days),
        DEPLOY,
    )
    yield from checks_of.look(
        "public access",
        lambda: s3.get_public_access_block(**owned),
        lambda answer: _private(answer["PublicAccessBlockConfiguration"]),
        DEPLOY,
    )


def _locked(answer: dict[str, Any], days: int) -> Judged:
    rule = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
    mode, lock_days = rule.get("Mode"), rule.get("Days") or 365 * (rule.get("Years") or 0)
    return mode == "COMPLIANCE" and lock_days >= days, f"{mode or 'no default'}, {lock_days} days"


def _encrypted(answer: dict[str, Any]) -> Judged:
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
    algorithms = [one["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for one in rules]
    return algorithms == ["AES256"], ", ".join(algorithms)


def _policy_differences(policy: dict[str, Any], expected: list[Statement]) -> Judged:
    """Whether a bucket's policy is what the stacks write, statement by statement."""
    actual = {str(one.get("Sid")): _comparable(one) for one in policy["Statement"]}
    wanted = {str(one["Sid"]): _comparable(one) for one in expected}
    differences = {
        "missing": wanted.keys() - actual.keys(),
        "changed": {sid for sid in wanted.keys() & actual.keys() if wanted[sid] != actual[sid]},
        "added": actual.keys() - wanted.keys(),
    }
    deviations = [
        f"{kind}: {', '.join(sorted(sids))}" for kind, sids in differences.items() if sids
    ]
    return not deviations, "; ".join(deviations) or f"{len(wanted)} statements, as deployed"


def _comparable(value: Any) -> Any:
    """Return a part of a policy without what S3 may write otherwise: order, and lists of one."""
    if isinstance(value, dict):
        if value.keys() == {"AWS"} and value["AWS"] == "*":
            return ["*"]
        return {key: _comparable(part) for key, part in value.items()}
    return sorted(str(part) for part in _listed(value))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _expires(answer: dict[str, Any], days: int) -> Judged:
    expiry = {
        one.get("Filter", {}).get("Prefix", one.get("Prefix", "")): one["Expiration"]["Days"]
        for one in answer["Rules"]
        if one["Status"] == "Enabled" and "Days" in one.get("Expiration", {})
    }
    is_ok = all(expiry.get(prefix) == days for prefix in _EXPIRING)
    return is_ok, ", ".join(f"{prefix or 'all'} {after} days" for prefix, after in expiry.items())


def _private(block: dict[str, bool]) -> Judged:
    off = sorted(name for name, on in block.items() if not on)
    return not off and len(block) == len(_BLOCKS), f"off: {', '.join(off)}" if off else "blocked"


_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _roles(
    checks_of: AwsChecks, iam: Any, config: Config, bucket: EvidenceBucket
) -> Iterator[Check]:
    names = [naming.writer(bucket.name, one.source) for one in _trusted(config, bucket)]
    names += [naming.auditor(bucket.name, one.name) for one in config.auditors]
    for name in dict.fromkeys(names):
        yield from checks_of.look(
            f"role {name}",
            lambda name=name: iam.get_role(RoleName=name),  # type: ignore[misc]
            lambda answer: (True, str(answer["Role"]["Arn"])),
            DEPLOY,
        )


def _trusted(config: Config, bucket: EvidenceBucket) -> Iterable[Any]:
    """Sources whose writer role is made: of another cloud, once its identity is known."""
    for entry in config.sources_in(bucket.name):
        unknown = (
            entry.source == "gcp_audit" and not (config.gcp and config.gcp.service_account_id)
        ) or (
            entry.source == "azure_monitor"
            and not (config.azure and config.azure.managed_identity_object_id)
        )
        if not unknown:
            yield entry


def _sealing(
    checks_of: AwsChecks, clients: Clients, config: Config, bucket: EvidenceBucket
) -> Iterator[Check]:
    functions = clients.client("lambda", bucket.region)
    name = naming.function(bucket.name, "sealer")
    yield from checks_of.look(
        f"function {name}",
        lambda: functions.get_function_configuration(FunctionName=name),
        lambda answer: (answer.get("State", "Active") == "Active", answer.get("State", "Active")),
        DEPLOY,
    )
    kms, alias = clients.client("kms", bucket.region), f"alias/nhi-evidence-{bucket.name}"
    wanted = _SPECS[config.evidence.signer]
    yield from checks_of.look(
        f"signing key {alias}",
        lambda: kms.describe_key(KeyId=alias)["KeyMetadata"],
        lambda key: (
            key["KeyState"] == "Enabled" and key.get("KeySpec") == wanted,
            f"{key['KeyState']}, {key.get('KeySpec')}",
        ),
        f"the log cannot be signed; enable the key, or cancel its deletion. It must be {wanted}",
    )


def _newest(
    checks_of: AwsChecks,
    s3: Any,
    owned: dict[str, str],
    *,
    config: Config,
    bucket: EvidenceBucket,
    now: datetime,
) -> Iterator[Check]:
    yield from checks_of.look(
        "newest checkpoint",
        lambda: _last(s3, owned, f"log/v1/{now:%Y}/checkpoint/"),
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
                owned,
                *(f"ev/v1/{source}/h={now - timedelta(hours=n):%Y%m%d%H}/" for n in _HOURS),
            ),
            lambda at: (at is not None, f"newest {at:%Y-%m-%dT%H:%M:%SZ}" if at else "none"),
            "nothing of the last day: follow the way from the source "
            "(docs/operations.md, `silence`)",
        )


_HOURS = range(25)


def _last(s3: Any, owned: dict[str, str], *prefixes: str) -> datetime | None:
    """Return when the newest object under the first prefix that holds any was written."""
    for prefix in prefixes:
        pages = s3.get_paginator("list_objects_v2").paginate(**owned, Prefix=prefix)
        times = [one["LastModified"] for page in pages for one in page.get("Contents", [])]
        if times:
            newest: datetime = max(times)
            return newest
    return None
