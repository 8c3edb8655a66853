"""`nhi-evidence normalize` as a user runs it."""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from pyarrow import parquet
from rich.console import Console

from nhi_evidence import sources
from nhi_evidence.cli import progress
from nhi_evidence.cli.raw_input import Inputs
from nhi_evidence.demo.story import generate
from nhi_evidence.pipeline.scope import Scope
from tests.cli.command import run_bytes as run
from tests.ocsf_schema import problems

GOOD = json.loads(gzip.decompress(generate()[0].body))["Records"][0]


def summary(result: subprocess.CompletedProcess[bytes]) -> dict[str, int]:
    counts: dict[str, int] = json.loads(result.stderr)
    return counts


def test_every_form_of_input(tmp_path: Path) -> None:
    """Plain, gzip and line-delimited input give the same records, in input order."""
    raw = [json.dumps({**GOOD, "eventID": str(n)}).encode() for n in range(3)]
    document = b'{"Records":[' + b",".join(raw) + b"]}"
    (tmp_path / "a.json").write_bytes(document)
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(document))
    (tmp_path / "c.ndjson").write_bytes(b"\n\n".join(raw) + b"\r\n")
    outputs = [
        run("normalize", "--source", "aws_cloudtrail", "--scope", "all", tmp_path / name)
        for name in ("a.json", "b.json.gz", "c.ndjson")
    ]
    assert {0} == {one.returncode for one in outputs}
    assert len({one.stdout for one in outputs}) == 1
    records = [json.loads(line) for line in outputs[0].stdout.splitlines()]
    assert ["0", "1", "2"] == [one["metadata"]["uid"] for one in records]
    assert [] == [problem for one in records for problem in problems(one)]


def test_rejects_are_accounted_for(tmp_path: Path) -> None:
    """Accepted + rejected == input, and each reject says index, reason and raw hash."""
    lines = [json.dumps(GOOD).encode(), b"nope", b'{"eventTime":1}', b"[]"]
    (tmp_path / "in.ndjson").write_bytes(b"\n".join(lines))
    (tmp_path / "broken.json").write_bytes(b"{")
    rejects = tmp_path / "rejects.ndjson"
    options = ("--source", "aws_cloudtrail", "--scope", "all", "--json", "--rejects")
    result = run("normalize", *options, rejects, tmp_path / "in.ndjson", tmp_path / "broken.json")
    counts = summary(result)
    assert result.returncode == 2
    assert (5, 1, 4) == (counts["input"], counts["accepted"], counts["rejected"])
    assert len(result.stdout.splitlines()) == counts["printed"] == 1
    rejected = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(1, "malformed_json"), (2, "event_time_malformed"), (3, "record_not_an_object")] == [
        (one["index"], one["reason"]) for one in rejected[:3]
    ]
    assert (4, "malformed_json") == (rejected[3]["index"], rejected[3]["reason"])
    assert sha256(b"nope").hexdigest() == rejected[0]["raw_sha256"]


def test_excluded_records_are_counted_by_reason(tmp_path: Path) -> None:
    """Out-of-scope records are accepted, not printed, and counted by reason."""
    for file in generate():
        (tmp_path / Path(file.key).name).write_bytes(file.body)
    result = run("normalize", "--source", "aws_cloudtrail", "--json", *sorted(tmp_path.iterdir()))
    counts = json.loads(result.stderr)
    assert counts["input"] == sum(one.records for one in generate())
    assert counts["accepted"] == counts["printed"] + counts["out_of_scope"]["human"]
    assert counts["out_of_scope"]["human"] > 0
    assert len(result.stdout.splitlines()) == counts["printed"]


def test_text_from_records_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    """Control, C1 and bidirectional characters are output as escapes; the value is kept."""
    agent = "\x1b[31m\x9b31m\u202e[bold]\x07\x7f"
    (tmp_path / "x.ndjson").write_text(json.dumps({**GOOD, "userAgent": agent}, ensure_ascii=False))
    result = run("normalize", "--source", "aws_cloudtrail", "--scope", "all", tmp_path / "x.ndjson")
    text = result.stdout.decode()
    assert not [one for one in text if one != "\n" and (ord(one) < 32 or 127 <= ord(one) < 160)]
    assert "\u202e" not in text
    assert json.loads(text)["http_request"]["user_agent"] == agent


def test_wrong_usage_is_named(tmp_path: Path) -> None:
    """An unknown source, a missing file and a missing option say what is wrong."""
    (tmp_path / "x.json").write_bytes(b'{"Records":[]}')
    unknown = run("normalize", "--source", "nope", tmp_path / "x.json")
    assert unknown.returncode == 4
    known = ", ".join(sources.names())
    assert f"nhi-evidence: unknown source 'nope'; known: {known}\n" == unknown.stderr.decode()
    missing = run("normalize", "--source", "aws_cloudtrail", tmp_path / "none\x1b[31m.json")
    assert missing.returncode == 4
    assert b"none\\u001b[31m.json: cannot be read: No such file" in missing.stderr
    assert run("normalize").returncode == 64


