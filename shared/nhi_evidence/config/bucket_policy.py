"""What the evidence bucket denies, whoever asks (docs/threat-model.md, "The bucket's policy").

Every statement is a Deny: this policy allows nobody anything. Roles of the evidence account are
allowed by their own policies, one prefix each.
"""

from __future__ import annotations

from nhi_evidence.config.documents import Statement, deny, deny_outside

OLDEST_TLS = "1.2"

DELETES = ("s3:DeleteObject", "s3:DeleteObjectVersion")
REPLICATION = ("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags")
ANNOTATIONS = (
    "s3:PutObjectAnnotation",
    "s3:PutObjectVersionAnnotation",
    "s3:DeleteObjectAnnotation",
    "s3:DeleteObjectVersionAnnotation",
    "s3:ReplicateObjectAnnotation",
)
"""Annotations can be put on locked objects, and changed: nothing of ours reads them, but anyone who
views an object in the console would."""

ACLS_AND_TAGS = (
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
    "s3:PutBucketAcl",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersionTagging",
)

_HEADERS = {
    "ServerSideEncryptionOtherThanS3": ("s3:x-amz-server-side-encryption", "AES256"),
    "StorageClass": ("s3:x-amz-storage-class", "STANDARD"),
}
"""Headers of a PUT that must be absent or have this value."""

_NO_HEADERS = {
    "CustomerKey": "s3:x-amz-server-side-encryption-customer-algorithm",
    "KmsKey": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "LockEventHold": "s3:object-lock-event-hold",
    "Acl": "s3:x-amz-acl",
}
"""Headers of a PUT that must be absent, as the bucket decides about keys and owners."""

_LOCK_HEADERS = {
    "LockMode": "s3:object-lock-mode",
    "LockUntil": "s3:object-lock-retain-until-date",
}
_REMAINING = "s3:object-lock-remaining-retention-days"

LONGEST_YEAR = 366
"""Maximum days of a calendar year, which is a shard of the log."""


def evidence_policy(
    bucket: str,
    *,
    organization: str,
    sealer: str,
    retention_days: int,
    grace_days: int,
    legal_role: str | None = None,
) -> list[Statement]:
    """Return the statements for the evidence bucket with this ARN.

    Only principals of the organization with the id `organization` may access it. `sealer` is the
    ARN of the role that may lock the log for longer than the bucket's own `retention_days`;
    `legal_role` the ARN of the role that may set and release legal holds, if any.
    """
    objects = f"{bucket}/*"
    return [
        *transport(bucket),
        deny_outsiders(bucket, organization),
        access_points(bucket),
        deny(
            # Without the header, a PUT would put a second version over the first. This also rules
            # out multipart uploads and copies, which no writer makes.
            "NotCreateOnly",
            ["s3:PutObject"],
            objects,
            {"Null": {"s3:if-none-match": "true"}},
        ),
        *(
            # A negated operator is also true if the key is missing, so its presence is required.
            deny(
                sid,
                ["s3:PutObject"],
                objects,
                {"Null": {key: "false"}, "StringNotEquals": {key: v}},
            )
            for sid, (key, v) in _HEADERS.items()
        ),
        *(
            deny(sid, ["s3:PutObject"], objects, {"Null": {key: "false"}})
            for sid, key in _NO_HEADERS.items()
        ),
        *unconditional_denies(objects),
        *log_locks(bucket, sealer, shortest=retention_days, longest=LONGEST_YEAR + grace_days),
        legal_holds(objects, legal_role),
        deny("Replication", [*REPLICATION, "s3:ObjectOwnerOverrideToBucketOwner"], objects),
        deny("AclsAndTags", ACLS_AND_TAGS, [bucket, objects]),
    ]


def replica_policy(
    bucket: str, *, organization: str, replication_role: str, legal_role: str | None = None
) -> list[Statement]:
    """Return the statements for a replica: only the replication role can write to it."""
    objects = f"{bucket}/*"
    return [
        *transport(bucket),
        deny_outsiders(bucket, organization),
        access_points(bucket),
        {
            "Sid": "Replicate",
            "Effect": "Allow",
            "Principal": {"AWS": f"{replication_role.rsplit(':', 1)[0]}:root"},
            "Action": ["s3:ReplicateObject"],
            "Resource": objects,
            "Condition": {"ArnEquals": {"aws:PrincipalArn": replication_role}},
        },
        deny("Writes", ["s3:PutObject", "s3:ReplicateDelete", "s3:ReplicateTags"], objects),
        deny(
            "OtherReplication",
            ["s3:ReplicateObject"],
            objects,
            {"ArnNotEquals": {"aws:PrincipalArn": replication_role}},
        ),
        *unconditional_denies(objects),
        deny("Retention", ["s3:PutObjectRetention"], objects),
        legal_holds(objects, legal_role),
        deny("AclsAndTags", ACLS_AND_TAGS, [bucket, objects]),
    ]


