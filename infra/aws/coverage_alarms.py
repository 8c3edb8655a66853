"""What can be wrong with what is recorded at all (docs/operations.md)."""

from __future__ import annotations

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import Absence, Alarm, metric, own
from nhi_evidence.config import naming

SERVICE = "coverage"

ALARMS = (
    ("Lost", "lost", "A step that was recorded here is not, or not known to be, any more."),
    ("Unreadable", "unreadable", "An account's or cloud's settings could not be read at all."),
)
"""Metric, name and meaning of what is wrong as soon as there is any."""


class CoverageAlarms(Construct):
    """Something is not recorded any more, or nobody looks whether it is."""

    def __init__(self, scope: Construct, name: str, *, function: str, target: str) -> None:
        super().__init__(scope, name)
        self.alarms: list[Alarm | Absence] = [
            Alarm(
                self,
                metric_name,
                alarm_name=f"{function}-{short}",
                meaning=meaning,
                metrics={short: own(metric_name, function, SERVICE)},
                expression=short,
                period=Duration.hours(1),
                above=0,
                missing="notBreaching",
                target=target,
            )
            for metric_name, short, meaning in ALARMS
        ]
        self.alarms.append(
            Absence(
                self,
                "Silent",
                alarm_name=f"{function}-silent",
                meaning="Nobody has read what is recorded for four hours.",
                metric=own("Stated", function, SERVICE),
                alive=metric("AWS/Events", "TriggeredRules", {"RuleName": naming.clock(function)}),
                hours=4,
                target=target,
            )
        )
