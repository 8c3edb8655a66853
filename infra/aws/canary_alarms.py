"""What can be wrong with the canaries of one evidence bucket (docs/operations.md)."""

from __future__ import annotations

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import Alarm, own
from infra.aws.clocked_alarms import any_in_an_hour, silent

SERVICE = "canary"

ALARMS = (
    ("Unexpected", "unexpected", "A canary was allowed what should be refused, or the other way."),
    ("Unanswered", "unanswered", "A canary could not be taken, or nobody answered a probe."),
)
"""Metric, name and meaning of what is wrong as soon as there is any."""


class CanaryAlarms(Construct):
    """A canary may more than it should, its record does not arrive, or nothing is probed.

    The function that reconciles, `reconciler`, tells whether records arrive.
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
                meaning="A canary's record did not arrive, or not as it should: nor would others.",
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
                "Nothing was announced and probed for four hours.",
                function=function,
                service=SERVICE,
                target=target,
            )
        )