def transport(bucket: str) -> list[Statement]:
    """Return the denies of requests without TLS, or with an old version of it."""
    both = [bucket, f"{bucket}/*"]
    return [
        deny("PlainHttp", ["s3:*"], both, {"Bool": {"aws:SecureTransport": "false"}}),
        deny("OldTls", ["s3:*"], both, {"NumericLessThan": {"s3:TlsVersion": OLDEST_TLS}}),
    ]


def deny_outsiders(bucket: str, organization: str) -> Statement:
    """Return the deny of every principal outside the organization.

    Web identities and auditors enter through a role of the evidence account, whose sessions belong
    to the organization, so they need no exception that could be abused.
    """
    return deny(
        "OutsideTheOrganization",
        ["s3:*"],
        [bucket, f"{bucket}/*"],
        {"StringNotEquals": {"aws:PrincipalOrgID": organization}},
    )


def access_points(bucket: str) -> Statement:
    """Return the deny of every request through an access point.

    Such a request names the access point instead of the bucket, and so evades what other policies
    say about the bucket's objects, such as the organization's, which let only our own roles write.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
    """
    return deny(
        "AccessPoints",
        ["s3:*"],
        [bucket, f"{bucket}/*"],
        {"Null": {"s3:DataAccessPointArn": "false"}},
    )


def unconditional_denies(objects: str) -> list[Statement]:
    """Return the denies that have no exception."""
    return [
        deny("Deletes", DELETES, objects),
        deny("Bypass", ["s3:BypassGovernanceRetention"], objects),
        deny("Reencryption", ["s3:UpdateObjectEncryption"], objects),
        deny("Annotations", ANNOTATIONS, objects),
    ]


def log_locks(bucket: str, sealer: str, *, shortest: int, longest: int) -> list[Statement]:
    """Return the denies of explicit locks, except by the sealer on the log.

    The log must outlive what it proves, so the sealer locks it until its shard's year is over and
    everything sealed in it has expired: in COMPLIANCE mode, for at least `shortest` days and at
    most `shortest + longest`. A PUT with lock headers also needs `s3:PutObjectRetention`.
    """
    log = f"{bucket}/log/*"
    others: dict[str, dict[str, str]] = {"ArnNotEquals": {"aws:PrincipalArn": sealer}}
    statements = [
        deny("RetentionByOthers", ["s3:PutObjectRetention"], f"{bucket}/*", others),
        deny_outside("RetentionElsewhere", ["s3:PutObjectRetention"], log),
    ]
    for sid, header in _LOCK_HEADERS.items():
        sent: dict[str, dict[str, str]] = {"Null": {header: "false"}}
        statements += [
            deny(f"{sid}ByOthers", ["s3:PutObject"], f"{bucket}/*", sent | others),
            deny_outside(f"{sid}Elsewhere", ["s3:PutObject"], log, sent),
        ]
    lock = ["s3:PutObject", "s3:PutObjectRetention"]
    bounds = {
        "OtherLockMode": ("s3:object-lock-mode", "StringNotEquals", "COMPLIANCE"),
        "ShorterLock": (_REMAINING, "NumericLessThan", str(shortest)),
        "LongerLock": (_REMAINING, "NumericGreaterThan", str(shortest + longest)),
    }
    # A negated operator is also true if the key is missing, so its presence is required.
    for sid, (key, operator, value) in bounds.items():
        condition = {"Null": {key: "false"}, operator: {key: value}}
        statements.append(deny(sid, lock, log, condition))
    return statements


def legal_holds(objects: str, legal_role: str | None) -> Statement:
    """Return the deny of legal holds, except by `legal_role`, if there is one."""
    condition = {"ArnNotEquals": {"aws:PrincipalArn": legal_role}} if legal_role else {}
    return deny("LegalHolds", ["s3:PutObjectLegalHold"], objects, condition)
