"""Questions that may be sent to Athena: SQL that DuckDB and Athena read alike, by syntax tree.

Nothing else is sent, and what is sent is generated from the tree that was checked, so no text
reaches Athena that another parser could read differently.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

SAVED = (
    exp.Select, exp.Subquery, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order,
    exp.Ordered, exp.Limit, exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier,
    exp.Literal, exp.Boolean, exp.Null, exp.Star, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ,
    exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Add, exp.Sub, exp.Paren, exp.Case,
    exp.If, exp.Count, exp.Distinct, exp.Sum, exp.Min, exp.Max, exp.Window, exp.RowNumber,
    exp.TimestampTrunc, exp.DateTrunc, exp.Interval, exp.Var, exp.Unnest,
)  # fmt: skip
"""The nodes that saved questions use."""

ALLOWED = (
    *SAVED, exp.With, exp.CTE, exp.Union, exp.Like, exp.Between, exp.Coalesce, exp.Lower,
    exp.Upper, exp.CountIf, exp.Neg, exp.Exists, exp.DPipe, exp.Length,
)  # fmt: skip
"""The nodes that any question may use. Division, casts and regular expressions differ."""

VIEWS = frozenset({"events", "all_events", "units", "identities", "findings", "unreadable"})
"""The views a question may read."""


class QuestionError(ValueError):
    """A question that must not be sent: says which part of it, and why."""


class Answered(msgspec.Struct, frozen=True):
    """One column of the answer."""

    name: str
    is_list: bool
    """Athena returns each value as one text, in which a list's elements cannot be told apart."""


def for_athena(sql: str, columns: Sequence[Answered], reserved: frozenset[str]) -> str:
    """Return a question as it is sent to Athena, with lists written as JSON.

    `columns` are those of its answer; `reserved` are names used by the surrounding statement.
    Raises `QuestionError` for a question that must not be sent.
    """
    here, there = (_parsed(sql, engine) for engine in ("duckdb", "athena"))
    for tree in (here, there):
        strange = {type(node).__name__ for node in tree.walk() if not isinstance(node, ALLOWED)}
        if strange:
            raise QuestionError(
                f"{', '.join(sorted(strange))}: not in the SQL that both engines read alike"
            )
    if here.sql("athena", comments=False) != there.sql("athena", comments=False):
        raise QuestionError("DuckDB and Athena would read this differently")
    _check_tables(there, reserved)
    return _lists_as_json(there, columns).sql("athena", comments=False)


def _parsed(sql: str, engine: str) -> exp.Expression:
    try:
        trees = sqlglot.parse(sql, read=engine)
    except (SqlglotError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise QuestionError(f"not SQL to {engine}: {first}") from error
    (tree, *more) = trees or [None]
    if more or not isinstance(tree, exp.Select | exp.Union):
        raise QuestionError("a query is a single SELECT")
    return tree


def _check_tables(tree: exp.Expression, reserved: frozenset[str]) -> None:
    own = {each.alias.lower() for each in tree.find_all(exp.CTE)}
    if taken := own & (reserved | VIEWS):
        raise QuestionError(f"{', '.join(sorted(taken))}: a view has this name already")
    for table in tree.find_all(exp.Table):
        name = table.name.lower()
        if table.db or table.catalog or name not in own | VIEWS:
            raise QuestionError(f"{table.sql('athena')}: only {', '.join(sorted(VIEWS))} are read")


def _lists_as_json(tree: exp.Expression, columns: Sequence[Answered]) -> exp.Expression:
    if not any(each.is_list for each in columns):
        return tree
    if not isinstance(tree, exp.Select):
        raise QuestionError("a UNION cannot return lists: leave out columns of lists")
    expressions = tree.expressions
    if (
        len(expressions) == 1
        and isinstance(expressions[0], exp.Star)
        and not any(expressions[0].args.values())
    ):
        expressions = [exp.column(each.name, quoted=True) for each in columns]
    if len(expressions) != len(columns) or len({each.name for each in columns}) != len(columns):
        raise QuestionError("name the columns one by one: among them are lists")
    tree.set(
        "expressions",
        [
            _as_json(each, column.name) if column.is_list else each
            for each, column in zip(expressions, columns, strict=True)
        ],
    )
    return tree


def _as_json(column: exp.Expression, name: str) -> exp.Expression:
    plain = column.this if isinstance(column, exp.Alias) else column
    cast = exp.Cast(this=plain.copy(), to=exp.DataType.build("json"))
    return exp.Alias(this=exp.JSONFormat(this=cast), alias=exp.to_identifier(name, quoted=True))
