"""What can go wrong between an evidence bucket and its replica (docs/operations.md).

S3 publishes failures in the region of the bucket, but the latency in the region of the replica, and
alarms read metrics of their own region alone:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import AT_ONCE, Alarm, metric
from nhi_evidence.config import EvidenceBucket, naming
from nhi_evidence.config.tables import Replica

BEHIND = Duration.hours(6)
STOPPED_HOURS = 6
"""S3 delivers metrics with best effort: single hours without one mean nothing."""


def failures(scope: Construct, store: EvidenceBucket, replica: Replica, *, target: str) -> Alarm:
    """Make the alarm in the region of the bucket."""
    return Alarm(
        scope,
        "replication-failed",
        alarm_name=f"nhi-evidence-{store.id}-replication-failed",
        meaning="Objects could not be copied to the replica.",
        metrics={"value": _metric("OperationsFailedReplication", store, replica)},
        expression="value",
        period=AT_ONCE,
        above=0,
        # It has no data where nothing is copied.
        missing="notBreaching",
        target=target,
    )


class ReplicaAlarms(Construct):
    """In the region of the replica: it is behind, or its rule no longer exists.

    A rule with metrics publishes its latency whether or not anything is copied; nothing does so for
    a rule that was removed, or whose destination was. S3 does not say in which account: taken to be
    the bucket's. Were that wrong, the second alarm would be raised from the beginning.
    """

    def __init__(
        self, scope: Construct, name: str, *, store: EvidenceBucket, replica: Replica, target: str
    ) -> None:
        super().__init__(scope, name)
        latency = _metric("ReplicationLatency", store, replica)
        self.alarms = [
            Alarm(
                self,
                "replication-behind",
                alarm_name=f"nhi-evidence-{store.id}-replication-behind",
                meaning="The replica is more than six hours behind.",
                metrics={"value": latency},
                expression="value",
                statistic="Maximum",
                period=AT_ONCE,
                above=BEHIND.to_seconds(),
                # The next alarm is about that.
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "replication-stopped",
                alarm_name=f"nhi-evidence-{store.id}-replication-stopped",
                meaning=(
                    f"S3 published no replication metric for {STOPPED_HOURS} hours: the rule, its "
                    "metrics or the replica may have been removed."
                ),
                metrics={"value": latency},
                expression="value",
                statistic="SampleCount",
                period=Duration.hours(1),
                periods=STOPPED_HOURS,
                below=1,
                # Also raised once by a deployment, until the first hour with a value: nothing else
                # in this region shows since when there could have been one.
                missing="breaching",
                target=target,
            ),
        ]


def _metric(
    name: str, store: EvidenceBucket, replica: Replica
) -> cloudwatch.CfnAlarm.MetricProperty:
    where = {
        "SourceBucket": store.bucket,
        "DestinationBucket": replica.bucket,
        "RuleId": naming.REPLICATION_RULE,
    }
    return metric("AWS/S3", name, where)
