"""A bucket of ours that tells one queue of each object created under one prefix."""

from __future__ import annotations

from aws_cdk import aws_s3 as s3


def notifications(queue: str, prefix: str) -> s3.CfnBucket.NotificationConfigurationProperty:
    """Return the setting of the bucket; `queue` is an ARN, of a queue that is there already.

    S3 tries the destination before it accepts it.
    """
    rule = s3.CfnBucket.FilterRuleProperty(name="prefix", value=prefix)
    return s3.CfnBucket.NotificationConfigurationProperty(
        queue_configurations=[
            s3.CfnBucket.QueueConfigurationProperty(
                event="s3:ObjectCreated:*",
                queue=queue,
                filter=s3.CfnBucket.NotificationFilterProperty(
                    s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[rule])
                ),
            )
        ]
    )
