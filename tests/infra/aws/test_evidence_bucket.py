"""The locked bucket: its lock, its expiry, and everything its policy denies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.aws.estate import BUCKET, EVIDENCE, ORGANIZATION, Estate, Resource, arn
from tests.infra.aws.iam import Request, allows, statements

OBJECT = f"{BUCKET}/ev/v1/aws_cloudtrail/h=2026010100/unit/hash.ndjson.zst"
ADMINISTRATOR = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
LEGAL = arn(EVIDENCE, "legal")
GOOD_PUT = {
    "aws:PrincipalOrgID": ORGANIZATION,
    "aws:SecureTransport": "true",
    "s3:TlsVersion": "1.3",
    "s3:if-none-match": "*",
}
REFUSED_PUTS: dict[str, dict[str, str | None]] = {
    "without If-None-Match": {"s3:if-none-match": None},
    "over plain HTTP": {"aws:SecureTransport": "false"},
    "over TLS 1.1": {"s3:TlsVersion": "1.1"},
    "from another organization": {"aws:PrincipalOrgID": "o-elsewhere1"},
    "from no organization": {"aws:PrincipalOrgID": None},
    "encrypted by KMS": {"s3:x-amz-server-side-encryption": "aws:kms"},
    "encrypted by KMS twice": {"s3:x-amz-server-side-encryption": "aws:kms:dsse"},
    "naming a key": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:..."},
    "with a customer's key": {"s3:x-amz-server-side-encryption-customer-algorithm": "AES256"},
    "with a lock mode": {"s3:object-lock-mode": "GOVERNANCE"},
    "with a date of its own": {"s3:object-lock-retain-until-date": "2126-01-01T00:00:00Z"},
    "with an event hold": {"s3:object-lock-event-hold": "ON"},
    "with an ACL": {"s3:x-amz-acl": "public-read"},
    "into cold storage": {"s3:x-amz-storage-class": "DEEP_ARCHIVE"},
}
NEVER = (
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:BypassGovernanceRetention",
    "s3:PutObjectRetention",
    "s3:UpdateObjectEncryption",
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
    "s3:ReplicateTags",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersionTagging",
    "s3:PutObjectLegalHold",
    "s3:PutObjectAnnotation",
    "s3:PutObjectVersionAnnotation",
    "s3:DeleteObjectAnnotation",
    "s3:DeleteObjectVersionAnnotation",
    "s3:ReplicateObjectAnnotation",
)


def administrator(estate: Estate, action: str, **context: str | None) -> bool:
    """Return whether an administrator of the evidence account may; None removes a context key."""
    merged = {**GOOD_PUT, **context}
    request = Request(
        arn(EVIDENCE, "administrator"),
        action,
        OBJECT,
        {key: value for key, value in merged.items() if value is not None},
    )
    return allows(request, identity=ADMINISTRATOR, resource=[estate.bucket_policy], owner=EVIDENCE)


def bucket(estate: Estate, stack: str = "nhi-evidence-main-170b2e") -> dict[str, Any]:
    return estate.only("AWS::S3::Bucket", stack).properties


@pytest.mark.parametrize("stack", ["nhi-evidence-main-170b2e", "nhi-evidence-main-170b2e-replica"])
def test_every_version_is_locked_in_compliance_mode(estate: Estate, stack: str) -> None:
    """The bucket's default retention is R days, in the mode that nobody can undo."""
    properties = bucket(estate, stack)
    assert properties["ObjectLockEnabled"] is True
    assert {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 400}},
    } == properties["ObjectLockConfiguration"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}


@pytest.mark.parametrize("stack", ["nhi-evidence-main-170b2e", "nhi-evidence-main-170b2e-replica"])
def test_the_bucket_is_private_owner_enforced_and_encrypted_by_s3(
    estate: Estate, stack: str
) -> None:
    """No public access, no ACLs, and no customer managed key that could be deleted."""
    properties = bucket(estate, stack)
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert [{"ObjectOwnership": "BucketOwnerEnforced"}] == properties["OwnershipControls"]["Rules"]
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert {"SSEAlgorithm": "AES256"} == rule["ServerSideEncryptionByDefault"]
    assert {"EncryptionType": ["SSE-C"]} == rule["BlockedEncryptionTypes"]


