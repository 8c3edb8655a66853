"""The output of `make bench` goes into the page completely, or not at all."""

from __future__ import annotations

import platform

import pytest

from tests.bench.targets import Target
from tests.docs.help_blocks import DOCS, measured

PAGE = (DOCS / "performance.md").read_text(encoding="utf-8")
OUTPUT = f"installing\n{platform.machine()}, Linux 1; Python 3\n\nline 1.0\n\ntargets\n  a 1.00\n"


def test_a_run_replaces_the_last() -> None:
    """Nothing of the previous run is left, and no other program's output gets in."""
    page = measured(PAGE, OUTPUT)
    assert "```\n" + OUTPUT.removeprefix("installing\n") + "```\n<!-- end -->" in page
    assert page == measured(page, OUTPUT)
    assert (PAGE.split("<!-- bench -->")[0], PAGE.split("<!-- end -->")[1]) == (
        page.split("<!-- bench -->")[0],
        page.split("<!-- end -->")[1],
    )


@pytest.mark.parametrize("output", ["", "Traceback", OUTPUT.replace("targets", "")])
def test_an_incomplete_run_changes_nothing(output: str) -> None:
    """A document never shows half a run."""
    with pytest.raises(ValueError, match="whole run"):
        measured(PAGE, output)


def test_a_page_without_a_place_is_refused() -> None:
    """The figures of a run are not silently lost."""
    with pytest.raises(ValueError, match="0 blocks"):
        measured("# Performance\n", OUTPUT)


def test_a_target_is_met_at_its_bound_and_never_when_not_measured() -> None:
    """A target that could not be measured is not met."""
    assert ("met", "not met") == (Target("", 1.15, 1.15).verdict, Target("", 1.16, 1.15).verdict)
    assert ("not met", "met") == (
        Target("", 9.0, 10.0, at_least=True).verdict,
        Target("", 10.0, 10.0, at_least=True).verdict,
    )
    assert "not measured" in Target("", None, 0.55).verdict
