"""What can go wrong with the canaries of one evidence bucket (docs/operations.md)."""

from __future__ import annotations

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import Alarm, own
from infra.aws.clocked_alarms import any_in_an_hour, silent

SERVICE = "canary"

ALARMS = (
    (
        "Unexpected",
        "unexpected",
        ("A canary was allowed what should be refused, or refused what should be allowed."),
    ),
    (
        "Unanswered",
        "unanswered",
        ("A canary's identity could not be assumed, or a probe went unanswered."),
    ),
)
"""Metric, name and meaning of each alarm that fires on any occurrence."""


class CanaryAlarms(Construct):
    """A canary can do more than it should, its record does not arrive, or nothing is probed.

    The reconciling function, `reconciler`, reports whether records arrive.
    """

    def __init__(
        self, scope: Construct, name: str, *, function: str, reconciler: str, target: str
    ) -> None:
        super().__init__(scope, name)
        self.alarms = any_in_an_hour(
            self, ALARMS, function=function, service=SERVICE, target=target
        )
        self.alarms.append(
            Alarm(
                self,
                "Broken",
                alarm_name=f"{function}-broken",
                meaning=(
                    "A canary's record did not arrive, or arrived wrong; other records would "
                    "fare no better."
                ),
                metrics={"broken": own("CanariesBroken", reconciler, "reconcile")},
                expression="broken",
                period=Duration.hours(1),
                above=0,
                missing="notBreaching",
                target=target,
            )
        )
        self.alarms.append(
            silent(
                self,
                "Planned",
                "No probe was announced and made for four hours.",
                function=function,
                service=SERVICE,
                target=target,
            )
        )
