"""Have one of our buckets notify a queue of each object created under one prefix."""

from __future__ import annotations

from aws_cdk import aws_s3 as s3


def notifications(queue: str, prefix: str) -> s3.CfnBucket.NotificationConfigurationProperty:
    """Return the bucket's notification configuration; `queue` is the ARN of an existing queue.

    S3 tests the destination before it accepts it.
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
