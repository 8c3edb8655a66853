"""Replication of everything to a second locked bucket, in another account and region."""

from __future__ import annotations

from aws_cdk import aws_s3 as s3

from infra.aws.planned_role import PlannedRole
from nhi_evidence.config import naming


def replication(
    *, role: PlannedRole, replica_arn: str, replica_account: str
) -> s3.CfnBucket.ReplicationConfigurationProperty:
    """Return the configuration that replicates every object, and no deletion."""
    return s3.CfnBucket.ReplicationConfigurationProperty(
        role=role.resource.attr_arn,
        rules=[
            s3.CfnBucket.ReplicationRuleProperty(
                id=naming.REPLICATION_RULE,
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
