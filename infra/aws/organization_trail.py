"""A new organization trail and its bucket: every account, every region, digests included."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws import documents
from infra.aws.bucket_policy import transport
from infra.aws.documents import Statement
from nhi_evidence.config.naming import bucket_arn, partition

CLOUDTRAIL = "cloudtrail.amazonaws.com"
S3_OBJECTS = "AWS::S3::Object"

_Selector = cloudtrail.CfnTrail.AdvancedEventSelectorProperty
_Field = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty


class OrganizationTrail(Construct):
    """A trail of the whole organization into a bucket of the log-archive account.

    It records management events, reads and writes, and data events of `data_events`: resource
    types such as `AWS::S3::Object`. `queue_arn` is notified of each file under `prefix`. Files
    expire after `keep_days`, or never. The account must be CloudTrail's delegated administrator;
    the trail belongs to the management account all the same:
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-delegated-administrator.html
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        trail: str,
        bucket: str,
        region: str,
        organization: str,
        management_account: str,
        key_prefix: str,
        data_events: Sequence[str],
        evidence_buckets: Sequence[str],
        queue_arn: str,
        notified_prefix: str,
        keep_days: int | None,
        kms_key: str | None,
    ) -> None:
        super().__init__(scope, name)
        here = bucket_arn(region, bucket)
        trail_arn = (
            f"arn:{partition(region)}:cloudtrail:{region}:{management_account}:trail/{trail}"
        )
        self.bucket = s3.CfnBucket(
            self,
            "Bucket",
            bucket_name=bucket,
            versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
            bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    s3.CfnBucket.ServerSideEncryptionRuleProperty(
                        server_side_encryption_by_default=(
                            s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                                sse_algorithm="AES256"
                            )
                        )
                    )
                ]
            ),
            ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
                rules=[
                    s3.CfnBucket.OwnershipControlsRuleProperty(
                        object_ownership="BucketOwnerEnforced"
                    )
                ]
            ),
            public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
            lifecycle_configuration=None if keep_days is None else _expiry(keep_days),
            notification_configuration=s3.CfnBucket.NotificationConfigurationProperty(
                queue_configurations=[
                    s3.CfnBucket.QueueConfigurationProperty(
                        event="s3:ObjectCreated:*",
                        queue=queue_arn,
                        filter=s3.CfnBucket.NotificationFilterProperty(
                            s3_key=s3.CfnBucket.S3KeyFilterProperty(
                                rules=[
                                    s3.CfnBucket.FilterRuleProperty(
                                        name="prefix", value=notified_prefix
                                    )
                                ]
                            )
                        ),
                    )
                ]
            ),
        )
        self.bucket.apply_removal_policy(RemovalPolicy.RETAIN)
        policy = s3.CfnBucketPolicy(
            self,
            "Policy",
            bucket=bucket,
            policy_document=documents.document(
                [
                    *transport(here),
                    *_deliveries(here, key_prefix, trail_arn, management_account, organization),
                ]
            ),
        )
        policy.add_resource_dependency(self.bucket)
        self.trail = cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=trail,
            is_logging=True,
            is_multi_region_trail=True,
            is_organization_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            s3_bucket_name=self.bucket.ref,
            s3_key_prefix=key_prefix.rstrip("/") or None,
            kms_key_id=kms_key,
            advanced_event_selectors=_selectors(data_events, here, region, evidence_buckets),
        )
        self.trail.add_resource_dependency(policy)


def _deliveries(
    here: str, key_prefix: str, trail_arn: str, management: str, organization: str
) -> list[Statement]:
    """What CloudTrail itself needs, for this one trail.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    service = {"Service": CLOUDTRAIL}
    this_trail = {"aws:SourceArn": trail_arn}
    statements: list[Statement] = [
        {
            "Sid": "TrailAcl",
            "Effect": "Allow",
            "Principal": service,
            "Action": ["s3:GetBucketAcl"],
            "Resource": here,
            "Condition": {"StringEquals": this_trail},
        }
    ]
    for sid, folder in (("TrailFiles", management), ("TrailFilesOfOrganization", organization)):
        statements.append(
            {
                "Sid": sid,
                "Effect": "Allow",
                "Principal": service,
                "Action": ["s3:PutObject"],
                "Resource": f"{here}/{key_prefix}AWSLogs/{folder}/*",
                "Condition": {
                    "StringEquals": {**this_trail, "s3:x-amz-acl": "bucket-owner-full-control"}
                },
            }
        )
    return statements


def _selectors(
    data_events: Sequence[str], trail_bucket: str, region: str, evidence_buckets: Sequence[str]
) -> list[object]:
    """Management events whole; data events without those that writing evidence itself makes.

    Recording what the exporter writes would make a file of it, to be exported in turn, for ever.
    Reads of the evidence are recorded: they are who looked.
    """
    evidence = [f"{bucket_arn(region, one)}/" for one in evidence_buckets]
    selectors = [
        _Selector(
            name="Management events, reads and writes",
            field_selectors=[_Field(field="eventCategory", equal_to=["Management"])],
        )
    ]
    for kind in data_events:
        fields = [
            _Field(field="eventCategory", equal_to=["Data"]),
            _Field(field="resources.type", equal_to=[kind]),
        ]
        if kind == S3_OBJECTS:
            own = [f"{trail_bucket}/", *evidence]
            fields.append(_Field(field="resources.ARN", not_starts_with=own))
        selectors.append(_Selector(name=f"Data events of {kind}", field_selectors=fields))
    if S3_OBJECTS in data_events:
        selectors.append(
            _Selector(
                name="Reads of evidence",
                field_selectors=[
                    _Field(field="eventCategory", equal_to=["Data"]),
                    _Field(field="resources.type", equal_to=[S3_OBJECTS]),
                    _Field(field="resources.ARN", starts_with=evidence),
                    _Field(field="readOnly", equal_to=["true"]),
                ],
            )
        )
    return list(selectors)


def _expiry(days: int) -> s3.CfnBucket.LifecycleConfigurationProperty:
    return s3.CfnBucket.LifecycleConfigurationProperty(
        rules=[
            s3.CfnBucket.RuleProperty(
                id="expire",
                status="Enabled",
                expiration_in_days=days,
                noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(
                    noncurrent_days=1
                ),
            )
        ]
    )
