"""Counts of every use of a log's keys, and of those uses that are not the sealer's.

CloudTrail records each `kms:Sign`; EventBridge delivers the record to a log group within minutes.
The counts rest on AWS's word, not the sealer's.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws.staged_function import LOG_DAYS
from nhi_evidence.config import documents

NAMESPACE = "nhi-evidence"

_ISSUER = "$.detail.userIdentity.sessionContext.sessionIssuer.arn"


class SignatureLog(Construct):
    """A log group of the signatures by `keys`, with one metric for all and one for strangers'.

    `log_name` is the part of the names that distinguishes one log from another; `sealer` is the ARN
    of the one role that should sign.
    """

    def __init__(
        self, scope: Construct, name: str, *, log_name: str, keys: Sequence[str], sealer: str
    ) -> None:
        super().__init__(scope, name)
        self.keys = len(keys)
        """Signatures per checkpoint."""
        self.signatures = f"{log_name}-kms-signatures"
        self.strangers = f"{log_name}-kms-signatures-by-others"
        group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/events/{log_name}-signatures",
            retention=LOG_DAYS,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        rule = events.CfnRule(
            self,
            "Rule",
            description="Every signature made with the keys of the log",
            # Whether KMS marks Sign as read-only is not documented: this state matches either way.
            state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            event_pattern={
                "source": ["aws.kms"],
                "detail-type": ["AWS API Call via CloudTrail"],
                "detail": {
                    "eventSource": ["kms.amazonaws.com"],
                    "eventName": ["Sign"],
                    "resources": {"ARN": list(keys)},
                },
            },
            targets=[events.CfnRule.TargetProperty(id="log", arn=group.log_group_arn)],
        )
        logs.CfnResourcePolicy(
            self,
            "RuleMayWrite",
            policy_name=f"{log_name}-signatures",
            policy_document=_writable(group, rule),
        )
        for metric, pattern in (
            (self.signatures, '{ $.detail.eventName = "Sign" }'),
            (
                self.strangers,
                # A comparison with an absent field does not match, so its absence is tested as
                # well.
                f'{{ ({_ISSUER} NOT EXISTS) || ({_ISSUER} != "{sealer}") }}',
            ),
        ):
            logs.CfnMetricFilter(
                self,
                metric.removeprefix(f"{log_name}-"),
                log_group_name=group.log_group_name,
                filter_pattern=pattern,
                metric_transformations=[
                    logs.CfnMetricFilter.MetricTransformationProperty(
                        metric_namespace=NAMESPACE, metric_name=metric, metric_value="1"
                    )
                ],
            )


def _writable(group: logs.LogGroup, rule: events.CfnRule) -> str:
    """Let the rule write to the log group.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    statement = {
        "Sid": "EventBridge",
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": group.log_group_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
    }
    return str(group.stack.to_json_string(documents.document([statement])))
