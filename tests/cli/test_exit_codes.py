"""Exit codes mean the same everywhere, over all existing commands rather than a list."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest
import typer

from nhi_evidence.cli import exit_codes
from nhi_evidence.cli.commands import COMMANDS, Command
from tests.cli.command import run

LEAVES = [row for row in COMMANDS if not row.is_group]
BY_REPORT = {"verify", "reconcile", "coverage", "offboarding", "attest-absence", "anchor"} | {
    f"collect {cloud}" for cloud in ("aws", "gcp", "azure", "github", "okta", "vault")
}
"""Modules that also exit with a code from a report or another module."""
ASKS_NOTHING = {"demo", "cost", "version", "init", "explain"}
"""Read no input."""


def documented(row: Command) -> set[int]:
    """Return the codes at the end of a command's help."""
    text = importlib.import_module(row.module).EXAMPLES.partition("Exit codes: ")[2]
    return {int(code) for code in re.findall(r"(?:^|; |;\n\s*|\n)(\d+) ", text)}


def used(row: Command) -> set[int]:
    """Return the codes a command's module names."""
    source = Path(str(importlib.import_module(row.module).__file__)).read_text(encoding="utf-8")
    return {
        int(getattr(exit_codes, node.attr))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "exit_codes"
    }


@pytest.mark.parametrize("row", LEAVES, ids=lambda row: row.name)
def test_a_help_names_the_codes_its_command_ends_with(row: Command) -> None:
    """No code is undocumented, and no documented code is impossible."""
    codes = documented(row)
    assert {exit_codes.OK, exit_codes.USAGE} <= codes <= set(range(5)) | {exit_codes.USAGE}
    assert used(row) <= codes
    if row.name not in BY_REPORT:
        everywhere = {exit_codes.OK, exit_codes.FAILED, exit_codes.USAGE}
        assert set() == codes - used(row) - everywhere


@pytest.mark.parametrize("row", LEAVES, ids=lambda row: row.name)
def test_an_unknown_option_is_wrong_usage(row: Command) -> None:
    """It is 64, with nothing on standard output."""
    done = run(*row.name.split(), "--no-such-option")
    assert (exit_codes.USAGE, "") == (done.code, done.out)
    assert "--no-such-option" in done.err


@pytest.mark.parametrize(
    "row", [row for row in LEAVES if row.name not in ASKS_NOTHING], ids=lambda row: row.name
)
def test_a_missing_input_is_not_a_finding(
    row: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither 0 nor a verdict: the command failed, or a required option is missing."""
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(importlib.import_module(row.module).command)
    arguments = [
        each for each in typer.main.get_command(app).params if each.param_type_name == "argument"
    ]
    missing = [tmp_path / f"missing-{number}" for number in range(len(arguments))]
    done = run(*row.name.split(), *missing)
    assert done.code in {exit_codes.FAILED, exit_codes.USAGE}, done.out
    assert done.err
    assert "Traceback" not in done.err
