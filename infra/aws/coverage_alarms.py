"""What can go wrong with recording itself (docs/operations.md)."""

from __future__ import annotations

from constructs import Construct

from infra.aws.clocked_alarms import any_in_an_hour, silent

SERVICE = "coverage"

ALARMS = (
    ("Lost", "lost", "A step that was recorded here no longer is, or is no longer known to be."),
    ("Unreadable", "unreadable", "The settings of an account or cloud could not be read at all."),
)
"""Metric, name and meaning of each alarm that fires on any occurrence."""


class CoverageAlarms(Construct):
    """Something is no longer recorded, or nobody checks whether it is."""

    def __init__(self, scope: Construct, name: str, *, function: str, target: str) -> None:
        super().__init__(scope, name)
        self.alarms = any_in_an_hour(
            self, ALARMS, function=function, service=SERVICE, target=target
        )
        self.alarms.append(
            silent(
                self,
                "Stated",
                "No statement on what is recorded for four hours.",
                function=function,
                service=SERVICE,
                target=target,
            )
        )
