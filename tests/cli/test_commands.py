"""The table of commands: every row is a command, and listing loads nothing."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from nhi_evidence import cli
from nhi_evidence.cli import commands
from nhi_evidence.cli.commands import COMMANDS, Command, Panel
from nhi_evidence.cli.json_output import SCHEMAS
from tests.cli import local_forms
from tests.cli.command import run
from tests.docs import json_schemas

LEAVES = [row for row in COMMANDS if not row.is_group]
PACKAGE = Path(cli.__file__).parent
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("row", LEAVES, ids=lambda row: row.name)
def test_a_row_is_a_command(row: Command) -> None:
    """Its module has the function, and examples that state the exit codes."""
    module = importlib.import_module(row.module)
    assert callable(module.command)
    assert f"nhi-evidence {row.name}" in module.EXAMPLES
    assert "Exit codes: 0 " in module.EXAMPLES


def options_of(row: Command) -> set[str]:
    """Return the options of a command, as typed."""
    return {
        word
        for option in typer.main.get_command(row_app(row)).params
        if option.param_type_name == "option"
        for word in option.opts
    }


def row_app(row: Command) -> typer.Typer:
    """Return an application of one command alone."""
    app = typer.Typer()
    app.command()(importlib.import_module(row.module).command)
    return app


def test_every_json_output_has_a_schema_that_is_described() -> None:
    """Checked over all options: none prints an undocumented object."""
    printing = {row.name for row in LEAVES if "--json" in options_of(row)}
    named = {name.partition(" --")[0] for name in SCHEMAS}
    assert printing == named
    assert set(SCHEMAS) == set(json_schemas.PRINTED)
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert [] == [schema for schema in SCHEMAS.values() if f"`{schema}`" not in page]
    assert len(set(SCHEMAS.values())) == len(SCHEMAS)
    form = re.compile(r"nhi-evidence/[a-z-]+/[1-9]\d*")
    assert [] == [schema for schema in SCHEMAS.values() if not form.fullmatch(schema)]


@pytest.mark.parametrize("command", SCHEMAS)
def test_every_member_is_described(command: str) -> None:
    """A name alone does not say what a number counts, or as of when."""
    described = json_schemas.members(command)
    assert described
    assert [] == [name for name, meaning in described.items() if len(meaning.split()) < 2]


def test_a_command_has_a_row() -> None:
    """A module with a `command` but without a row could not be run."""
    paths = [*PACKAGE.glob("*.py"), *PACKAGE.glob("*/__init__.py")]
    modules = {
        "nhi_evidence.cli." + (path.parent.name if path.stem == "__init__" else path.stem)
        for path in paths
        if any(
            isinstance(node, ast.FunctionDef) and node.name == "command"
            for node in ast.parse(path.read_text(encoding="utf-8")).body
        )
    }
    assert modules == {row.module for row in LEAVES}


def test_names_are_unique_and_summaries_fit_a_line() -> None:
    """Each name occurs once, a group has its row, and a summary ends in a full stop."""
    names = [row.name for row in COMMANDS]
    assert len(names) == len(set(names))
    groups = {name.rpartition(" ")[0] for name in names} - {""}
    assert groups == {row.name for row in COMMANDS if row.is_group}
    assert [] == [
        row.name for row in COMMANDS if len(row.summary) > 60 or not row.summary.endswith(".")
    ]
    assert set(Panel) == {row.panel for row in COMMANDS}


def test_help_lists_every_command_by_what_one_is_about_to_do() -> None:
    """The panels in order, each command in its own."""
    printed = run("--help").out
    headings = re.findall(r"^(\S.*):$", printed, re.MULTILINE)
    assert [*(panel.value for panel in Panel), "Exit codes"] == headings[1:]
    for panel in Panel:
        part = printed.partition(f"\n{panel.value}:\n")[2].partition("\n\n")[0]
        listed = re.findall(r"^  (\S+) +\S", part, re.MULTILINE)
        assert [row.word for row in commands.below("") if row.panel is panel] == listed


def test_a_group_lists_its_own() -> None:
    """`replay --help` names the clouds."""
    printed = run("replay", "--help").out
    assert [row.word for row in commands.below("replay")] == re.findall(
        r"^  ([a-z]+) +[A-Z]", printed, re.MULTILINE
    )


def test_a_word_close_to_a_command_is_offered() -> None:
    """A typo is wrong usage, with a suggestion."""
    done = run("checkproof")
    assert 64 == done.code
    assert "Did you mean 'check-proof'?" in done.err


def loaded(*arguments: str) -> set[str]:
    """Return the modules loaded by a command line."""
    code = (
        "import sys; from nhi_evidence import cli\n"
        f"sys.argv = ['nhi-evidence', *{arguments!r}]\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(['MODULES', *sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    return set(done.partition("MODULES\n")[2].split())


CLOUDS = {"boto3", "botocore", "google.auth", "google.cloud.logging", "azure.core"}


def test_listing_loads_no_command() -> None:
    """`--help` reads only the table: it loads no command module, cloud library or pydantic."""
    modules = loaded("--help")
    assert "nhi_evidence.cli.commands" in modules
    assert set() == modules & {row.module for row in LEAVES}
    assert set() == modules & {*CLOUDS, "pydantic", "rich", "cryptography"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("version", "--verbose"),
        ("explain", "s3:GetObject"),
        ("normalize", "TRAIL"),
        ("summary", "TRAIL"),
        ("verify", "STORE", "--key", "KEY"),
        ("check-proof", "PROOF", "--key", "KEY"),
        ("cost",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_library_of_a_cloud_is_loaded_until_a_cloud_is_reached(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """Commands on local files work and start without them."""
    trail = tmp_path / "trail.json"
    trail.write_text(json.dumps({"Records": [local_forms.TRAIL]}))
    stored = Path(__file__).parents[1] / "fixtures" / "format-v1"
    named = {
        "TRAIL": str(trail),
        "STORE": str(stored / "evidence"),
        "KEY": str(stored / "log.vkey"),
        "PROOF": str(stored / "proof.zip"),
    }
    modules = loaded(*(named.get(word, word) for word in arguments))
    assert f"nhi_evidence.cli.{arguments[0].replace('-', '_')}" in modules
    assert set() == modules & CLOUDS


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("nhi-evidence ", {row.word for row in commands.below("")}),
        ("nhi-evidence re", {"reconcile", "renormalize", "replay"}),
        ("nhi-evidence replay ", {"aws", "gcp", "azure"}),
        ("nhi-evidence verify --se", {"--seed"}),
    ],
)
def test_a_shell_completes(words: str, offered: set[str]) -> None:
    """It gives bash the completions of an unfinished line."""
    environment = {
        **os.environ,
        "_NHI_EVIDENCE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    program = Path(sys.executable).with_name("nhi-evidence")
    done = subprocess.run(
        [program], env=environment, capture_output=True, text=True, check=False
    ).stdout
    assert offered == set(done.split())
