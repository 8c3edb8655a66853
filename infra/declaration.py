"""Where the deployables are, and what each declares."""

from __future__ import annotations

from pathlib import Path

from nhi_evidence.config.declaration import (
    CloudEvent,
    Contents,
    Declaration,
    DeclarationError,
    EventHub,
    Function,
    Schedule,
    Sqs,
    declaration,
)

__all__ = [
    "FUNCTIONS",
    "ROOT",
    "CloudEvent",
    "Contents",
    "Declaration",
    "DeclarationError",
    "EventHub",
    "Function",
    "Schedule",
    "Sqs",
    "declaration",
    "names",
]

ROOT = Path(__file__).parents[1]
FUNCTIONS = ROOT / "functions"


def names() -> tuple[str, ...]:
    """Return the name of every function that has a declaration, sorted."""
    return tuple(sorted(path.parent.name for path in FUNCTIONS.glob("*/deploy.toml")))
