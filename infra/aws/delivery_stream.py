"""One Firehose stream: records in, files under a folder of its own out, exactly as they came."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws.planned_role import PlannedRole
from infra.aws.staged_function import LOG_DAYS
from nhi_evidence.config.aws import streams
from nhi_evidence.config.aws.streams import StreamPlan

_HOUR = "!{timestamp:yyyy/MM/dd/HH}/"
"""Hour of arrival, UTC, from which the source takes the hour of a file.

https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
"""
_LOG_STREAM = "delivery"


class DeliveryStream(Construct):
    """A stream that changes nothing: what a subscription has packed is not unpacked.

    Events of a bus are packed, once more than they were; both are read (`reading/json_files.py`).
    """

    def __init__(self, scope: Construct, name: str, *, plan: StreamPlan) -> None:
        super().__init__(scope, name)
        group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/kinesisfirehose/{plan.name}",
            retention=LOG_DAYS,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        errors = logs.CfnLogStream(
            self, "Errors", log_group_name=group.log_group_name, log_stream_name=_LOG_STREAM
        )
        role = PlannedRole(
            self,
            "Delivery",
            plan=streams.delivery_role(plan, log_group=group.log_group_arn),
            wide=streams.folders(plan),
            reason="The folders of this stream are what Firehose writes, and nothing else.",
        )
        is_packed = plan.stream.bus is None
        self.resource = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_name=plan.name,
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(
                    key_type="AWS_OWNED_CMK"
                )
            ),
            extended_s3_destination_configuration=(
                firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                    bucket_arn=plan.feed.bucket_arn,
                    role_arn=role.resource.attr_arn,
                    prefix=f"{plan.prefix}{_HOUR}",
                    error_output_prefix=f"{plan.undelivered}!{{firehose:error-output-type}}/{_HOUR}",
                    buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                        interval_in_seconds=streams.BUFFER_SECONDS,
                        size_in_m_bs=streams.BUFFER_MEGABYTES,
                    ),
                    compression_format="UNCOMPRESSED" if is_packed else "GZIP",
                    cloud_watch_logging_options=(
                        firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                            enabled=True,
                            log_group_name=group.log_group_name,
                            log_stream_name=_LOG_STREAM,
                        )
                    ),
                )
            ),
        )
        self.resource.add_resource_dependency(errors)
