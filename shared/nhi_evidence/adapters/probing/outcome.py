"""The result of one run of probes, counted as its calls are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nhi_evidence.coverage.canary.probes import Probe


class Done(msgspec.Struct, kw_only=True):
    """The result of one run."""

    hour: str
    planned: dict[str, str] = {}
    """By account, project or tenant, and hour, the key of the plan that was put."""
    calls: int = 0
    """Calls that were answered, whatever the answer."""
    skipped: int = 0
    """Probes not made because the run's time was up."""
    unexpected: list[str] = []
    """Probes that were allowed but should have been refused, or vice versa."""
    unanswered: list[str] = []
    """Probes without an answer, and canaries that could not be used, each with the reason."""

    def answered(self, probe: Probe, call: str, outcome: str) -> None:
        """Count a call that was answered, and name it if the outcome is not the expected one."""
        self.calls += 1
        if outcome != probe.outcome:
            self.unexpected.append(f"{probe.cell}: {call} was {outcome}")


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return parameters with their placeholders replaced by values."""
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace(name, text)
        return value
    if isinstance(value, dict):
        return {name: filled(each, values) for name, each in value.items()}
    return [filled(each, values) for each in value] if isinstance(value, list) else value
