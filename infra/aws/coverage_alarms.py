"""What can be wrong with what is recorded at all (docs/operations.md)."""

from __future__ import annotations

from constructs import Construct

from infra.aws.clocked_alarms import any_in_an_hour, silent

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
        self.alarms = any_in_an_hour(
            self, ALARMS, function=function, service=SERVICE, target=target
        )
        self.alarms.append(
            silent(
                self,
                "Stated",
                "Nobody has read what is recorded for four hours.",
                function=function,
                service=SERVICE,
                target=target,
            )
        )
