"""What can be wrong with the completeness of one evidence bucket (docs/operations.md)."""

from __future__ import annotations

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import Absence, Alarm, metric, own
from nhi_evidence.config import naming

SERVICE = "reconcile"


class ReconcileAlarms(Construct):
    """Something the provider delivered is not counted, or nobody looks whether it is."""

    def __init__(self, scope: Construct, name: str, *, function: str, target: str) -> None:
        super().__init__(scope, name)

        def ours(metric_name: str) -> object:
            return own(metric_name, function, SERVICE)

        hour = Duration.hours(1)
        self.alarms: list[Alarm | Absence] = [
            Alarm(
                self,
                "Missing",
                alarm_name=f"{function}-missing",
                meaning="Something a provider delivered is not counted; the function names it.",
                metrics={"missing": ours("Missing")},
                expression="missing",
                period=hour,
                above=0,
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "Unbacked",
                alarm_name=f"{function}-unbacked",
                meaning="Something is counted that its provider never said it delivered.",
                metrics={"unbacked": ours("Unbacked")},
                expression="unbacked",
                period=hour,
                above=0,
                missing="notBreaching",
                target=target,
            ),
            Absence(
                self,
                "Silent",
                alarm_name=f"{function}-silent",
                meaning="No statement on completeness for four hours.",
                metric=ours("Statements"),
                # The clock ticks whether or not the function runs, or ends well.
                alive=metric("AWS/Events", "TriggeredRules", {"RuleName": naming.clock(function)}),
                hours=4,
                target=target,
            ),
        ]
