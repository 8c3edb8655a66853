"""A function that a clock starts takes nothing from its event: whoever runs it by hand adds nothing
to the evidence but what it would have found by itself.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "functions"


def scheduled() -> list[str]:
    return sorted(
        path.parent.name
        for path in FUNCTIONS.glob("*/deploy.toml")
        if "schedule" in tomllib.loads(path.read_text())["trigger"]["kind"]
    )


def read_of_event(source: str) -> set[str]:
    """Return the lines of an entry that use the first argument of its handler."""
    handler = next(
        one
        for one in ast.walk(ast.parse(source))
        if isinstance(one, ast.FunctionDef) and one.name == "handler"
    )
    event = handler.args.args[0].arg
    return {
        ast.unparse(one)
        for statement in handler.body
        for one in ast.walk(statement)
        if isinstance(one, ast.Name) and one.id == event
    }


def test_these_functions_are_started_by_a_clock() -> None:
    assert ["canary", "coverage", "reconcile", "seal"] == scheduled()


@pytest.mark.parametrize("name", scheduled())
def test_a_scheduled_function_takes_nothing_from_its_event(name: str) -> None:
    assert set() == read_of_event((FUNCTIONS / name / "handler.py").read_text())


def test_a_handler_that_uses_its_event_is_noticed() -> None:
    """The check can fail."""
    text = "def handler(event, context):\n    return keep(event['absence'])\n"
    assert {"event"} == read_of_event(text)
