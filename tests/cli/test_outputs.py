"""Files that commands write: existing files are never lost, least of all inputs."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from nhi_evidence.cli.commands import COMMANDS
from tests.cli import local_forms
from tests.cli.command import run
from tests.coverage import examples

FORMAT = Path(__file__).parents[1] / "fixtures" / "format-v1"
STORE, KEY = FORMAT / "evidence", FORMAT / "log.vkey"


class Place(NamedTuple):
    """A folder with what commands read, and the file they have to write."""

    trail: Path
    file: Path


Words = tuple[str | Path, ...]
SINCE = ("--from", "2026-03-02", "--to", "2026-03-03")

WRITING: dict[tuple[str, str], Callable[[Place], Words]] = {
    ("init", "--output"): lambda at: ("--no-input", "-o", at.file),
    ("keys", "--key-file"): lambda at: ("--name", "example.org/x", "--new", "--key-file", at.file),
    ("normalize", "--output"): lambda at: (at.trail, "-o", at.file),
    ("normalize", "--rejects"): lambda at: (at.trail, "--rejects", at.file),
    ("query", "--output"): lambda at: (at.trail, "--sql", "SELECT 1", "-o", at.file),
    ("timeline", "--html"): lambda at: (at.trail, "--ip", "192.0.2.1", "--html", at.file),
    ("coverage", "--html"): lambda at: ("--config-dir", examples.FOLDER, "--html", at.file),
    ("verify", "--save-state"): lambda at: (STORE, "--key", KEY, "--save-state", at.file),
    ("prove", "--output"): lambda at: (STORE, "x", "--key", KEY, "-o", at.file),
    ("case create", "--output"): lambda at: (
        *(STORE, "--key", KEY, "--ip", "192.0.2.11", "--by", "A", "-o", at.file),
    ),
    ("attest-absence", "--output"): lambda at: (
        *(STORE, "--key", KEY, "--identity", "arn:aws:iam::111122223333:user/x"),
        *("--step", "secret_access", *SINCE, "-o", at.file),
    ),
}
"""Each option that names a file to write, with the rest of its command line."""
FOLDERS = {
    (f"collect {of}", "--out") for of in ("aws", "gcp", "azure", "github", "okta", "vault")
} | {
    ("reconcile", "--out"), ("demo", "--keep"), ("query", "--index"), ("timeline", "--index"),
    ("case create", "--index"),
}  # fmt: skip
"""Options that name folders, in which files get names of their own."""


def options_that_write() -> set[tuple[str, str]]:
    """Return every option whose value is a path that need not exist."""
    writing = set()
    for row in COMMANDS:
        if row.is_group:
            continue
        app = typer.Typer()
        app.command()(importlib.import_module(row.module).command)
        parameters: list[Any] = list(typer.main.get_command(app).params)
        for option in parameters:
            kind = option.type_descriptor
            is_path = option.param_type_name == "option" and kind.annotation is Path
            if is_path and not kind.parameter_info.exists:
                writing.add((row.name, max(option.opts, key=len)))
    return writing


def test_every_option_that_writes_is_tried_here() -> None:
    """Checked over all existing options."""
    reads = {name for name in options_that_write() if name[1] in READ}
    assert options_that_write() - reads == set(WRITING) | FOLDERS


READ = {"--config", "--policy", "--provider-keys"}
"""Files that are read, whose absence the command explains itself."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    trail = tmp_path / "trail.json"
    trail.write_text(json.dumps({"Records": [local_forms.TRAIL]}))
    file = tmp_path / "earlier"
    file.write_text("earlier")
    return Place(trail, file)


@pytest.mark.parametrize("option", WRITING, ids=" ".join)
def test_existing_files_stay(option: tuple[str, str], place: Place) -> None:
    """Unless a flag says otherwise; the error names the file."""
    name, _ = option
    done = run(*name.split(), *WRITING[option](place))
    assert (4, "earlier") == (done.code, place.file.read_text()), done.err
    assert str(place.file) in done.err
    assert "already exists" in done.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("normalize", ("-o",)),
        ("normalize", ("--rejects",)),
        ("query", ("--sql", "SELECT 1", "-o")),
        ("timeline", ("--ip", "192.0.2.1", "--html")),
    ],
    ids=str,
)
@pytest.mark.parametrize("which", ["the file", "its folder"])
def test_an_input_is_never_overwritten(
    name: str, words: tuple[str, ...], which: str, place: Place
) -> None:
    """With any flag, under any name, and also if its folder was named."""
    place.file.unlink()
    folder = place.trail.parent
    before = place.trail.read_bytes()
    same = folder / "." / ".." / folder.name / place.trail.name
    source = place.trail if which == "the file" else folder
    done = run(name, source, *words, same, "--overwrite")
    assert (4, before) == (done.code, place.trail.read_bytes()), done.err
    assert "is an input" in done.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("normalize", ()),
        ("summary", ()),
        ("timeline", ("--ip", "192.0.2.1")),
        ("query", ("--sql", "SELECT count(*) FROM events", "--format", "csv")),
    ],
)
def test_a_missing_file_does_not_stop_the_others(
    name: str, words: tuple[str, ...], place: Place
) -> None:
    """The others are read; the missing one is named, and the output is not called complete."""
    everything = run(name, place.trail, *words)
    assert 0 == everything.code, everything.err
    missing = place.trail.with_name("missing.json")
    some = run(name, missing, place.trail, *words)
    assert 2 == some.code, some.err
    assert "missing.json: cannot be read: No such file" in some.err
    assert name in {"summary", "timeline"} or everything.out == some.out
    assert name != "timeline" or "could not be read" in some.out


def test_a_reading_is_never_overwritten(tmp_path: Path) -> None:
    """`coverage --html` with the name of a reading, and one flag too many."""
    reading = tmp_path / "aws.json"
    first = next(iter(sorted(examples.FOLDER.glob("*.json"))))
    reading.write_bytes(first.read_bytes())
    done = run("coverage", "--config-dir", tmp_path, "--html", reading, "--overwrite")
    assert (4, first.read_bytes()) == (done.code, reading.read_bytes()), done.err
