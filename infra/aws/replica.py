"""A second locked copy, in another account and region: what is needed at either end."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws import acknowledged
from nhi_evidence.config import documents
from nhi_evidence.config.documents import allow, service_trust

RULE = "everything"
"""Id of the replication rule; its metrics go by it."""

FROM_SOURCE = (
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectRetention",
    "s3:GetObjectLegalHold",
)


class ReplicationRole(Construct):
    """The role S3 copies with: it reads one bucket and replicates objects into one other.

    It may replicate neither deletions nor tags, and it may not hand over ownership: the replica
    owns what it holds.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        role_name: str,
        account: str,
        source_arn: str,
        replica_arn: str,
    ) -> None:
        super().__init__(scope, name)
        self.resource = iam.CfnRole(
            self,
            "Role",
            role_name=role_name,
            assume_role_policy_document=service_trust(
                "s3.amazonaws.com",
                {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnEquals": {"aws:SourceArn": source_arn},
                },
            ),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="replicate",
                    policy_document=documents.document(
                        [
                            allow(
                                "Source",
                                ["s3:GetReplicationConfiguration", "s3:ListBucket"],
                                source_arn,
                            ),
                            allow("Versions", FROM_SOURCE, f"{source_arn}/*"),
                            allow("Replica", ["s3:ReplicateObject"], f"{replica_arn}/*"),
                        ]
                    ),
                )
            ],
        )
        acknowledged.prefixes(
            self,
            [f"{source_arn}/*", f"{replica_arn}/*"],
            "Everything is replicated: the role reads versions and makes their copies, only.",
        )


def replication(
    *, role: ReplicationRole, replica_arn: str, replica_account: str
) -> s3.CfnBucket.ReplicationConfigurationProperty:
    """Return the configuration that copies every object, and no deletion."""
    return s3.CfnBucket.ReplicationConfigurationProperty(
        role=role.resource.attr_arn,
        rules=[
            s3.CfnBucket.ReplicationRuleProperty(
                id=RULE,
                status="Enabled",
                priority=1,
                filter=s3.CfnBucket.ReplicationRuleFilterProperty(prefix=""),
                delete_marker_replication=s3.CfnBucket.DeleteMarkerReplicationProperty(
                    status="Disabled"
                ),
                destination=s3.CfnBucket.ReplicationDestinationProperty(
                    bucket=replica_arn,
                    account=replica_account,
                    metrics=s3.CfnBucket.MetricsProperty(status="Enabled"),
                ),
            )
        ],
    )