def test_one_missing_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    """Existing files are read and their source named; the exit code says that one was missing."""
    (tmp_path / "x.json").write_text(json.dumps(GOOD))
    result = run("normalize", "--scope", "all", tmp_path / "none.json", tmp_path / "x.json")
    assert (2, 1) == (result.returncode, len(result.stdout.splitlines()))
    assert "none.json: cannot be read: No such file" in result.stderr.decode()
    assert "source aws_cloudtrail, detected from the attributes of 1" in result.stderr.decode()


def test_nothing_accepted_is_a_failure(tmp_path: Path) -> None:
    """The error has file, line, its beginning (made inert), what it looks like, and what to do."""
    (tmp_path / "x.json").write_bytes(b"kind: \x1b[31mabc\nname: x\n")
    result = run("normalize", "--source", "gcp_audit", tmp_path / "x.json")
    assert result.returncode == 4
    errors = result.stderr.decode()
    assert "x.json: not read: looks like YAML" in errors
    assert "--format=json" in errors
    assert "\x1b" not in errors


def test_directories_and_standard_input(tmp_path: Path) -> None:
    """All files under a directory except hidden ones and digests; - is standard input."""
    digest = tmp_path / "AWSLogs" / "1" / "CloudTrail-Digest" / "d.json"
    digest.parent.mkdir(parents=True)
    for path in (tmp_path / "b.log", tmp_path / "AWSLogs" / "a", digest, tmp_path / ".hidden"):
        path.write_text(json.dumps(GOOD))
    result = run("normalize", "--scope", "all", "--json", tmp_path)
    counts = json.loads(result.stderr)
    assert (0, 2) == (result.returncode, counts["accepted"])
    assert "a digest or manifest" in counts["notes"][0]
    program = Path(sys.executable).with_name("nhi-evidence")
    piped = subprocess.run(
        [program, "normalize", "--scope", "all", "-"],
        input=gzip.compress(json.dumps(GOOD).encode()),
        capture_output=True,
        check=True,
    )
    assert len(piped.stdout.splitlines()) == 1


def test_an_empty_file_of_records(tmp_path: Path) -> None:
    """No records in, none out, nothing rejected."""
    (tmp_path / "x.json").write_bytes(b'{"Records":[]}')
    result = run("normalize", "--source", "aws_cloudtrail", "--json", tmp_path / "x.json")
    counts = json.loads(result.stderr)
    assert (0, 0, 0, b"") == (
        counts["input"],
        counts["accepted"],
        counts["rejected"],
        result.stdout,
    )


def test_output_can_be_filtered(tmp_path: Path) -> None:
    """By identity, phase and time; the rest is counted, and CSV contains no formula."""
    later = {**GOOD, "eventTime": "2030-01-01T00:00:00Z", "eventName": "=cmd()"}
    (tmp_path / "x.log").write_text(f"{json.dumps(GOOD)}\n{json.dumps(later)}\n")
    options = ("normalize", "--scope", "all", "--json", tmp_path / "x.log")
    result = run(*options, "--from", "2030-01-01", "--format", "csv")
    heading, row = result.stdout.decode().splitlines()
    assert heading.startswith("time,phase,")
    assert ",'=cmd()," in row
    counts = summary(result)
    assert (2, 1, 1) == (counts["accepted"], counts["printed"], counts["filtered"])
    assert run(*options, "--identity", "nobody").stdout == b""
    assert run(*options, "--to", "2030-01-01T00:00:00").returncode == 64
    assert len(run(*options, "--to", "2030-01-01", "--format", "table").stdout.splitlines()) == 2
    known = json.loads(run(*options, "--from", "2029-01-01").stdout)["nhi_phase"]
    assert len(run(*options, "--phase", known).stdout.splitlines()) >= 1
    assert run(*options, "--phase", "nope").returncode == 64


def labeled(record: bytes) -> tuple[str, ...]:
    return tuple(json.loads(record)["metadata"].get("labels", ()))


