"""Athena's views over the objects answer as the local index does, question by question.

The statements for Athena are transpiled and executed here. Whether Athena itself accepts them takes
a live account: docs/conform.md lists that as not settled.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlglot
from sqlglot import exp

from nhi_evidence.adapters.index import build
from nhi_evidence.adapters.index.local_index import LocalIndex
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate.athena import subset, views
from nhi_evidence.investigate.library import questions
from tests import athena, stated_store
from tests.golden.athena_texts import FOLDER, texts

NAMES = [question.name for question in questions()]
HOURS = views.between("2026030200", "2026030223")

NEEDED = (
    exp.With, exp.CTE, exp.Union, exp.Cast, exp.TryCast, exp.Try, exp.DataType, exp.DataTypeParam,
    exp.ColumnDef, exp.JSONExtract, exp.JSONExtractScalar, exp.JSONPath, exp.JSONPathRoot,
    exp.JSONPathKey, exp.RegexpExtract, exp.Like, exp.Between, exp.Coalesce, exp.Array,
    exp.ArrayFilter, exp.Transform, exp.Lambda, exp.Dot, exp.Concat, exp.ArrayDistinct,
    exp.ArrayAgg, exp.ArraySort, exp.AnyValue, exp.CountIf, exp.Bracket, exp.DateAdd, exp.Neg,
    exp.AtTimeZone, exp.CurrentTimestamp, exp.TimeToStr, exp.StartsWith, exp.StrPosition,
    exp.Substring,
)  # fmt: skip
"""SQL that the views need beyond the questions': reading JSON, lists, and labels."""


class Both(NamedTuple):
    """The same evidence under both engines."""

    folder: Path
    local: LocalIndex
    lake: athena.Lake


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder, index = tmp_path_factory.mktemp("evidence"), tmp_path_factory.mktemp("index")
    stated_store.make(folder)
    store = DirectoryStore(folder)
    log = StoredLog(store, stated_store.NAME, (stated_store.KEY,))
    state = build.refresh(index, store, log, log_name=stated_store.NAME, jobs=1)
    assert not state.unreadable
    with LocalIndex(index, state) as local:
        yield Both(folder, local, athena.Lake(folder))


