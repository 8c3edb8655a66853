"""A plug-in: what a test costs the processor, and that a test of `make test` costs little.

Seconds of the processor, not of the clock: a busy machine makes no test long. Counted is the test
itself with the processes it waited for; what it shares with others is in their fixtures.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Protocol

import pytest
from hypothesis import settings

LISTED_FROM = 2.0
"""From here on a test is made cheaper, or marked `slow`: the end of a run lists it."""
FAILS_FROM = 10.0
"""From here on it fails: a machine that makes this much of two seconds is five times as slow."""
OTHER_TIERS = ("slow", "deep", "e2e")
_MEASURED = "processor_seconds"


class Screen(Protocol):
    """What pytest prints on at the end of a run."""

    def getreports(self, name: str) -> list[pytest.TestReport]:
        """Return the reports of an outcome."""

    def section(self, title: str) -> None:
        """Print a heading."""

    def line(self, msg: str) -> None:
        """Print a line."""


def spent() -> float:
    """Return the seconds of the processor this process and those it waited for have had."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Measure a test of this tier; one that passed fails where it took too long for that."""
    if any(item.get_closest_marker(tier) for tier in OTHER_TIERS):
        return (yield)
    before = spent()
    try:
        yield
    finally:
        seconds = spent() - before
        item.user_properties.append((_MEASURED, seconds))
    # With more examples than ordinarily, any test takes longer.
    if seconds > FAILS_FROM and settings.get_current_profile_name() == "seeded":
        pytest.fail(
            f"{seconds:.1f} s of the processor: mark it slow, and keep a small case of its claim "
            "(CONTRIBUTING, Tests)",
            pytrace=False,
        )
    return None


def pytest_terminal_summary(terminalreporter: Screen) -> None:
    """List the long ones, the longest first."""
    long = sorted(
        (
            (seconds, report.nodeid)
            for report in terminalreporter.getreports("passed")
            for name, seconds in report.user_properties
            if name == _MEASURED and isinstance(seconds, float) and seconds > LISTED_FROM
        ),
        reverse=True,
    )
    if long:
        terminalreporter.section(f"more than {LISTED_FROM:.0f} s of the processor: slow?")
    for seconds, name in long:
        terminalreporter.line(f"{seconds:6.1f} s {name}")
