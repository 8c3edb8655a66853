"""Saved questions use SQL that DuckDB and Athena read alike, and existing columns."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from nhi_evidence.investigate.athena import subset
from nhi_evidence.investigate.columns import COLUMNS
from nhi_evidence.investigate.library import Question, find, parse, questions
from nhi_evidence.investigate.row import Row

NAMES = [question.name for question in questions()]


def question(name: str) -> Question:
    known = find(name)
    assert known
    return known


def test_the_questions_are_those_documented() -> None:
    assert {
        "validation-bursts", "enumeration-sweeps", "first-use-of-credentials",
        "cross-account-chains", "secrets-read-by-new-identities", "agent-tool-calls",
        "identities-in-use", "credentials-in-use", "credentials-never-used",
    } <= set(NAMES)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_question_keeps_to_the_subset(name: str) -> None:
    tree = sqlglot.parse_one(question(name).sql, read="duckdb")
    strange = {type(node).__name__ for node in tree.walk() if not isinstance(node, subset.SAVED)}
    assert not strange


@pytest.mark.parametrize("name", NAMES)
def test_athena_reads_the_same_text_as_duckdb(name: str) -> None:
    """Both dialects parse it to one tree, and the text written for Athena parses back to it."""
    sql = question(name).sql
    here, there = (sqlglot.parse_one(sql, read=engine) for engine in ("duckdb", "athena"))
    assert here.sql("athena") == there.sql("athena")
    assert sqlglot.parse_one(there.sql("athena"), read="athena").sql("athena") == here.sql("athena")


@pytest.mark.parametrize("name", NAMES)
def test_a_question_names_columns_of_events_alone(name: str) -> None:
    tree = sqlglot.parse_one(question(name).sql, read="duckdb")
    tables = {table.name for table in tree.find_all(exp.Table)}
    assert tables == {"events"}
    aliases = {alias.alias for alias in tree.find_all(exp.Alias)} | {"issued_credential"}
    known = {column.name for column in COLUMNS} | aliases
    assert {column.name for column in tree.find_all(exp.Column)} <= known


@pytest.mark.parametrize("name", NAMES)
def test_a_row_names_a_record_that_prove_takes(name: str) -> None:
    """A group names one example, so a row of the answer leads to a proof."""
    tree = sqlglot.parse_one(question(name).sql, read="duckdb")
    assert isinstance(tree, exp.Select)
    assert any(column.endswith("uid") for column in tree.named_selects)


def test_the_columns_are_the_fields_of_a_row() -> None:
    assert (*(column.name for column in COLUMNS), "place") == Row.__struct_fields__


@pytest.mark.parametrize("text", ["SELECT 1", "-- title\nSELECT 1", "-- title\n-- note\n"])
def test_a_question_without_title_note_or_sql_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name: "):
        parse("name", text)
