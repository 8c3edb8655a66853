"""One step of an attack, and what its evidence should say."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """A step: when, what is called, how it ends, and what the call means on its own."""

    name: str
    minute: int
    service: str
    operation: str
    outcome: str
    base_phase: str
