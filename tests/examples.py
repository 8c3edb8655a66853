"""How many examples a property test draws: its own number, half of that, or thirty times."""

from __future__ import annotations

from hypothesis import settings

_ORDINARY = 100
"""Examples of a test that names no number, in the profile `whole`; `seeded` draws half."""


def examples(number: int) -> settings:
    """Return settings with a number of examples, fewer or more of them by the profile."""
    profile = settings.default
    assert profile is not None
    return settings(max_examples=number * profile.max_examples // _ORDINARY)
