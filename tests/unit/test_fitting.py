"""Lines of a report on a terminal and in a pipe."""

from __future__ import annotations

import io
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.terminal import fitting

SENTENCE = "not checked: V1: " + "a rollback, of which nothing outside speaks; " * 3
KEY = "          ev/v1/aws_cloudtrail/h=2026030209/" + "a" * 64 + ".ndjson.zst"
COMMAND = (
    "next      nhi-evidence prove ./evidence " + "0" * 36 + " --policy policy.toml -o proof.zip"
)


@pytest.mark.parametrize(
    ("line", "indent"),
    [
        (SENTENCE, 13),
        ("workload  " + "the same in every cloud " * 5, 10),
        ("          " + "on this and that, " * 6, 10),
        ("08:10:00  AWS      " + "an operation " * 7, 10),
        ("                   cells of such acts: " + "aws.enumeration.objects, " * 5, 19),
        ("IMPOSSIBLE aws: a deleted key is tried: " + "no setting records it; " * 5, 11),
        ("credential AKIAIOSFODNN7EXAMPLE: " + "made with another, " * 5, 11),
        ("A sentence that no label begins, " * 4, 2),
    ],
)
def test_a_line_fits_a_terminal(line: str, indent: int) -> None:
    """It breaks between words, losing nothing, with continuations aligned."""
    rows = fitting.rows(line, 80)
    assert len(rows) > 1
    assert all(len(row) <= 80 for row in rows)
    assert line.split() == " ".join(rows).split()
    assert all(len(row) - len(row.lstrip()) == indent for row in rows[1:])


@pytest.mark.parametrize(
    ("line", "columns"), [(SENTENCE, None), (KEY, 80), (KEY, None), (COMMAND, 80)]
)
def test_lines_in_a_pipe_and_text_to_copy_are_not_wrapped(line: str, columns: int | None) -> None:
    """So they can be searched and selected."""
    assert line.split() == " ".join(fitting.rows(line, columns)).split()
    assert line.strip() == fitting.rows(line, columns)[-1].strip()


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        (KEY, 1),
        ("workload  " + "nhi:oidc:" + "x" * 90, 1),
        ("          on /subscriptions/" + "x" * 90, 1),
        ("  ev/v1/" + "a" * 90 + " unit " + "b" * 90, 2),
        (" " * 19 + "x" * 90, 1),
    ],
)
def test_a_word_wider_than_the_row_stays_beside_its_label(line: str, rows: int) -> None:
    """A label or an indent alone on a row would say nothing."""
    fitted = fitting.rows(line, 80)
    assert rows == len(fitted)
    assert line.startswith(fitted[0])


def test_a_path_with_blanks_stays_whole() -> None:
    """Quoted as a shell takes it; an apostrophe of a sentence begins no quote."""
    name = "my logs/of the trail/2026/03/02/trail.json"
    path = fitting.path(name)
    assert shlex.split(path) == [name]
    rows = fitting.rows(f"the caller's file isn't one of ours: {path}: cannot be read at all", 60)
    assert 1 == sum(path in row for row in rows)
    assert all(len(row) <= 60 for row in rows)
    assert fitting.path("logs/trail.json") == "logs/trail.json"


def test_a_command_within_a_sentence_stays_whole() -> None:
    """It can be copied from the screen and run."""
    command = "`gcloud organizations get-iam-policy ORG --format=yaml`"
    rows = fitting.rows(f"  fix: 1. first of all, {command}, 2. and then the rest of it", 80)
    assert 1 == sum(command in row for row in rows)
    assert len(rows) > 1


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=200), st.integers(40, 200))
def test_no_word_is_lost_or_broken(words: str, columns: int) -> None:
    """Whatever a record says, ids stay intact."""
    line = f"on        {words}"
    assert line.split() == " ".join(fitting.rows(line, columns)).split()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_are_wrapped_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe and a file get every line whole."""
    monkeypatch.setenv("COLUMNS", "80")
    for stream, lines in ((io.StringIO(), 1), (_Terminal(), 2)):
        fitting.say(stream, SENTENCE[:120])
        assert lines == len(stream.getvalue().splitlines())


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0.05, "0.0 hours old"), (71.9, "71.9 hours old"), (6543.4, "272 days old")],
)
def test_an_age_is_shown_in_natural_units(hours: float, words: str) -> None:
    """Hours for what is fresh, days for what is not."""
    assert words == fitting.age(round(hours * fitting.HOUR_MS))


@pytest.mark.parametrize("width", [40, 78, 200])
def test_a_command_on_several_lines_is_the_same_to_a_shell(width: int) -> None:
    """Quotes stay whole, and a pipe is continued like an option."""
    command = (
        "nhi-evidence query s3://evidence --policy policy.toml --sql 'SELECT 1 FROM events' "
        "--format csv | head -n 1 > first.csv"
    )
    lines = fitting.continued(command, width)
    assert shlex.split(command) == shlex.split("\n".join(lines).replace("\\\n", ""))
    assert width > len(command) or all(len(line) <= width for line in lines[1:])