def test_a_zone_is_assumed_only_where_asked_and_every_record_says_so(tmp_path: Path) -> None:
    """The record keeps its text and hash; a record with a time zone is not labeled."""
    bare = json.dumps({**GOOD, "eventTime": "2026-03-01 12:00:00.250"})
    (tmp_path / "x.ndjson").write_text(f"{bare}\n{json.dumps(GOOD)}\n")
    refused = run("normalize", "--scope", "all", tmp_path / "x.ndjson")
    assert 1 == len(refused.stdout.splitlines())
    assert "--assume-utc reads times without a zone as UTC" in refused.stderr.decode()
    read = run("normalize", "--scope", "all", "--assume-utc", tmp_path / "x.ndjson")
    first, second = read.stdout.splitlines()
    assert (("time_zone_assumed_utc",), ()) == (labeled(first), labeled(second))
    record = json.loads(first)
    assert (1772366400250, "2026-03-01 12:00:00.250") == (
        record["time"],
        record["metadata"]["original_time"],
    )
    assert sha256(bare.encode()).hexdigest() == record["raw_data_hash"]["value"]
    assert [] == problems(record)
    for form, marked in (("csv", "time_zone_assumed_utc"), ("table", "2026-03-01T12:00:00Z*")):
        result = run(
            "normalize", "--scope", "all", "--assume-utc", "--format", form, tmp_path / "x.ndjson"
        )
        lines = result.stdout.decode().splitlines()
        assert [False, True, False] == [marked in line for line in lines]


def test_parquet_is_a_typed_table(tmp_path: Path) -> None:
    """In a pipe and in a file it has the same rows, times as timestamps, the record as JSON."""
    for file in generate():
        (tmp_path / Path(file.key).name).write_bytes(file.body)
    lines = run("normalize", tmp_path).stdout.splitlines()
    piped = run("normalize", "--format", "parquet", tmp_path).stdout
    target = tmp_path.parent / "rows.parquet"
    assert 0 == run("normalize", "--format", "parquet", "-o", target, tmp_path).returncode
    assert piped == target.read_bytes()
    rows = parquet.read_table(target).to_pylist()
    assert len(lines) == len(rows) > 100
    assert [json.loads(line) for line in lines] == [json.loads(row["record"]) for row in rows]
    assert [row["time"].timestamp() * 1000 for row in rows] == [
        json.loads(line)["time"] for line in lines
    ]
    again = run("normalize", "--format", "parquet", "-o", target, tmp_path)
    assert (4, piped) == (again.returncode, target.read_bytes())
    assert "already exists" in again.stderr.decode()


def test_parquet_without_its_library_says_what_to_install(tmp_path: Path) -> None:
    """One line, exit 4, nothing written."""
    (tmp_path / "x.json").write_text(json.dumps(GOOD))
    code = (
        "import sys; sys.modules['pyarrow'] = None; from nhi_evidence import cli\n"
        f"sys.argv = ['x', 'normalize', '--format', 'parquet', {str(tmp_path / 'x.json')!r}, "
        f"'-o', {str(tmp_path / 'x.parquet')!r}]\n"
        "cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (4, "") == (done.returncode, done.stdout)
    assert "needs pyarrow" in done.stderr
    assert not (tmp_path / "x.parquet").exists()
    assert "Traceback" not in done.stderr


def test_progress_says_rate_and_remaining_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is on a terminal, unless records are printed there, too."""
    printed = io.StringIO()
    terminal = Console(file=printed, force_terminal=True, width=100)
    monkeypatch.setattr(progress, "Console", lambda **_: terminal)
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"{json.dumps(GOOD)}\n" * 600)
    logs = Inputs(None, scope=Scope.ALL)
    files = logs.files([tmp_path])
    positions: list[int] = []
    with progress.Reading(logs.size(files), visible=True) as bar:

        def say(done: int) -> None:
            positions.append(done)
            bar.say(done)

        for path in files:
            for _ in logs.readings(path, say):
                pass
    assert positions == sorted(positions)
    assert positions[-1] == sum(path.stat().st_size for path in files)
    assert re.search(r"MiB.*\d [kM]?B/s.*\d:\d\d:\d\d", printed.getvalue(), re.DOTALL)
    printed.truncate(0)
    with progress.Reading(10, visible=False) as bar:
        bar.say(5)
    assert "reading" not in printed.getvalue()


def test_records_that_fail_alike_are_noted_once(tmp_path: Path) -> None:
    """They are on one line, so nothing tells their notes apart; their number is printed."""
    good = generate()[0].body
    record = json.loads(gzip.decompress(good))["Records"][0]
    late = [{**record, "eventTime": "yesterday", "eventID": str(at)} for at in range(9)]
    odd = [{**record, "eventTime": "tomorrow"}]
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"Records": [*late, *odd, record]}))
    errors = run("normalize", file).stderr.decode()
    assert (1, 1) == (errors.count("'yesterday'"), errors.count("'tomorrow'"))
    assert "8 more like these" in errors
    assert "INCOMPLETE 1 of 11 records accepted\ninput 11 = accepted 1 + rejected 10\n" in errors