def asked_here(both: Both, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    result = both.local.connection.execute(sql)
    return [each[0] for each in result.description or ()], _sorted(result.fetchall())


def asked_there(both: Both, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    columns, rows = both.lake.ask(views.statement(sql, athena.DATABASE, HOURS))
    return columns, _sorted(rows)


def _sorted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows and lists in a fixed order: neither engine guarantees one for repeated values."""
    plain = [
        tuple(sorted(each) if isinstance(each, list) else each for each in row) for row in rows
    ]
    return sorted(plain, key=repr)


def unbounded(sql: str) -> str:
    """Return a question without its LIMIT, which each engine applies to ties differently."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert tree.args.pop("limit")
    return tree.sql("duckdb")


@pytest.mark.parametrize(
    "name", [*NAMES[:2], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[2:])]
)
def test_every_question_has_the_same_rows(both: Both, name: str) -> None:
    (question,) = (each for each in questions() if each.name == name)
    sql = unbounded(question.sql)
    here, there = asked_here(both, sql), asked_there(both, sql)
    assert here == there
    if name not in {"refused-then-allowed", "enumeration-sweeps"}:
        assert here[1], "nothing to compare"


SEALED = "shard, leaf, unit"
"""An object's lines do not name its epoch, and a record's line names its unit by id."""


def test_every_event_is_the_same_but_for_where_it_is_sealed(both: Both) -> None:
    sql = "SELECT * FROM events"
    columns = asked_there(both, sql)[0]
    assert columns == asked_here(both, sql)[0]
    here = asked_here(both, f"SELECT * EXCLUDE ({SEALED}) FROM events")[1]
    own = [column for column in columns if column not in SEALED.split(", ")]
    there = asked_there(both, f"SELECT {', '.join(own)} FROM events")[1]
    # Each engine shows a record of two counted units once; which unit wins, only the log decides.
    place = {"object", "unit_id", "line"}
    kept = [at for at, column in enumerate(own) if column not in place]
    assert _only(here, kept) == _only(there, kept)
    assert len(here) > 500


def _only(rows: list[tuple[Any, ...]], places: list[int]) -> list[tuple[Any, ...]]:
    return _sorted([tuple(row[at] for at in places) for row in rows])


def test_units_that_count_are_the_same(both: Both) -> None:
    columns = "source, hour, unit, unit_id, part, records, is_rejection, object"
    for standing in ("=", "<>"):
        sql = f"SELECT {columns} FROM units WHERE standing {standing} 'counted'"
        here = asked_here(both, sql)
        assert here == asked_there(both, sql)
        assert here[1]
    everything = "SELECT * FROM units"
    assert asked_here(both, everything)[0] == asked_there(both, everything)[0]


def test_identities_and_findings_are_the_same(both: Both) -> None:
    for sql in (
        """SELECT identity, first_seen, last_seen, records, refused, credentials, addresses, phases
        FROM identities""",
        "SELECT * FROM findings WHERE name IS NULL",
        "SELECT made_by, source, hour, code, name, detail, things, object FROM findings",
    ):
        here = asked_here(both, sql)
        assert here == asked_there(both, sql)
        assert here[1]


def test_an_hour_without_a_statement_is_reported_and_not_counted(tmp_path: Path) -> None:
    stated_store.lock(tmp_path, "aws_cloudtrail", stated_store.trail()[:2])
    stated_store.seal(tmp_path)
    lake = athena.Lake(tmp_path)
    count = "SELECT standing, count(*) FROM all_events GROUP BY standing"
    ((standing, records),) = lake.ask(views.statement(count, athena.DATABASE, HOURS))[1]
    assert (standing, records > 10) == ("not_stated", True)
    events = views.statement("SELECT * FROM events", athena.DATABASE, HOURS)
    assert lake.ask(events)[1] == []


def test_the_longest_log_wins(tmp_path: Path) -> None:
    """Files that only an older statement counts are not counted."""
    file = stated_store.trail()[0]
    stated_store.lock(tmp_path, "aws_cloudtrail", [file])
    stated_store.seal(tmp_path)
    stated_store.state(tmp_path)
    events = views.statement("SELECT * FROM events", athena.DATABASE, HOURS)
    assert athena.Lake(tmp_path).ask(events)[1]
    other = stated_store.trail()[1]
    stated_store.lock(tmp_path, "aws_cloudtrail", [type(file)(file.unit, other.body)])
    stated_store.seal(tmp_path)
    stated_store.state(tmp_path)
    assert athena.Lake(tmp_path).ask(events)[1] == []


def test_invalid_lines_do_not_fail_a_query(both: Both, tmp_path: Path) -> None:
    """A writer's lines can be anything: invalid ones are left out and named as unreadable."""
    from nhi_evidence.evidence import frame  # noqa: PLC0415

    (tmp_path / "ev/v1/gcp_audit/h=2026030208").mkdir(parents=True)
    lines = [b'{"u":"x","i":0,"n":{"time":9e99}}', b"not JSON", b'{"n":[1]}', b'{"n":{"time":"x"}}',
             b'{"u":"y","i":"z","n":{"nhi":7}}']  # fmt: skip
    body, _ = frame.pack(lines)
    (tmp_path / "ev/v1/gcp_audit/h=2026030208" / ("0" * 64 + ".ndjson.zst")).write_bytes(body)
    lake = athena.Lake(tmp_path)
    events = views.statement("SELECT * FROM all_events", athena.DATABASE, HOURS)
    assert lake.ask(events)[1] == []
    unreadable = views.statement("SELECT * FROM unreadable", athena.DATABASE, HOURS)
    assert len(lake.ask(unreadable)[1]) == 4


def test_only_the_requested_hours_are_read(both: Both) -> None:
    other = views.between("2026030209", "2026030223")
    sql = views.statement("SELECT DISTINCT hour FROM all_events", athena.DATABASE, other)
    assert {hour for (hour,) in both.lake.ask(sql)[1]} <= {"2026030209", "unknown"}


@pytest.mark.parametrize("hours", [HOURS, views.LAST_DAY])
def test_the_views_keep_to_a_subset_that_both_engines_read(hours: views.Hours) -> None:
    tree = sqlglot.parse_one(
        views.statement("SELECT * FROM events", athena.DATABASE, hours), read="athena"
    )
    strange = {
        type(node).__name__
        for node in tree.walk()
        if not isinstance(node, (*subset.SAVED, *NEEDED))
    }
    assert not strange
    written = tree.sql("athena")
    assert sqlglot.parse_one(written, read="athena").sql("athena") == written


@pytest.mark.parametrize("with_", ["WITH", "with\n"])
def test_a_question_may_bring_its_own_views(both: Both, with_: str) -> None:
    sql = f"{with_} mine AS (SELECT count(*) AS n FROM events) SELECT n FROM mine;"
    ((there,),) = asked_there(both, sql)[1]
    ((here,),) = both.local.connection.execute(sql).fetchall()
    assert here == there


def test_the_texts_of_both_engines_are_as_recorded() -> None:
    """A changed text has to be reviewed: `python -m tests.golden` writes them again."""
    recorded = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert dict(texts()) == recorded
