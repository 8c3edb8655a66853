"""Start a function on a schedule, without repeating a run."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.aws.staged_function import StagedFunction
from nhi_evidence.config import naming


class Clock(Construct):
    """Runs a function every `minutes` minutes.

    The next tick is the retry, so neither EventBridge nor Lambda repeats a failed run.
    """

    def __init__(
        self, scope: Construct, name: str, *, staged: StagedFunction, minutes: int
    ) -> None:
        super().__init__(scope, name)
        function, function_name = staged.function, staged.function_name
        period = Duration.minutes(minutes)
        lambda_.CfnEventInvokeConfig(
            self,
            "Once",
            function_name=function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=period.to_seconds(),
        )
        rule = events.CfnRule(
            self,
            "Rule",
            name=naming.clock(function_name),
            description=f"Starts {function_name}",
            schedule_expression=events.Schedule.rate(period).expression_string,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="function",
                    arn=function.function_arn,
                    retry_policy=events.CfnRule.RetryPolicyProperty(maximum_retry_attempts=0),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "MayStart",
            action="lambda:InvokeFunction",
            function_name=function.function_name,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
