"""Against denial of wallet: a locked object is paid for until its lock ends."""

from __future__ import annotations

from aws_cdk import aws_budgets as budgets
from constructs import Construct

WITHOUT_BUDGETS = ("aws-us-gov",)
"""Partitions whose regions have no `AWS::Budgets::Budget` in CloudFormation's own schemas, which
`cfn-lint --regions` checks. The object-rate alarm exists there all the same."""


class AccountBudget(Construct):
    """A monthly budget of the evidence account: it notifies at 80 % forecast and 100 % spent."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        budget_name: str,
        usd: int,
        email: str | None,
        topic: str,
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
                budget_name=budget_name,
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