@pytest.mark.parametrize("stack", ["nhi-evidence-main-170b2e", "nhi-evidence-main-170b2e-replica"])
def test_locked_buckets_outlive_their_stack(estate: Estate, stack: str) -> None:
    """Deleting the stack, or replacing its bucket, leaves bucket and policy."""
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"):
        assert KEPT == policies_of_removal(estate.only(kind, stack))


KEPT = ("RetainExceptOnCreate", "Retain")


def policies_of_removal(resource: Resource) -> tuple[str | None, str | None]:
    definition = resource.definition
    return definition.get("DeletionPolicy"), definition.get("UpdateReplacePolicy")


def test_a_failed_first_deployment_can_be_repeated(estate: Estate) -> None:
    """Retained resources have fixed names; a rollback removes them, so the names are free again."""
    kept = {one.kind for one in estate.resources if policies_of_removal(one) == KEPT}
    assert {
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::CloudTrail::Trail",
    } == kept
    assert "Retain" not in {policies_of_removal(one)[0] for one in estate.resources}


def test_evidence_expires_after_retention_and_grace_and_the_log_never(estate: Estate) -> None:
    """Expiry is at R + grace, only for data, and every rule has a prefix."""
    rules = bucket(estate)["LifecycleConfiguration"]["Rules"]
    expiring = {one["Prefix"]: one for one in rules if "ExpirationInDays" in one}
    assert {"ev/", "op/"} == set(expiring)
    assert {430} == {one["ExpirationInDays"] for one in expiring.values()}
    assert {"ev/", "op/"} == {one["Prefix"] for one in rules}
    archived = {prefix: one.get("Transitions") for prefix, one in expiring.items()}
    glacier = [{"StorageClass": "GLACIER_IR", "TransitionInDays": 30}]
    assert {"ev/": glacier, "op/": glacier} == archived


def test_a_good_put_is_not_refused(estate: Estate) -> None:
    """The denies do not affect what a writer does."""
    assert administrator(estate, "s3:PutObject")
    assert administrator(
        estate,
        "s3:PutObject",
        **{"s3:x-amz-server-side-encryption": "AES256", "s3:x-amz-storage-class": "STANDARD"},
    )


@pytest.mark.parametrize("what", REFUSED_PUTS)
def test_a_put_is_refused(estate: Estate, what: str) -> None:
    """Even an administrator of the evidence account cannot put an object any other way."""
    assert not administrator(estate, "s3:PutObject", **REFUSED_PUTS[what])


@pytest.mark.parametrize("action", NEVER)
def test_an_administrator_may_not(estate: Estate, action: str) -> None:
    """Anything that would end, weaken, hide or rewrite evidence is denied to everybody."""
    assert not administrator(estate, action)


LOG = f"{BUCKET}/log/v1/2026/checkpoint/000000000001"
SEALER = arn(EVIDENCE, "nhi-evidence-main-170b2e-sealer")
LONGEST = 400 + 366 + 30
GOOD_LOCK = {
    "s3:object-lock-mode": "COMPLIANCE",
    "s3:object-lock-retain-until-date": "2027-12-31T00:00:00Z",
    "s3:object-lock-remaining-retention-days": "700",
}
REFUSED_LOCKS: dict[str, dict[str, str]] = {
    "in governance mode": {"s3:object-lock-mode": "GOVERNANCE"},
    "shorter than R": {"s3:object-lock-remaining-retention-days": "399"},
    "beyond its year, R and grace": {"s3:object-lock-remaining-retention-days": f"{LONGEST + 1}"},
}


