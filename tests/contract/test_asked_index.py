"""A timeline is the same whichever engine answers: Athena's statements, executed by DuckDB.

What a live Athena answers is for `tests.conform --athena`; here its texts are made as its
documentation says: https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from nhi_evidence.adapters.index import build
from nhi_evidence.adapters.index.local_index import LocalIndex
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate.athena import answers
from nhi_evidence.investigate.athena.asked_index import AskedIndex, Span, span
from nhi_evidence.investigate.index import Selection
from nhi_evidence.investigate.row import Place, Row, Standing
from nhi_evidence.investigate.timeline import Timeline, compose
from tests import athena, stated_store

HOURS = Span("2026030200", "2026030223")


class Engines(NamedTuple):
    """The same evidence in both engines."""

    folder: Path
    local: LocalIndex
    athena: AskedIndex


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    folder, index = tmp_path_factory.mktemp("evidence"), tmp_path_factory.mktemp("index")
    stated_store.make(folder, contested=False)
    store = DirectoryStore(folder)
    log = StoredLog(store, stated_store.NAME, (stated_store.KEY,))
    state = build.refresh(index, store, log, log_name=stated_store.NAME, jobs=1)
    with LocalIndex(index, state) as local:
        yield Engines(folder, local, athena_index(folder))


def athena_index(folder: Path, hours: Span = HOURS) -> AskedIndex:
    lake = athena.Lake(folder)
    return AskedIndex(
        lake.as_texts, database=athena.DATABASE, hours=hours, name="Athena, here",
        kept=lambda: athena.kept_hours(folder),
    )  # fmt: skip


def every_row(index: LocalIndex | AskedIndex, selection: Selection) -> list[Row]:
    """Return counted rows without where they are sealed, which Athena does not see."""
    return [
        msgspec.structs.replace(
            row,
            place=Place("", "", 0, standing=row.place.standing),
        )
        for row in index.rows(selection)
        if row.place.standing is Standing.COUNTED
    ]


def chosen(field: str, *values: str) -> Selection:
    return msgspec.structs.replace(Selection(), **{field: frozenset(values)})


def selections(local: LocalIndex) -> Iterator[Selection]:
    """Yield values for every kind of selection, and times that end among the records."""
    columns = {
        "identities": "unnest([identity, identity_uid, identity_name])",
        "credentials": "unnest(list_concat([credential], hop_credentials))",
        "issued": "unnest(issued)",
        "resources": "upper(unnest(targets))",
    }
    for field, column in columns.items():
        sql = f"SELECT DISTINCT {column} AS x FROM events ORDER BY x NULLS LAST LIMIT 6"
        values = [value for (value,) in local.connection.execute(sql).fetchall()]
        yield chosen(field, *(each for each in values if each is not None))
    sql = """SELECT DISTINCT issuer, subject FROM events
    WHERE subject IS NOT NULL ORDER BY 1, 2 LIMIT 3"""
    pairs = local.connection.execute(sql).fetchall()
    yield Selection(subjects=frozenset((issuer or "", subject) for issuer, subject in pairs))
    ((first, last),) = local.connection.execute(
        "SELECT epoch_ms(min(time)), epoch_ms(max(time)) FROM events"
    ).fetchall()
    somebody = chosen("addresses", "203.0.113.77")
    yield msgspec.structs.replace(somebody, since=(first + last) // 2)
    yield msgspec.structs.replace(somebody, until=(first + last) // 2)
    yield chosen("identities", "it's nobody' OR '1'='1")


@pytest.mark.slow
def test_every_selection_has_the_same_rows(engines: Engines) -> None:
    asked_something = 0
    for selection in selections(engines.local):
        here = every_row(engines.local, selection)
        there = every_row(engines.athena, selection)
        assert sorted(here, key=repr) == sorted(there, key=repr), selection
        asked_something += bool(here)
    assert asked_something == 7


def test_acts_of_trust_are_the_same(engines: Engines) -> None:
    assert list(engines.athena.trusts()) == list(engines.local.trusts())
    assert engines.local.trusts()


def story(index: LocalIndex | AskedIndex, selection: Selection) -> Timeline:
    return compose(index, selection, subject="the story")


def without_places(timeline: Timeline) -> object:
    """Return a timeline without where records are sealed and what was read."""
    plain = msgspec.to_builtins(timeline)
    plain.pop("freshness")
    return _without_place(plain)


def _without_place(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_place(one) for name, one in value.items() if name != "place"}
    return [_without_place(one) for one in value] if isinstance(value, list | tuple) else value


@pytest.mark.slow
def test_a_timeline_over_clouds_is_the_same(engines: Engines) -> None:
    """The timeline is that of the workload that crosses the most platforms."""
    sql = "SELECT DISTINCT identity FROM events WHERE identity LIKE 'nhi:oidc:%'"
    widest = max(
        (
            chosen("identities", value)
            for (value,) in engines.local.connection.execute(sql).fetchall()
        ),
        key=lambda each: (len(story(engines.local, each).providers), repr(each)),
    )
    here, there = story(engines.local, widest), story(engines.athena, widest)
    assert len(here.providers) >= 2
    assert without_places(here) == without_places(there)
    assert len(here.path.credentials) > 1
    assert not there.is_incomplete
    assert there.freshness.engine == "Athena, here"


def test_hours_without_a_statement_are_named_and_make_the_answer_incomplete(tmp_path: Path) -> None:
    stated_store.lock(tmp_path, "aws_cloudtrail", stated_store.trail()[:2])
    stated_store.seal(tmp_path)
    timeline = story(athena_index(tmp_path), Selection(addresses=frozenset({"203.0.113.77"})))
    assert timeline.freshness.not_shown_count > 0
    assert timeline.freshness.not_shown[0].startswith("aws_cloudtrail 20260302")
    assert timeline.is_incomplete
    assert not timeline.path.steps


def test_contested_units_are_named_and_make_the_answer_incomplete(tmp_path: Path) -> None:
    stated_store.make(tmp_path)
    freshness = athena_index(tmp_path).freshness()
    assert any(text.endswith("some of it is contested") for text in freshness.not_shown)


def test_hours_follow_from_the_time(engines: Engines) -> None:
    assert span(1_772_409_600_000, 1_772_413_200_000) == Span("2026030200", "2026030201")
    hours = span(1_772_409_600_000, 1_772_409_600_001)
    assert (hours.begin, hours.end) == (1_772_409_600_000, 1_772_413_199_999)
    with pytest.raises(ValueError, match="outside the calendar"):
        span(0, 10**18)
    elsewhere = athena_index(engines.folder, Span("2026030300", "2026030301"))
    undated = list(elsewhere.rows(Selection(addresses=frozenset({"203.0.113.77"}))))
    assert {row.place.object.split("/")[3] for row in undated} <= {"h=unknown"}


@pytest.mark.parametrize(
    ("kind", "text"),
    [("BIGINT", "x"), ("BOOLEAN", "yes"), ("VARCHAR[]", "[a, b]"), ("TIMESTAMP", "then"),
     ("INTERVAL", "1"), ("DECIMAL(3,1)", "x")],
)  # fmt: skip
def test_a_malformed_answer_is_refused(kind: str, text: str) -> None:
    with pytest.raises(answers.AnswerError, match="Athena answered"):
        answers.read(kind, text)
