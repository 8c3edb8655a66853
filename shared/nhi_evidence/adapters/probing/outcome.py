"""What one run of probes came to, counted as its calls are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nhi_evidence.coverage.canary.probes import Probe


class Done(msgspec.Struct, kw_only=True):
    """What one run came to."""

    hour: str
    planned: dict[str, str] = {}
    """Account, project or tenant, and hour, to the key of the plan that was put."""
    calls: int = 0
    """Calls that were made and answered, one way or the other."""
    skipped: int = 0
    """Probes that were left to the next hour: a run may take so long and no longer."""
    unexpected: list[str] = []
    """Probes that were allowed and should have been refused, or the other way."""
    unanswered: list[str] = []
    """Probes nobody answered, and canaries that could not be taken, and why."""

    def answered(self, probe: Probe, call: str, outcome: str) -> None:
        """Count a call that was answered, and name it where that was not to be."""
        self.calls += 1
        if outcome != probe.outcome:
            self.unexpected.append(f"{probe.cell}: {call} was {outcome}")


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return parameters with what stands for something replaced by it."""
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace(name, text)
        return value
    if isinstance(value, dict):
        return {name: filled(each, values) for name, each in value.items()}
    return [filled(each, values) for each in value] if isinstance(value, list) else value
