"""One Firehose stream: it writes records, exactly as received, to files under its own prefix."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws.planned_role import PlannedRole
from infra.aws.staged_function import LOG_DAYS
from nhi_evidence.config.aws import streams
from nhi_evidence.config.aws.streams import StreamPlan

_LOG_STREAM = "delivery"


class DeliveryStream(Construct):
    """A stream that transforms nothing: what a log subscription compressed stays as it is.

    Events from a bus arrive uncompressed and are compressed here; `reading/json_files.py` reads
    both.
    """

    def __init__(self, scope: Construct, name: str, *, plan: StreamPlan) -> None:
        super().__init__(scope, name)
        group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=plan.log_group,
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
            reason="Firehose writes under the prefixes of this stream, and nowhere else.",
        )
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
                    prefix=plan.files,
                    error_output_prefix=plan.errors,
                    buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                        interval_in_seconds=streams.BUFFER_SECONDS,
                        size_in_m_bs=streams.BUFFER_MEGABYTES,
                    ),
                    compression_format=plan.compression,
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
