"""Denial of wallet: what is locked is paid for to the end, so its growth is watched."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_budgets as budgets
from constructs import Construct

from infra.aws.alarm import Alarm, metric
from infra.aws.evidence_bucket import REQUEST_METRICS


class ObjectRateAlarm(Construct):
    """Too many objects put into an evidence bucket in an hour, by whomever."""

    def __init__(
        self, scope: Construct, name: str, *, store: str, bucket: str, per_hour: int, target: str
    ) -> None:
        super().__init__(scope, name)
        puts = metric("AWS/S3", "PutRequests", {"BucketName": bucket, "FilterId": REQUEST_METRICS})
        self.alarm = Alarm(
            self,
            "Rate",
            alarm_name=f"nhi-evidence-{store}-object-rate",
            meaning=f"More than {per_hour} objects in an hour: each is locked, and costs, until R.",
            metrics={"puts": puts},
            expression="puts",
            period=Duration.hours(1),
            above=per_hour,
            missing="notBreaching",
            target=target,
        )


class AccountBudget(Construct):
    """A monthly budget of the evidence account: told at 80 % forecast and at 100 % spent."""

    def __init__(
        self, scope: Construct, name: str, *, usd: int, email: str | None, topic: str
    ) -> None:
        super().__init__(scope, name)
        subscribers = [
            budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=email)
            if email is not None
            else budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic)
        ]
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name="nhi-evidence",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=kind,
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=subscribers,
                )
                for kind, percent in (("FORECASTED", 80), ("ACTUAL", 100))
            ],
        )
