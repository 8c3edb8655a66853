"""Send every event of a partner's bus to a stream, and undeliverable ones to a queue."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.aws import acknowledged
from infra.aws.planned_role import PlannedRole
from infra.aws.redelivery import RETENTION_SECONDS
from nhi_evidence.config import documents
from nhi_evidence.config.aws import streams
from nhi_evidence.config.aws.streams import StreamPlan

_RETRIED = Duration.days(1)
_ATTEMPTS = 185
"""The longest time and the most retries that EventBridge allows.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""


class EventRule(Construct):
    """The bus of one partner event source, and a rule that forwards every event unchanged.

    The event source must exist: the partner creates it, and it is pending until a bus is
    associated.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: StreamPlan,
        stream: firehose.CfnDeliveryStream,
    ) -> None:
        super().__init__(scope, name)
        source = plan.stream.bus
        if source is None:
            raise ValueError(f"{plan.name} is not fed by an event bus")
        bus = events.CfnEventBus(self, "Bus", name=source, event_source_name=source)
        self.dead_letters = sqs.CfnQueue(
            self,
            "DeadLetters",
            queue_name=plan.dead_letters,
            message_retention_period=RETENTION_SECONDS,
            sqs_managed_sse_enabled=True,
        )
        acknowledged.rule(
            self.dead_letters,
            f"{acknowledged.SOLUTIONS}SQS3",
            "It is itself the dead-letter queue of a rule; messages are read only by an "
            "operator, whom an alarm calls.",
        )
        # Its messages are the events themselves, which exist nowhere else: they outlive the stack,
        # and a stream's other name. Messages of the other queues name files that still exist.
        self.dead_letters.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        dead = self.dead_letters.attr_arn
        policy = sqs.CfnQueuePolicy(
            self,
            "DeadPolicy",
            queues=[self.dead_letters.ref],
            policy_document=documents.document(streams.dead_letters_policy(plan)),
        )
        role = PlannedRole(self, "Sender", plan=streams.sending_role(plan))
        rule = events.CfnRule(
            self,
            "Rule",
            name=plan.name,
            event_bus_name=source,
            event_pattern={"source": [source]},
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="stream",
                    arn=plan.arn,
                    role_arn=role.resource.attr_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=_RETRIED.to_seconds(),
                        maximum_retry_attempts=_ATTEMPTS,
                    ),
                )
            ],
        )
        for before in (bus, policy, stream):
            rule.add_resource_dependency(before)
