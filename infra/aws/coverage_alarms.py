"""What can go wrong with recording itself (docs/operations.md)."""

from __future__ import annotations

from constructs import Construct

from infra.aws.alarm import Absence, metric, own
from infra.aws.clocked_alarms import any_in_an_hour, silent
from nhi_evidence.config import naming

SERVICE = "coverage"

ALARMS = (
    ("Lost", "lost", "A step that was recorded here no longer is, or is no longer known to be."),
    ("Unreadable", "unreadable", "The settings of an account or cloud could not be read at all."),
    (
        "Problems",
        "problems",
        "A stored statement could not be read, or a setting has an unknown form: the log names it.",
    ),
)
"""Metric, name and meaning of each alarm that fires on any occurrence."""

UNPROMISED_HOURS = 30
"""A trail has to have been logging for a day before its digests are expected in advance."""


class CoverageAlarms(Construct):
    """Something is no longer recorded, or nobody checks whether it is.

    `has_accounts` says whether AWS accounts are read, whose trails' digests are then expected.
    """

    def __init__(
        self, scope: Construct, name: str, *, function: str, has_accounts: bool, target: str
    ) -> None:
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
        if has_accounts:
            self.alarms.append(
                Absence(
                    self,
                    "Unpromised",
                    alarm_name=f"{function}-unpromised",
                    meaning=(
                        f"No digest of CloudTrail has been expected in advance for "
                        f"{UNPROMISED_HOURS} hours: a trail that stops would not be told from a "
                        "quiet account."
                    ),
                    metric=own("Promised", function, SERVICE),
                    alive=metric(
                        "AWS/Events", "TriggeredRules", {"RuleName": naming.clock(function)}
                    ),
                    hours=UNPROMISED_HOURS,
                    target=target,
                )
            )
