"""How many examples a property test draws: its own number, or thirty times that."""

from __future__ import annotations

from hypothesis import settings

_ORDINARY = 100
"""Examples of a test that names no number, in the profile `seeded`."""


def examples(number: int) -> settings:
    """Return settings with a number of examples, more of them in the profile `deep`."""
    profile = settings.default
    assert profile is not None
    return settings(max_examples=number * profile.max_examples // _ORDINARY)
