"""The evidence account: the function that forwards new evidence to a subscriber, one way."""

from __future__ import annotations

from aws_cdk import CfnOutput
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.aws import acknowledged
from infra.aws.entra_provider import EntraProvider
from infra.aws.environment import variables
from infra.aws.notified_queue import notifications
from infra.aws.planned_role import PlannedRole
from infra.aws.private_bucket import PrivateBucket
from infra.aws.protected_stack import ProtectedStack
from infra.aws.redelivery import RETENTION_SECONDS, redelivery
from infra.aws.staged_function import StagedFunction
from infra.bundle import Bundle
from infra.declaration import DeclarationError, Sqs
from nhi_evidence.adapters.aws.function_settings import forwarder_settings
from nhi_evidence.config import documents, naming
from nhi_evidence.config.aws import subscription as plan
from nhi_evidence.config.aws.subscription import Subscription
from nhi_evidence.config.aws.web_trust import SENTINEL

_READ = (
    "The function forwards new evidence: it reads that prefix, and writes only the subscriber's."
)
_LINES = "The subscriber reads the lines of all sources, which is all the bucket holds."


class ForwardStack(ProtectedStack):
    """The function with its queue, and the subscriber's bucket, queue and role.

    Deployed before the evidence stack, whose bucket notifies the function's queue.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        what: Subscription,
        bundle: Bundle,
        architecture: str | None = None,
    ) -> None:
        store = what.store
        super().__init__(
            scope,
            name,
            account=what.account,
            region=store.region,
            description=f"forwards new evidence of {store.bucket} to a subscriber",
        )
        self.what = what
        trigger = bundle.declaration.trigger
        if not isinstance(trigger, Sqs):
            raise DeclarationError(
                f"{bundle.name}: new objects arrive through SQS, not through {trigger}"
            )
        numbers = redelivery(bundle.declaration)
        policies = plan.queue_policies(what)
        source, _ = self._queue(
            "Delivery", what.forwarder, policies, numbers.visibility, numbers.max_receive_count
        )
        _, policy = self._queue(
            "Subscriber",
            what.name,
            policies,
            plan.SUBSCRIBER_VISIBILITY,
            plan.SUBSCRIBER_RECEIVES,
        )
        bucket = PrivateBucket(
            self,
            "Lines",
            plan=plan.bucket(what),
            notification_configuration=notifications(what.queue_arn(what.name), plan.LINES),
        )
        bucket.resource.add_resource_dependency(policy)
        self._function(bundle, trigger, source, architecture)
        PlannedRole(
            self,
            "Role",
            plan=plan.subscriber_role(what),
            wide=[f"{what.bucket_arn}/{plan.LINES}*"],
            reason=_LINES,
        )
        self._sentinel()
        for key, value in (("Queue", what.queue_arn(what.name)), ("Role", what.name)):
            CfnOutput(self, f"Subscriber{key}", value=value, description="For the subscriber")

    def _sentinel(self) -> None:
        """Make the role that Microsoft Sentinel assumes, and the provider that vouches for it."""
        sentinel, role = self.what.subscriber.sentinel, plan.sentinel_role(self.what)
        if sentinel is None or role is None:
            return
        tenant, audience = SENTINEL[naming.partition(self.what.store.region)]
        planned_role = PlannedRole(
            self,
            "Sentinel",
            plan=role,
            wide=[f"{self.what.bucket_arn}/{plan.LINES}*"],
            reason=_LINES,
        )
        if sentinel.provider == "new":
            provider = EntraProvider(self, "Microsoft", tenant=tenant, audience=audience)
            planned_role.node.add_dependency(provider.resource)
        CfnOutput(self, "SentinelRole", value=role.name, description="For Microsoft Sentinel")

    def _queue(
        self,
        name: str,
        queue_name: str,
        policies: dict[str, list[documents.Statement]],
        visibility: int,
        receives: int,
    ) -> tuple[sqs.CfnQueue, sqs.CfnQueuePolicy]:
        """Make a queue and its dead-letter queue; both keep messages for as long as SQS can."""
        dead = sqs.CfnQueue(
            self,
            f"{name}Dead",
            queue_name=plan.dead(queue_name),
            message_retention_period=RETENTION_SECONDS,
            sqs_managed_sse_enabled=True,
            redrive_allow_policy={
                "redrivePermission": "byQueue",
                "sourceQueueArns": [self.what.queue_arn(queue_name)],
            },
        )
        queue = sqs.CfnQueue(
            self,
            name,
            queue_name=queue_name,
            message_retention_period=RETENTION_SECONDS,
            visibility_timeout=visibility,
            sqs_managed_sse_enabled=True,
            redrive_policy={"deadLetterTargetArn": dead.attr_arn, "maxReceiveCount": receives},
        )
        for each in (dead, queue):
            policy = sqs.CfnQueuePolicy(
                self,
                f"{each.node.id}Policy",
                queues=[each.ref],
                policy_document=documents.document(policies[str(each.queue_name)]),
            )
        return queue, policy

    def _function(
        self, bundle: Bundle, trigger: Sqs, queue: sqs.CfnQueue, architecture: str | None
    ) -> None:
        what = self.what
        staged = StagedFunction(
            self,
            "Forward",
            bundle=bundle,
            function_name=what.forwarder,
            architecture=architecture,
            environment=variables(forwarder_settings(what)),
            role=lambda log_group: plan.forwarder_role(what, log_group=log_group),
        )
        acknowledged.prefixes(
            staged,
            [f"{what.evidence_arn}/{plan.EVIDENCE}*", f"{what.bucket_arn}/{plan.LINES}*"],
            _READ,
        )
        lambda_.CfnEventSourceMapping(
            self,
            "Messages",
            event_source_arn=queue.attr_arn,
            function_name=staged.function.function_name,
            batch_size=trigger.batch_size,
            maximum_batching_window_in_seconds=trigger.maximum_batching_window_seconds,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=trigger.maximum_concurrency
            ),
        )
