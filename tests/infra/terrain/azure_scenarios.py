"""What the workspace holds in a situation, and which alerts that raises.

The function's lines are those of its own entry (`azure_function.py`), the other rows as Azure
documents its tables. The alerts are those of the stack: their queries are run, by an engine that
runs this language over DuckDB and refuses what it does not know, in the window and as often as
each says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import duckdb
import duckdb_kql

from tests.infra.terrain.azure_function import CASES, Batch, Function
from tests.infra.terrain.synthesis import Stack

PARTITIONS = 8
STEP = 0.25
"""Hours between two batches of a partition, or two tries of one."""
BEFORE, AFTER, LONG = -50.0, 54.0, 100.0
"""Hours around the beginning of the situation; the last one is for what takes days."""
GRID = 4
"""Each rule is evaluated as often as it says for the first two hours, and then twice in a row every
so many hours: no alarm here lasts shorter."""
START = datetime(2026, 3, 2)  # noqa: DTZ001 the engine's times have no zone
"""When the situation begins, UTC."""

_MOMENT_LATER = 0.01

_MOMENT = "kqlnow"
"""The engine's parameter for the moment a query is run at."""

TAKE_DAYS = {"the evidence account is unavailable", "a partition falls behind"}

TABLES = {
    "FunctionAppLogs": "TimeGenerated TIMESTAMP, Level VARCHAR, Message VARCHAR",
    "AzureMetrics": "TimeGenerated TIMESTAMP, MetricName VARCHAR, Total DOUBLE",
    "AzureActivity": "TimeGenerated TIMESTAMP, OperationNameValue VARCHAR, "
    "ActivityStatusValue VARCHAR, _ResourceId VARCHAR, Caller VARCHAR",
}
Row = tuple[Any, ...]
Rows = Mapping[str, list[Row]]

DIRECTORY = ("ManagedIdentitySignInLogs", "SignInLogs")
IN_USE = tuple(CASES)


class At(NamedTuple):
    """What happens in one step."""

    comes: bool = True
    """Whether messages reach the hub."""
    reads: Callable[[int], bool] = lambda _: True
    """Which partitions are read."""
    waited: Callable[[int], float] = lambda _: 0.05
    """Hours the oldest message of a partition has waited."""
    categories: tuple[str, ...] = IN_USE
    store_away: bool = False
    broken: bool = False
    deleted: bool = False
    """Whether somebody deletes a diagnostic setting."""
    throttled: bool = False
    """Whether the hub refuses some of what comes."""
    deployed: bool = True


Situation = Callable[[float], At]
"""Hours since it began to what happens."""

SITUATIONS: Mapping[str, Situation] = {
    "a normal week, with evidence that expires": lambda _: At(),
    "a tenant that rests at night": lambda hour: At(
        categories=IN_USE if 8 <= hour % 24 < 18 else ("ManagedIdentitySignInLogs",)
    ),
    "first deployment, first message after three hours": lambda hour: At(
        deployed=hour >= 0, comes=hour >= 3
    ),
    "nothing ever arrives": lambda hour: At(deployed=hour >= 0, comes=False),
    "the sources stop": lambda hour: At(comes=hour < 0),
    "the evidence account is unavailable": lambda hour: At(
        store_away=hour >= 0, waited=lambda _: 0.05 + max(hour, 0)
    ),
    "the evidence account refuses once": lambda hour: At(store_away=hour == 0),
    "the function is stopped": lambda hour: At(reads=lambda _: hour < 0),
    "a partition is not read": lambda hour: At(reads=lambda number: hour < 0 or number != 3),
    "a partition falls behind": lambda hour: At(
        waited=lambda number: 0.05 + (max(hour, 0) if number == 3 else 0)
    ),
    "one category stops": lambda hour: At(
        categories=IN_USE if hour < 0 else tuple(one for one in IN_USE if one != "AuditEvent")
    ),
    "more comes than the hub may grow to take": lambda hour: At(throttled=hour >= 0),
    "a burst, and the hub grows": lambda hour: At(throttled=hour == 0),
    "the directory's setting is removed": lambda hour: At(
        categories=IN_USE if hour < 0 else tuple(one for one in IN_USE if one not in DIRECTORY)
    ),
    "a subscription's setting is deleted": lambda hour: At(deleted=hour == 0),
    "a record that breaks the mapper": lambda hour: At(broken=hour == 0),
    # A missing number of a partition is a finding of `verify --deep`: nothing here sees it.
    "checkpoints are moved past messages": lambda _: At(),
}


