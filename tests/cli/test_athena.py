"""`query` and `timeline` on Athena print the same as with the local index, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import pytest

from nhi_evidence.adapters.aws import athena_uri
from nhi_evidence.config import naming
from nhi_evidence.investigate.library import questions
from tests import athena_stub, stated_store
from tests.athena_stub import AthenaStub
from tests.cli.command import Result
from tests.cli.command import run as run_command
from tests.conform import engines as conform_engines

TIMES = ("--from", "2026-03-02T00:00:00Z", "--to", "2026-03-03T00:00:00Z")


def run(*arguments: str | Path | Sequence[str]) -> Result:
    """Accept arguments one by one or in a list."""
    plain = [each for one in arguments for each in ([one] if isinstance(one, str | Path) else one)]
    return run_command(*plain)


class Engines(NamedTuple):
    """The same evidence: a folder with its key and index, and an Athena URI."""

    local: tuple[str | Path, ...]
    uri: str
    stub: AthenaStub


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "x")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        folder = tmp_path_factory.mktemp("evidence")
        stated_store.make(folder, contested=False)
        stub = AthenaStub(folder)
        key = str(stated_store.KEY)
        index = tmp_path_factory.mktemp("cache") / "index"
        with athena_stub.serving(stub) as uri:
            yield Engines((folder, "--key", key, "--index", index), uri, stub)


def both(engines: Engines, command: str, *arguments: str) -> tuple[Result, Result]:
    times = TIMES if command == "query" else ()
    here = run(command, *engines.local, *arguments)
    there = run(command, engines.uri, *times, *arguments)
    assert (here.code, there.code) == (0, 0), (here.err, there.err)
    return here, there


QUESTIONS = [
    """SELECT time, provider, operation, targets, labels, is_agentic, class_uid, ip FROM events
    WHERE provider <> 'AWS' ORDER BY time, uid, raw_sha256, operation LIMIT 40""",
    "SELECT phase, count(*) AS n, min(time) AS first FROM events GROUP BY phase ORDER BY phase",
    """SELECT identity, first_seen, records, phases FROM identities
    WHERE identity LIKE 'nhi:%' ORDER BY identity""",
    """SELECT source, hour, code, things, name FROM findings
    ORDER BY source, hour, code, name, things""",
    "SELECT count(*) AS n, sum(records) AS records FROM units WHERE standing = 'counted'",
]


@pytest.mark.parametrize("form", ["table", "csv"])
@pytest.mark.parametrize(
    "sql",
    [QUESTIONS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in QUESTIONS[1:])],
    ids=range(len(QUESTIONS)),
)
def test_answers_are_identical_to_the_byte(engines: Engines, sql: str, form: str) -> None:
    here, there = both(engines, "query", "--sql", sql, "--format", form)
    assert here.out == there.out
    assert here.out.count("\n") > 1
    assert "no signature or hash was checked" in there.err
    assert "verify finds shadowed ones" in there.err
    assert "athena    read 40,000,000 bytes in 2 queries: about $0.0002" in there.err


def test_json_has_the_same_rows_and_names_the_engine(engines: Engines) -> None:
    here, there = both(engines, "query", "--sql", QUESTIONS[0], "--json")
    assert here.json["rows"] == there.json["rows"]
    assert here.json["columns"] == there.json["columns"]
    freshness = there.json["freshness"]
    assert freshness["engine"].startswith("Athena, workgroup nhi-evidence-main in eu-central-1")
    assert (freshness["proven"], freshness["rows"]) == (False, None)


def test_parquet_is_the_same_table(engines: Engines, tmp_path: Path) -> None:
    tables = tmp_path / "here.parquet", tmp_path / "there.parquet"
    sql = ("--sql", QUESTIONS[0], "--format", "parquet", "-o")
    assert run("query", *engines.local, *sql, tables[0]).code == 0
    assert run("query", engines.uri, *TIMES, *sql, tables[1]).code == 0
    assert pq.read_table(tables[0]).equals(pq.read_table(tables[1]))


@pytest.mark.slow
def test_conform_compares_every_saved_question(engines: Engines) -> None:
    """It reports any difference."""
    local, there = [str(each) for each in engines.local], [engines.uri, *TIMES]
    answers = dict(conform_engines.compare(local, there, run))
    assert set(answers.values()) == {"the same rows"}
    assert {each.name for each in questions()} < set(answers)
    late = [engines.uri, "--from", "2026-03-02T09:00:00Z", "--to", TIMES[3]]
    assert "rows are missing" in dict(conform_engines.compare(local, late, run))["events"]


def test_a_saved_question_is_answered(engines: Engines) -> None:
    here, there = both(engines, "query", "--question", "identities-in-use", "--format", "csv")
    assert sorted(here.out.splitlines()) == sorted(there.out.splitlines())


@pytest.mark.slow
def test_a_timeline_is_the_same(engines: Engines) -> None:
    who = ("--credential", "AKIAIOSFODNN7EXAMPLE", *TIMES)
    here, there = both(engines, "timeline", *who, "--format", "csv")
    drop = {"object", "unit", "shard", "leaf"}
    assert _without(here.out, drop) == _without(there.out, drop)
    text = run("timeline", engines.uri, *who).out
    assert text.startswith("FOUND ")
    assert (
        "evidence  Athena, workgroup nhi-evidence-main in eu-central-1: deliveries of the" in text
    )
    assert "leaf" not in text


def _without(text: str, drop: set[str]) -> list[list[str]]:
    import csv  # noqa: PLC0415
    import io  # noqa: PLC0415

    names, *rows = csv.reader(io.StringIO(text))
    kept = [at for at, name in enumerate(names) if name not in drop]
    assert len(names) - len(kept) == len(drop), names
    return sorted([row[at] for at in kept] for row in rows)


def refused(result: Result, text: str) -> None:
    assert (result.code, "Traceback" in result.err) == (4, False), result
    assert text in result.err, result.err


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("DROP TABLE events", "a query is a single SELECT"),
        ("SELECT nothing FROM events", "the question cannot be answered"),
        ("SELECT line FROM evidence_lines", "the question cannot be answered"),
        ("SELECT records / 2 AS half FROM identities", "Div: not in the SQL that both engines"),
        ("SELECT time - time AS none FROM events", "INTERVAL cannot be read from Athena"),
        ("SELECT * FROM units UNION SELECT * FROM nothing", "cannot be answered"),
    ],
)
def test_nothing_is_sent_for_a_refused_question(engines: Engines, sql: str, text: str) -> None:
    before = len(engines.stub.calls)
    refused(run("query", engines.uri, *TIMES, "--sql", sql), text)
    assert len(engines.stub.calls) == before


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ((), "--from is required"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), "--from is after --to"),
        (("--from", "2999-01-01"), "--from is after --to, or in the future"),
        ((*TIMES, "--key", "x"), "do not apply to Athena"),
        (
            ("--from", "2026-02-01", "--to", "2026-02-02"),
            "starts at hour 2026030100; nothing before it",
        ),
    ],
)
def test_unsupported_athena_requests_are_refused(
    engines: Engines, more: tuple[str, ...], text: str
) -> None:
    refused(run("query", engines.uri, *more, "--sql", "SELECT count(*) AS n FROM events"), text)


@pytest.mark.parametrize(
    "uri", ["athena://", "athena://x", "athena://x?region=r&other=1", "athena://x/y?region=r",
            "athena://x?region=r&database=a;b", "athena://x?region=r&region=s"],
)  # fmt: skip
def test_an_invalid_name_is_refused(uri: str) -> None:
    refused(run("query", uri, *TIMES, "--sql", "SELECT 1 AS x"), uri)


def test_a_name_says_which_auditor_asks() -> None:
    """The workgroup is the auditor's; the database is the one for all of them."""
    named = athena_uri.parse(
        "athena://nhi-evidence-main-170b2e?region=eu-central-1&auditor=external"
    )
    assert naming.workgroup("main-170b2e", "external") == named.workgroup
    assert naming.database("main-170b2e") == named.database


def test_options_of_a_local_index_are_refused(engines: Engines) -> None:
    query = ("--sql", "SELECT 1 AS x")
    refused(run("query", engines.uri, "logs", *TIMES, *query), "Athena cannot be combined")
    refused(run("query", *engines.local, *TIMES, *query), "--from and --to are for Athena")
    ocsf = run("timeline", engines.uri, *TIMES, "--ip", "203.0.113.77", "--format", "ocsf")
    refused(ocsf, "Athena keeps no records")
    case = run("case", "create", engines.uri, "--ip", "203.0.113.77", "-o", "x.zip", *TIMES)
    assert case.code == 4


def test_a_query_that_fails_is_one_line_with_what_it_cost(engines: Engines) -> None:
    engines.stub.failure = "GENERIC_INTERNAL_ERROR: no"
    try:
        result = run("query", engines.uri, *TIMES, "--sql", "SELECT count(*) AS n FROM events")
    finally:
        engines.stub.failure = None
    refused(result, "failed: GENERIC_INTERNAL_ERROR: no")
    assert "athena    read 20,000,000 bytes in 1 query" in result.err
    assert result.out == ""
