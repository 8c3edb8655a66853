"""The destination that log groups of other accounts subscribe to, in front of a stream."""

from __future__ import annotations

import json

from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws.planned_role import PlannedRole
from nhi_evidence.config import documents
from nhi_evidence.config.aws import streams
from nhi_evidence.config.aws.streams import StreamPlan


class LogDestination(Construct):
    """A CloudWatch Logs destination, which only the named accounts may subscribe to."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: StreamPlan,
        stream: firehose.CfnDeliveryStream,
    ) -> None:
        super().__init__(scope, name)
        self.arn = plan.destination_arn
        role = PlannedRole(self, "Sender", plan=streams.sending_role(plan))
        destination = logs.CfnDestination(
            self,
            "Destination",
            destination_name=plan.name,
            role_arn=role.resource.attr_arn,
            target_arn=plan.arn,
            destination_policy=json.dumps(
                documents.document(streams.destination_policy(plan, self.arn))
            ),
        )
        # CloudWatch Logs sends a test message before it accepts a destination.
        destination.add_resource_dependency(stream)
