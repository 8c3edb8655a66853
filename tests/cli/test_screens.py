"""On a terminal of 80 columns, everything that can be wrapped is; piped, nothing is wrapped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nhi_evidence.cli import commands
from nhi_evidence.cli.commands import COMMANDS
from nhi_evidence.demo.story import generate
from tests.cli import screens
from tests.cli.command import run
from tests.cli.screens import COLUMNS, ELSEWHERE, Case, looked_at

_COMMAND = re.compile(
    r"(?:\S+\s{2,}|\s+|next: )?(?:\S*/)?(?:nhi-evidence|make) [a-z]|\s*fix: [^`]*$"
)
_PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
_QUOTED = re.compile(r"`[^`]*`")
_BROKEN = re.compile(r"list\[|\w-$", re.MULTILINE)
"""A type of Python, or a word that cannot be copied as a whole."""
_UNBROKEN = 30
"""Length from which a word may exceed the line: an id, a path, a hash, a URL."""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("screens"))


def too_wide(text: str) -> list[str]:
    """Return lines wider than the terminal that could have been wrapped between words."""
    return [
        line
        for line in text.splitlines()
        if len(line) > COLUMNS
        and not _COMMAND.match(line)
        and len(max(_QUOTED.sub(lambda each: "x" * len(each[0]), line).split(), key=len))
        < _UNBROKEN
    ]


def stated_verdicts() -> dict[str, tuple[str, ...]]:
    """Return what the first line of a command may begin with, by docs/cli.md."""
    rows = re.findall(r"^\| (`.*`.*) \| (`[A-Z].*`) \|$", _PAGE.read_text("utf-8"), re.MULTILINE)
    return {
        command: tuple(re.findall(r"`([^`]+)`", words))
        for commands_named, words in rows
        for command in re.findall(r"`([^`]+)`", commands_named)
    }


def test_every_verdict_is_of_a_command() -> None:
    """So the check of first lines looks at something."""
    verdicts = stated_verdicts()
    assert {"verify", "prove", "check-proof", "normalize", "timeline"} < set(verdicts)
    assert all(commands.find(name) for name in verdicts)


def test_a_line_that_is_too_wide_is_noticed() -> None:
    """An id or a command to copy may be; a sentence may not."""
    sentence = "a sentence that goes on and on, " * 4
    assert [sentence] == too_wide(sentence)
    assert [] == too_wide(f"on {'x' * 90}\nnext  nhi-evidence verify {sentence}")


def test_every_command_fits_a_terminal_of_80_columns(case: Case) -> None:
    """Each command in the table is run, or listed as tested elsewhere."""
    wide: dict[str, list[str]] = {}
    on_screen: set[str] = set()
    verdicts = stated_verdicts()
    for name, arguments in case.runs():
        out, err = looked_at(name, arguments)
        assert "a bug in this program" not in err, (name, err)
        assert out or name == "normalize", (name, err)
        on_screen.add(name)
        if name in verdicts:
            lines = err.splitlines() if name == "normalize" else out.splitlines()[:1]
            first = tuple(f"{verdict} " for verdict in verdicts[name])
            assert any(line.startswith(first) for line in lines), (name, out, err)
        lines = too_wide(out) + too_wide(err)
        if lines:
            wide[" ".join(map(str, (name, *arguments)))] = lines
    assert {} == wide
    leaves = {row.name for row in COMMANDS if not row.is_group}
    assert (set(), set()) == (leaves - on_screen - set(ELSEWHERE), on_screen & set(ELSEWHERE))


@pytest.mark.parametrize("name", [row.name for row in COMMANDS])
def test_every_help_fits_a_terminal_of_80_columns(name: str) -> None:
    """So do its examples, on lines that a shell joins; only a single value may be wider."""
    text = looked_at(name, ["--help"])[0]
    assert [] == [
        line
        for line in text.splitlines()
        if len(line) > COLUMNS and max(map(len, line.split())) < 2 * _UNBROKEN
    ]
    assert not _BROKEN.search(text)
    row = commands.find(name)
    assert row is not None
    if not row.is_group:
        assert {"Examples:", "Exit codes:"} <= set(text.splitlines())


@pytest.mark.parametrize("command", ["normalize", "summary", "timeline"])
def test_a_path_stays_whole_while_progress_is_shown(tmp_path: Path, command: str) -> None:
    """It is copied from the screen: wider than a row, it is still not broken by a line feed."""
    (tmp_path / "with blanks").mkdir()
    broken = tmp_path / "with blanks" / f"{'a-long-name-' * 10}.json"
    broken.write_text('{"Records": [{"eventVersion": "1.08", ')
    (tmp_path / "read.json").write_bytes(generate()[0].body)
    more = {"normalize": ("-o", tmp_path / "records"), "timeline": ("--ip", "203.0.113.77")}
    _, err = looked_at(command, (tmp_path, *more.get(command, ())), terminal="xterm")
    assert any(f"'{broken}'," in line for line in err.splitlines()), err
    assert command == "timeline" or "\x1b[" in err, "no progress was shown"


def test_a_refusal_is_wrapped_between_words(tmp_path: Path) -> None:
    """An error is one line of words, wrapped as every other."""
    missing = tmp_path / ("none-" * 20)
    _, err = looked_at("keys", ("--key-file", missing, "--name", "example.org/evidence"))
    assert str(missing) in err
    assert [] == too_wide(err)


def test_piped_output_is_neither_wrapped_nor_cut(case: Case) -> None:
    """The words are the same, one entry per line: the next program in the pipe searches lines."""
    for name, arguments in (
        ("verify", (case.evidence, "--key", case.key)),
        ("timeline", (case.logs, "--identity", "ci-deploy", "--coverage", case.report)),
        ("summary", (case.logs,)),
    ):
        piped = run(*name.split(), *arguments).out
        seen, _ = looked_at(name, arguments)
        words = [re.sub(r"\d+", "0", text).split() for text in (piped, seen)]
        assert words[0] == words[1], name
        assert len(piped.splitlines()) <= len(seen.splitlines()), name
    query = (case.logs, "--sql", "SELECT * FROM events ORDER BY time LIMIT 2")
    heading, *rows = run("query", *query).out.splitlines()
    assert 2 == len(rows)
    values = {word for row in rows for word in row.split() if len(word) > 1}
    assert values <= set(looked_at("query", query)[0].split())
    assert screens.COLUMNS < len(heading)
