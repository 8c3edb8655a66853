"""What can go wrong with the completeness of one evidence bucket (docs/operations.md)."""

from __future__ import annotations

from constructs import Construct

from infra.aws.clocked_alarms import any_in_an_hour, silent

SERVICE = "reconcile"

ALARMS = (
    (
        "Missing",
        "missing",
        ("Something a provider delivered is not counted; the function's log names it."),
    ),
    ("Unbacked", "unbacked", "Something is counted that its provider never said it delivered."),
    (
        "Unproven",
        "unproven",
        (
            "An hour that a provider's list should prove has none that is signed, complete and "
            "readable: something missing would not be noticed."
        ),
    ),
    ("Unsound", "unsound", "The claims of a sealed object are void: it is not what it states."),
    (
        "Problems",
        "problems",
        "A cloud, its public keys or a stored object could not be read: the log names it.",
    ),
)
"""Metric, name and meaning of each alarm that fires on any occurrence."""


class ReconcileAlarms(Construct):
    """Something the provider delivered is not counted, or it is no longer known whether it is."""

    def __init__(self, scope: Construct, name: str, *, function: str, target: str) -> None:
        super().__init__(scope, name)
        self.alarms = any_in_an_hour(
            self, ALARMS, function=function, service=SERVICE, target=target
        )
        self.alarms.append(
            silent(
                self,
                "Statements",
                "No statement on completeness for four hours.",
                function=function,
                service=SERVICE,
                target=target,
            )
        )
