"""What the evidence bucket refuses, whoever asks (docs/threat-model.md, "The bucket's policy").

Every statement is a Deny: nobody is allowed anything here. Roles of the evidence account are
allowed by their own policies, one prefix each.
"""

from __future__ import annotations

from infra.aws.documents import Statement, deny

OLDEST_TLS = "1.2"

DELETES = ("s3:DeleteObject", "s3:DeleteObjectVersion")
REPLICATION = ("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags")
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
"""Headers of a PUT that may be absent, or say this one thing."""

_NO_HEADERS = {
    "CustomerKey": "s3:x-amz-server-side-encryption-customer-algorithm",
    "KmsKey": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "LockMode": "s3:object-lock-mode",
    "LockUntil": "s3:object-lock-retain-until-date",
    "LockEventHold": "s3:object-lock-event-hold",
    "Acl": "s3:x-amz-acl",
}
"""Headers of a PUT that must be absent: the bucket decides about lock, keys and owners."""


def evidence_policy(
    bucket: str, *, organization: str, legal_role: str | None = None
) -> list[Statement]:
    """Return the statements for the evidence bucket of this ARN.

    `organization` is the id whose principals alone may come near; `legal_role` the ARN that may
    set and release legal holds, if there is one.
    """
    objects = f"{bucket}/*"
    return [
        *transport(bucket),
        outsiders(bucket, organization),
        deny(
            # Without the header a PUT would put a second version over the first. It also rules
            # out multipart uploads and copies, neither of which any writer makes.
            "NotCreateOnly",
            ["s3:PutObject"],
            objects,
            {"Null": {"s3:if-none-match": "true"}},
        ),
        *(
            # A negated operator holds where the key is missing, too: so it is asked for first.
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
        *never(objects),
        legal_holds(objects, legal_role),
        deny("Replication", [*REPLICATION, "s3:ObjectOwnerOverrideToBucketOwner"], objects),
        deny("AclsAndTags", ACLS_AND_TAGS, [bucket, objects]),
    ]


def replica_policy(
    bucket: str, *, organization: str, replication_role: str, legal_role: str | None = None
) -> list[Statement]:
    """Return the statements for a replica: nothing enters it but through the replication role."""
    objects = f"{bucket}/*"
    return [
        *transport(bucket),
        outsiders(bucket, organization),
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
        *never(objects),
        legal_holds(objects, legal_role),
        deny("AclsAndTags", ACLS_AND_TAGS, [bucket, objects]),
    ]


def transport(bucket: str) -> list[Statement]:
    """Return the denies of requests that do not come over TLS, or over an old one."""
    both = [bucket, f"{bucket}/*"]
    return [
        deny("PlainHttp", ["s3:*"], both, {"Bool": {"aws:SecureTransport": "false"}}),
        deny("OldTls", ["s3:*"], both, {"NumericLessThan": {"s3:TlsVersion": OLDEST_TLS}}),
    ]


def outsiders(bucket: str, organization: str) -> Statement:
    """Return the deny of every principal outside the organization.

    Web identities and auditors come in by a role of the evidence account, whose sessions belong
    to the organization; so there is no exception for them to be abused.
    """
    return deny(
        "OutsideTheOrganization",
        ["s3:*"],
        [bucket, f"{bucket}/*"],
        {"StringNotEquals": {"aws:PrincipalOrgID": organization}},
    )


def never(objects: str) -> list[Statement]:
    """Return the denies without any exception."""
    return [
        deny("Deletes", DELETES, objects),
        deny("Bypass", ["s3:BypassGovernanceRetention"], objects),
        deny("Retention", ["s3:PutObjectRetention"], objects),
        deny("Reencryption", ["s3:UpdateObjectEncryption"], objects),
    ]


def legal_holds(objects: str, legal_role: str | None) -> Statement:
    """Return the deny of legal holds, except for the one role there may be."""
    condition = {"ArnNotEquals": {"aws:PrincipalArn": legal_role}} if legal_role else {}
    return deny("LegalHolds", ["s3:PutObjectLegalHold"], objects, condition)
