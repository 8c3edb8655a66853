"""What is sent to Athena: one SELECT over the views, in SQL both engines read alike, or nothing."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from nhi_evidence.investigate.athena import selecting, subset, views
from nhi_evidence.investigate.athena.subset import Answered, QuestionError, for_athena
from nhi_evidence.investigate.index import Selection
from nhi_evidence.investigate.library import questions

COUNT = [Answered("n", is_list=False)]


def sent(sql: str, *columns: Answered) -> str:
    return for_athena(sql, columns or COUNT, views.NAMES)


HOSTILE = [
    "DROP TABLE events",
    "CREATE TABLE x AS SELECT * FROM events",
    "INSERT INTO events SELECT * FROM events",
    "UNLOAD (SELECT * FROM events) TO 's3://elsewhere/' WITH (format = 'PARQUET')",
    "COPY (SELECT 1) TO 'file'",
    "SELECT 1; SELECT 2",
    "SELECT 1) SELECT (2",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM 's3://elsewhere/x.parquet'",
    "SELECT * FROM other_database.secrets",
    'SELECT * FROM "awsdatacatalog"."other"."secrets"',
    "SELECT * FROM evidence_lines",
    "SELECT * FROM statement_lines",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM events AS e, other AS o",
    "SELECT count(*) FROM events WHERE identity IN (SELECT name FROM other)",
    "WITH events AS (SELECT 1 AS x) SELECT x FROM events",
    "WITH counted AS (SELECT 1 AS x) SELECT x FROM counted",
    "WITH EVIDENCE_LINES AS (SELECT 1 AS x) SELECT x FROM evidence_lines",
    "SELECT lambda_function('x') FROM events",
    "USING EXTERNAL FUNCTION f(x INT) RETURNS INT LAMBDA 'y' SELECT f(line) FROM events",
    "SELECT records / 2 FROM identities",
    "SELECT CAST(line AS VARCHAR) FROM events",
    "EXECUTE saved USING 'x'",
    "SHOW TABLES",
    "EXPLAIN SELECT 1",
    "VALUES (1)",
    "SELECT $1",
    "SELECT ?",
    "not sql at all",
    "",
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
]


@pytest.mark.parametrize("sql", HOSTILE, ids=range(len(HOSTILE)))
def test_anything_else_is_refused(sql: str) -> None:
    with pytest.raises(QuestionError):
        sent(sql)


@pytest.mark.parametrize("question", questions(), ids=lambda each: each.name)
def test_saved_questions_are_sent_as_they_are_meant(question: object) -> None:
    sql = question.sql  # type: ignore[attr-defined]
    assert sent(sql) == sqlglot.parse_one(sql, read="athena").sql("athena", comments=False)


def test_comments_are_not_sent() -> None:
    assert sent("SELECT count(*) AS n /* a note */ FROM events -- another") == (
        "SELECT COUNT(*) AS n FROM events"
    )


def test_lists_are_written_as_json() -> None:
    two = (Answered("time", is_list=False), Answered("targets", is_list=True))
    cast = 'JSON_FORMAT(CAST(targets AS JSON)) AS "targets"'
    assert sent("SELECT time, targets FROM events", *two) == f"SELECT time, {cast} FROM events"
    every = sent("SELECT * FROM events", *two)
    assert every == ('SELECT "time", JSON_FORMAT(CAST("targets" AS JSON)) AS "targets" FROM events')


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT time, targets FROM events UNION SELECT time, targets FROM events",
        "SELECT e.*, 1 AS one FROM events AS e",
    ],
)
def test_lists_that_cannot_be_written_as_json_are_refused(sql: str) -> None:
    columns = [Answered(name, is_list=name == "targets") for name in ("time", "targets", "one")]
    with pytest.raises(QuestionError, match="list"):
        sent(sql, *columns)


TEXTS = st.text() | st.sampled_from(
    ["'", "''", "\\'", "'; DROP TABLE x; --", "\x00", "$1", "/* */", "\n", "%", "\\", "é 漢"]
)


@given(TEXTS)
def test_a_literal_is_the_text_and_nothing_more(text: str) -> None:
    written = selecting.literal(text)
    tree = sqlglot.parse_one(f"SELECT {written}", read="athena")
    (literal,) = tree.expressions
    assert isinstance(literal, exp.Literal)
    assert literal.this == text
    # Neither takes a NUL, or half of a pair, in a text of SQL.
    if "\x00" not in text and text.isprintable():
        assert duckdb.execute(tree.sql("duckdb")).fetchall() == [(text,)]


@given(
    st.sets(TEXTS, max_size=4), st.sets(TEXTS, max_size=4), st.sets(st.tuples(TEXTS, TEXTS)),
    st.sets(TEXTS, max_size=4),
)  # fmt: skip
def test_a_selection_is_one_condition_whatever_its_values(
    identities: set[str], issued: set[str], subjects: set[tuple[str, str]], resources: set[str]
) -> None:
    """No value can end its literal: the syntax tree has each value as one literal, and nothing
    else.
    """
    selection = Selection(
        identities=frozenset(identities), issued=frozenset(issued),
        subjects=frozenset(subjects), resources=frozenset(resources), since=0, until=10,
    )  # fmt: skip
    sql = f"SELECT time FROM events WHERE {selecting.condition(selection)}"
    tree = sqlglot.parse_one(sql, read="athena")
    assert isinstance(tree, exp.Select)
    assert {table.name for table in tree.find_all(exp.Table)} == {"events"}
    strings = {each.this for each in tree.find_all(exp.Literal) if each.is_string}
    expected = identities | issued | {text for pair in subjects for text in pair}
    expected |= {each.lower() for each in resources}
    assert expected <= strings
    assert strings - expected <= {"", "millisecond", "1970-01-01 00:00:00.000", "MILLISECOND"}


def test_many_values_are_split_over_statements_and_none_is_lost() -> None:
    many = frozenset(f"ASIA{number:016d}" for number in range(12_000))
    selection = Selection(credentials=many, identities=frozenset({"x"}), since=5)
    batches = list(selecting.batches(selection))
    assert len(batches) > 1
    assert frozenset().union(*(each.credentials for each in batches)) == many
    assert sum(len(each.credentials) for each in batches) == len(many)
    assert [each.identities for each in batches].count(frozenset({"x"})) == 1
    assert {each.since for each in batches} == {5}
    hours = views.between("2026030200", "2026030223")
    for each in batches:
        sql = f"SELECT * FROM events WHERE {selecting.condition(each)}"
        assert len(views.statement(sql, "nhi_evidence_main", hours).encode()) < 262_144
    assert list(selecting.batches(Selection())) == []
    assert selecting.condition(Selection()) == "false"


def test_every_view_of_the_subset_exists() -> None:
    assert subset.VIEWS <= views.NAMES