def may_lock(estate: Estate, action: str, principal: str, key: str, **lock: str) -> bool:
    request = Request(principal, action, key, {**GOOD_PUT, **GOOD_LOCK, **lock})
    return allows(request, identity=ADMINISTRATOR, resource=[estate.bucket_policy], owner=EVIDENCE)


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:PutObjectRetention"])
def test_only_the_sealer_locks_the_log_and_nothing_else(estate: Estate, action: str) -> None:
    """From R to the end of a year plus R and grace; nobody else locks anything, and it nothing
    else.
    """
    for days in (400, 700, LONGEST):
        remaining = {"s3:object-lock-remaining-retention-days": str(days)}
        assert may_lock(estate, action, SEALER, LOG, **remaining)
    assert not may_lock(estate, action, SEALER, OBJECT)
    for other in (arn(EVIDENCE, "administrator"), f"arn:aws:iam::{EVIDENCE}:root", LEGAL):
        assert not may_lock(estate, action, other, LOG)
        assert not may_lock(estate, action, other, OBJECT)


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:PutObjectRetention"])
@pytest.mark.parametrize("what", REFUSED_LOCKS)
def test_a_lock_of_the_log_is_refused(estate: Estate, action: str, what: str) -> None:
    """Even by the sealer: one that can be undone, ends before the evidence, or costs forever."""
    assert not may_lock(estate, action, SEALER, LOG, **REFUSED_LOCKS[what])


def test_the_sealer_may_leave_the_lock_to_the_bucket(estate: Estate) -> None:
    """Without lock headers none of this applies: absence does not satisfy a negated operator."""
    request = Request(SEALER, "s3:PutObject", LOG, GOOD_PUT)
    policies = [estate.bucket_policy]
    assert allows(request, identity=ADMINISTRATOR, resource=policies, owner=EVIDENCE)


def test_legal_holds_are_for_the_legal_role_alone(estate: Estate) -> None:
    """The one configured role may set a hold, and gains nothing else."""
    request = Request(LEGAL, "s3:PutObjectLegalHold", OBJECT, GOOD_PUT)
    policies = {"identity": ADMINISTRATOR, "resource": [estate.bucket_policy], "owner": EVIDENCE}
    assert allows(request, **policies)  # type: ignore[arg-type]
    for action in set(NEVER) - {"s3:PutObjectLegalHold"}:
        assert not allows(Request(LEGAL, action, OBJECT, GOOD_PUT), **policies)  # type: ignore[arg-type]


def test_the_policy_allows_nobody_anything(estate: Estate) -> None:
    """It has no Allow: roles have their own policies, and there is never a wildcard principal."""
    assert [] == statements(estate.bucket_policy)


def test_the_replica_takes_replicas_from_one_role_and_nothing_else(estate: Estate) -> None:
    """Not even an administrator of the replica account may write there."""
    policy = estate.only("AWS::S3::BucketPolicy", "nhi-evidence-main-170b2e-replica").properties[
        "PolicyDocument"
    ]
    objects = "arn:aws:s3:::nhi-evidence-replica-555566667777/ev/v1/x"
    replication = arn(EVIDENCE, "nhi-evidence-main-170b2e-replication")
    own_administrator = arn("555566667777", "administrator")

    def may(principal: str, action: str) -> bool:
        return allows(
            Request(principal, action, objects, GOOD_PUT),
            identity=ADMINISTRATOR,
            resource=[policy],
            owner="555566667777",
        )

    assert may(replication, "s3:ReplicateObject")
    assert not may(arn(EVIDENCE, "administrator"), "s3:ReplicateObject")
    for action in ("s3:ReplicateDelete", "s3:ReplicateTags", "s3:PutObject", *NEVER[:5]):
        assert not may(replication, action)
        assert not may(own_administrator, action)


def test_replication_copies_everything_but_deletions(estate: Estate) -> None:
    """Every object, to the replica's account, without delete markers."""
    (rule,) = bucket(estate)["ReplicationConfiguration"]["Rules"]
    assert {"Prefix": ""} == rule["Filter"]
    assert {"Status": "Disabled"} == rule["DeleteMarkerReplication"]
    assert "Enabled" == rule["Status"]
    assert {
        "Account": "555566667777",
        "Bucket": "arn:aws:s3:::nhi-evidence-replica-555566667777",
        "Metrics": {"Status": "Enabled"},
    } == rule["Destination"]