@cache
def _lines(batch: Batch, *, store_away: bool, broken: bool) -> tuple[tuple[str, str], ...]:
    return tuple(_function()(batch, store_away=store_away, broken=broken))


@cache
def _function() -> Function:
    return Function()


def steps(situation: Situation, ends: float) -> Iterator[tuple[datetime, Rows]]:
    """Yield the time of each step, until so many hours after the beginning, and what it adds."""
    for hour in (BEFORE + STEP * number for number in range(int((ends - BEFORE) / STEP))):
        at, time = situation(hour), START + timedelta(hours=hour)
        added: dict[str, list[Row]] = {name: [] for name in TABLES}
        if at.deployed:
            added["AzureMetrics"] += _metrics(at)
            added["AzureActivity"] += _activity(at)
            added["FunctionAppLogs"] += _logged(at)
        yield time, added


def _logged(at: At) -> Iterator[tuple[str, str]]:
    if at.comes:
        for number in filter(at.reads, range(PARTITIONS)):
            # Of eight messages, one has records; the lines of the others are the same but for that.
            batch = Batch(number, at.waited(number), () if number else at.categories)
            yield from _lines(batch, store_away=at.store_away, broken=at.broken)


def _metrics(at: At) -> list[Row]:
    """What the hub counts; of messages, nothing at all where none comes."""
    messages: list[Row] = [("IncomingMessages", 512.0)] if at.comes else []
    refused: list[Row] = [("ThrottledRequests", 12.0 if at.throttled else 0.0)]
    return [("ActiveConnections", 3.0), *refused, *messages]


def _activity(at: At) -> list[Row]:
    setting = (
        "/subscriptions/x/providers/microsoft.insights/diagnosticSettings/nhi-evidence-main-170b2e"
    )
    action = "microsoft.insights/diagnosticSettings/delete"
    other = "/subscriptions/x/resourceGroups/other", "someone"
    written = ("Microsoft.Storage/storageAccounts/write", "Success", *other)
    gone: list[Row] = [(action, "Success", setting, "someone")] if at.deleted else []
    return [written, *gone]


_ABSOLUTE = re.compile(r"\b(?:bin|startof\w+|endof\w+|dayof\w+|hourofday|datetime)\(")
"""What would make the answer of a query depend on more than how long ago its rows were."""

_kinds: dict[tuple[tuple[str, tuple[Row, ...]], ...], int] = {}
"""What a step adds, to a number for it."""
_answers: dict[tuple[str, tuple[str, ...], timedelta, tuple[int, ...]], bool] = {}
"""Query, tables there are, time since the newest step and the steps in its window, the newest last,
to whether it has rows."""


