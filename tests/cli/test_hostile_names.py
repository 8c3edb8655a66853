"""Names that act on a screen, or hide in it, in records, settings, files and arguments."""

from __future__ import annotations

import importlib
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import typer

from nhi_evidence.cli.commands import COMMANDS
from tests.cli.command import run_bytes
from tests.cli.screens import Case, looked_at

_COLOR = "[31m"
HOSTILE = (
    "\x1b" + _COLOR + "\x07\x9b\x7f\u202e\u2066\u200b\u200d\u2060\ufeff\u00ad\u3164\U000e0041\ufe0f"
)
"""Colors, bells, other directions, and characters that show nothing."""
SPOILED = ("ci-deploy", "example-trail", "example-shop", "aws-cli", "example-evidence")
"""Texts of logs and settings that get it: names of identities, trails, tenants, user agents."""
_LAYOUT = "\t\n\r"


def acting(text: str, keep: str = "\n") -> set[str]:
    """Return the characters of a text that are not visible text."""
    return {
        each
        for each in text
        if each not in keep + _COLOR
        and (each in HOSTILE or unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp", "Cs"})
    }


def spoil(document: bytes) -> bytes:
    """Put hostile characters after every text of `SPOILED`, as JSON escapes them."""
    escaped = json.dumps(HOSTILE)[1:-1]
    text = document.decode()
    for name in SPOILED:
        text = text.replace(name, f"{name}{escaped}")
    return text.encode()


def parameters(name: str) -> list[Any]:
    """Return the parameters of a command."""
    (row,) = (each for each in COMMANDS if each.name == name)
    app = typer.Typer()
    app.command()(importlib.import_module(row.module).command)
    return list(typer.main.get_command(app).params)


def formats(name: str) -> list[str]:
    """Return the formats in which a command prints, except the binary one."""
    every = [option for option in parameters(name) if "--format" in option.opts]
    return [
        each for option in every for each in option.type_descriptor.annotation if each != "parquet"
    ]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("hostile") / f"named{HOSTILE}"
    folder.mkdir()
    case = Case(folder, spoil)
    for path in list(case.logs.iterdir()):
        path.rename(path.with_name(f"{HOSTILE}{path.name}"))
    return case


def test_what_is_looked_for_is_found() -> None:
    """Each hostile character by itself; ordinary text in any script is none."""
    assert all(acting(each) for each in HOSTILE if each not in _COLOR)
    assert set() == acting("é, 中文, Ω, עברית, a\nb")


@pytest.mark.slow
def test_no_command_prints_what_acts_or_hides(hostile: Case) -> None:
    """On a terminal, as `--json`, and in every format: each command that there is, in turn."""
    reached = set()
    for name, arguments in hostile.runs():
        out, err = looked_at(name, arguments)
        assert "a bug in this program" not in err, (name, err)
        assert (set(), set()) == (acting(out), acting(err)), (name, out, err)
        reached |= {name for text in (out, err) if "\\u202e" in text}
        if "-o" in arguments:
            continue
        flags = {flag for option in parameters(name) for flag in option.opts}
        others = [["--json"]] if "--json" in flags else []
        if not {"--list"} & set(arguments):
            others += [["--format", form] for form in formats(name)]
        for more in others:
            done = run_bytes(*name.split(), *arguments, *more)
            keep = _LAYOUT if more[-1] == "csv" else "\n"
            for stream in (done.stdout, done.stderr):
                assert set() == acting(stream.decode(), keep), (name, more, stream)
    assert {"coverage", "normalize", "summary", "timeline", "query", "verify"} <= reached


def test_no_page_holds_what_acts_or_hides(hostile: Case, tmp_path: Path) -> None:
    """Every command that writes a page."""
    pages = {
        "timeline": (hostile.logs, "--identity", "ci-deploy", "--coverage", hostile.report),
        "coverage": ("--config-dir", hostile.settings),
    }
    named = {row.name for row in COMMANDS if not row.is_group}
    writing = {
        name for name in named if any("--html" in option.opts for option in parameters(name))
    }
    assert writing == set(pages)
    for name, arguments in pages.items():
        page = tmp_path / f"{name}.html"
        done = run_bytes(name, *arguments, "--html", page)
        assert page.is_file(), done.stderr
        text = page.read_text(encoding="utf-8")
        assert set() == acting(text, _LAYOUT), name
        assert "\\u202e" in text, name


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_no_refusal_repeats_what_acts_or_hides(row: Any) -> None:
    """Of an argument, an option, and the value of every option that must exist."""
    words = row.name.split()
    tried = [[*words, HOSTILE, f"--{HOSTILE}"], [*words, f"--{HOSTILE}"]]
    if not row.is_group:
        tried += [
            [*words, f"{max(option.opts, key=len)}={HOSTILE}", f"--{HOSTILE}"]
            for option in parameters(row.name)
            if option.param_type_name == "option"
        ]
        tried += [
            [*words, f"{max(option.opts, key=len)}={HOSTILE}"]
            for option in parameters(row.name)
            if option.param_type_name == "option"
            and row.name not in {"demo", "init"}
            and getattr(option.type_descriptor.parameter_info, "exists", False)
        ]
    for arguments in tried:
        done = run_bytes(*arguments)
        assert done.returncode, arguments
        assert set() == acting(done.stderr.decode()), (arguments, done.stderr)