class Workspace:
    """The tables of a situation, which can be looked at from any moment on."""

    def __init__(self, history: Iterable[tuple[datetime, Rows]]) -> None:
        self._connection = duckdb_kql.connect()
        self._translated: dict[str, str | None] = {}
        self._steps: list[tuple[datetime, int]] = []
        by_table: dict[str, list[Row]] = {name: [] for name in TABLES}
        for time, added in history:
            kind = tuple((name, tuple(lines)) for name, lines in added.items())
            self._steps.append((time, _kinds.setdefault(kind, len(_kinds))))
            for name, lines in added.items():
                by_table[name] += [(time, *line) for line in lines]
        self._tables = tuple(name for name in TABLES if by_table[name])
        for name in self._tables:
            self._fill(name, TABLES[name], by_table[name])

    def _fill(self, name: str, columns: str, rows: list[Row]) -> None:
        self._connection.execute(f"CREATE TABLE all_{name} ({columns})")
        fields = ", ".join("unnest(?)" for _ in rows[0])
        by_column = [list(column) for column in zip(*rows, strict=True)]
        self._connection.execute(f"INSERT INTO all_{name} SELECT {fields}", by_column)
        self._connection.execute(
            f"CREATE VIEW {name} AS SELECT * FROM all_{name} WHERE TimeGenerated > "  # noqa: S608
            "getvariable('begins') AND TimeGenerated <= getvariable('tick')"
        )

    def has(self, query: str, hour: float, window: timedelta) -> bool:
        """Whether a query has rows at an hour, looking back as far as the window.

        It knows only how long ago its rows were: the same steps as long ago are the same answer.
        """
        assert not _ABSOLUTE.search(query), query
        tick = START + timedelta(hours=hour)
        within = [(time, kind) for time, kind in self._steps if tick - window < time <= tick]
        since = tick - within[-1][0] if within else window
        key = query, self._tables, since, tuple(kind for _, kind in within)
        if key not in _answers:
            _answers[key] = bool(self._rows_of(query, tick, window))
        return _answers[key]

    def _rows_of(self, query: str, tick: datetime, window: timedelta) -> list[Row]:
        for name, value in (("tick", tick), ("begins", tick - window)):
            self._connection.execute(f"SET VARIABLE {name} = ?", [value])
        if query not in self._translated:
            self._translated[query] = self._translate(query)
        sql = self._translated[query]
        if sql is None:
            return []
        parameters = {_MOMENT: tick} if f"${_MOMENT}" in sql else None
        return self._connection.execute(sql, parameters).fetchall()

    def _translate(self, query: str) -> str | None:
        """Return the query as SQL; None where a table it names has never had a row.

        Azure then has no such table, and the alert no result.
        """
        names = set(re.findall(r"\b(FunctionAppLogs|AzureMetrics|AzureActivity)\b", query))
        known = {row[0] for row in self._connection.execute("SHOW TABLES").fetchall()}
        if "isfuzzy" not in query and not names <= known:
            return None
        relation: duckdb.DuckDBPyRelation = duckdb_kql.kql(self._connection, query, query_now=START)
        return str(relation.sql_query())


class Alert(NamedTuple):
    """What decides when a rule of the stack tells somebody."""

    query: str
    every: timedelta
    window: timedelta
    periods: int


def alerts(stack: Stack) -> dict[str, Alert]:
    """Return the rules of a stack that tell somebody, by the name after `nhi-evidence-`."""
    by_name = {}
    for body in stack["resource"]["azurerm_monitor_scheduled_query_rules_alert_v2"].values():
        (criteria,) = body["criteria"]
        periods = criteria["failing_periods"]
        assert ("GreaterThan", 0, "Count") == tuple(
            criteria[name] for name in ("operator", "threshold", "time_aggregation_method")
        )
        assert len(set(periods.values())) == 1
        assert body["action"]["action_groups"]
        by_name[body["name"].removeprefix("nhi-evidence-")] = Alert(
            criteria["query"],
            _duration(body["evaluation_frequency"]),
            _duration(body["window_duration"]),
            periods["number_of_evaluation_periods"],
        )
    return by_name


def _duration(text: str) -> timedelta:
    """Read the ISO 8601 durations Azure takes here: days, or hours, or minutes."""
    match = re.fullmatch(r"P(?:(\d+)D|T(?:(\d+)H|(\d+)M))", text)
    assert match, text
    days, hours, minutes = (int(one or 0) for one in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def raised(rules: Mapping[str, Alert], situation: str) -> set[str]:
    """Return the rules a situation raises, at whatever time."""
    ends = LONG if situation in TAKE_DAYS else AFTER
    workspace = Workspace(steps(SITUATIONS[situation], ends))
    return {name for name, rule in rules.items() if any(_states(workspace, rule, ends))}


def _states(workspace: Workspace, rule: Alert, ends: float) -> Iterator[bool]:
    every = rule.every.total_seconds() / 3600
    in_a_row = 0
    for number in range(int((ends - BEFORE) / every)):
        hour = BEFORE + number * every
        if hour % GRID >= 2 * every and not 0 <= hour < 2:
            in_a_row = 0
            continue
        is_met = workspace.has(rule.query, hour + _MOMENT_LATER, rule.window)
        in_a_row = in_a_row + 1 if is_met else 0
        yield in_a_row >= rule.periods
