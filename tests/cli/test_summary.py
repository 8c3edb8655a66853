"""`nhi-evidence summary` on log files and on evidence."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.demo.story import generate
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.lock import lock_batch
from tests.cli import sealed_copy
from tests.cli.command import run
from tests.proofs import sealed

GOOD = json.loads(gzip.decompress(generate()[0].body))["Records"][0]
STORED = Path(__file__).parents[1] / "fixtures" / "format-v1"
EVIDENCE, KEY = STORED / "evidence", STORED / "log.vkey"


def test_a_summary_states_who_did_what_and_when(tmp_path: Path) -> None:
    """By identity: kind, phases, denials, first and last; rejected records are counted apart."""
    denied = {**GOOD, "eventTime": "2030-01-01T00:00:00Z", "errorCode": "AccessDenied"}
    file = tmp_path / "x.log"
    file.write_text(f"{json.dumps(GOOD)}\nnope\n{json.dumps(denied)}\n")
    report = run("summary", "--json", file).json
    assert "nhi-evidence/summary/1" == report["schema"]
    assert (3, 1) == (report["input"], report["rejected"])
    (who,) = report["identities"]
    assert (2, 1, 2) == (who["records"], who["refused"], sum(who["phases"].values()))
    assert (1893456000000, True) == (who["last"], who["first"] < who["last"])
    result = run("summary", file).out
    assert result.startswith(
        "INCOMPLETE 1 identity (0 people) in 2 records, 1 refused\n"
        "part of the input is not counted here\n"
    )
    assert "1 of 3 records could not be read or mapped" in result
    assert 2 == run("summary", file).code
    assert "to 2030-01-01T00:00:00Z" in result
    assert 4 == run("summary", tmp_path / "none").code


def test_an_identity_seen_as_several_kinds_is_counted_once(tmp_path: Path) -> None:
    """A user with and without a second factor counts once, with both kinds and its first uid."""
    user = {
        "type": "IAMUser", "principalId": "AIDACIDEPLOY44EXAMPLE", "userName": "ci-deploy",
        "arn": "arn:aws:iam::444455556666:user/ci-deploy", "accountId": "444455556666",
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
    }  # fmt: skip
    session = {"sessionContext": {"attributes": {"mfaAuthenticated": "true"}}}
    records = [
        {**GOOD, "userIdentity": {**user, **more}, "eventID": f"id-{at}", "eventTime": time}
        for at, (more, time) in enumerate(
            [
                (session, "2026-03-02T09:00:00Z"),
                ({}, "2026-03-02T08:00:00Z"),
                ({}, GOOD["eventTime"]),
            ]
        )
    ]
    file = tmp_path / "trail.json"
    file.write_text(json.dumps({"Records": records}))
    (who,) = run("summary", "--json", file).json["identities"]
    assert (3, 2, "id-1") == (who["records"], len(who["types"]), who["first_uid"])
    result = run("summary", file).out
    assert result.startswith("SUMMARIZED 1 identity (0 people) in 3 records")
    assert "    first uid id-1\n" in result


def test_nothing_to_summarize_is_said_first(tmp_path: Path) -> None:
    """No records at all are no failure; records of which none could be mapped are."""
    (tmp_path / "empty.json").write_text('{"Records": []}')
    (tmp_path / "none.json").write_text('{"Records": [{"eventVersion": "1.08"}]}')
    for name, verdict, code in (("empty", "NO RECORDS", 0), ("none", "NOTHING ACCEPTED", 4)):
        done = run("summary", tmp_path / f"{name}.json", "--source", "aws_cloudtrail")
        assert (code, True) == (done.code, done.out.startswith(f"{verdict} 0 identities")), done
        file = tmp_path / f"{name}.json"
        assert (
            verdict == run("summary", file, "--source", "aws_cloudtrail", "--json").json["verdict"]
        )


def test_lines_refused_alike_have_one_note(tmp_path: Path) -> None:
    """The first is named; what follows it in the file says no more, and is counted."""
    file = tmp_path / "x.log"
    file.write_text("nope\n" * 3 + '{"a": 1}\n')
    notes = run("summary", "--json", file).json["notes"]
    assert ["line 1", "line 4"] == [note.split(": ")[0].rpartition(", ")[2] for note in notes[:2]]
    assert notes[2].startswith("2 more like these")


def test_nothing_counts_twice(tmp_path: Path) -> None:
    """One file by two paths is named and read once; one record in two files counts once.

    A timeline counts the same.
    """
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    for file in (first, second):
        file.write_text(json.dumps({"Records": [GOOD]}))
    link = tmp_path / "sub"
    link.mkdir()
    again = link / ".." / "a.json"
    report = run("summary", "--json", first, again, second).json
    assert (2, 1) == (report["input"], report["repeated"])
    assert 1 == sum(who["records"] for who in report["identities"])
    assert [f"{again}: the same file as {first}; read once"] == [
        note for note in report["notes"] if "same file" in note
    ]
    counted = run(
        "query", first, again, second, "--sql", "SELECT count(*) AS n FROM events", "--json"
    )
    assert [[1]] == counted.json["rows"]
    assert "1 record already read, and counted once" in run("summary", first, second).out


@pytest.mark.parametrize("damage", ["checksum", "end"])
def test_what_comes_before_damage_counts_in_every_command_alike(
    tmp_path: Path, damage: str
) -> None:
    """Exit 2, with INCOMPLETE if there is a verdict; nothing at all is exit 4."""
    lines = b"\n".join(json.dumps({**GOOD, "eventID": f"id-{n}"}).encode() for n in range(300))
    body = bytearray(gzip.compress(lines))
    if damage == "checksum":
        body[-6] ^= 1
    else:
        del body[-400:]
    file = tmp_path / "trail.ndjson.gz"
    file.write_bytes(body)
    summary = run("summary", "--json", file)
    counted = sum(who["records"] for who in summary.json["identities"])
    # A checksum stands after all content.
    assert counted == 300 if damage == "checksum" else 0 < counted < 300
    result = run("query", file, "--sql", "SELECT count(*) AS n FROM events", "--json")
    assert [[counted]] == result.json["rows"]
    timeline = run("timeline", file, "--identity", "nobody")
    normalized = run("normalize", "--scope", "all", file)
    assert counted == len(normalized.out.splitlines())
    assert {2} == {each.code for each in (summary, result, timeline, normalized)}
    assert timeline.out.startswith("INCOMPLETE")
    assert run("summary", file).out.startswith("INCOMPLETE")
    file.write_bytes(body[:40])
    asked_of_nothing = (
        ("summary",), ("normalize",), ("timeline", "--identity", "x"),
        ("query", "--sql", "FROM events"),
    )  # fmt: skip
    assert {4} == {run(name, file, *more).code for name, *more in asked_of_nothing}


def test_identities_with_most_phases_come_first(tmp_path: Path) -> None:
    """In the story it is the leaked key; only ids are wider than the terminal."""
    for file in generate():
        (tmp_path / Path(file.key).name).write_bytes(file.body)
    result = run("summary", tmp_path).out
    first = result.partition("known to be\n")[2].splitlines()[0]
    assert "  arn:aws:iam::444455556666:user/ci-deploy" == first
    assert [] == [line for line in result.splitlines() if len(line) > 80 and ":" not in line]
    assert "Human" not in result.partition("\nPeople\n")[0]


def test_a_summary_of_evidence_counts_what_verification_counts() -> None:
    """Each unit in the signed log once; and it says that it is not a verification."""
    report = run("summary", "--json", EVIDENCE, "--key", KEY).json
    verified = run("verify", "--json", EVIDENCE, "--key", KEY).json
    listed = sum(identity["records"] for identity in report["identities"])
    assert listed + report["rejected"] == report["input"]
    counted = sum(verified["records_counted"].values())
    assert counted == report["input"] + report["out_of_scope"]
    assert ["1 delivery could not be decoded; kept as delivered"] == report["notes"][:-1]
    assert "not verified here" in report["notes"][-1]
    assert "not verified here" in run("summary", EVIDENCE, "--key", KEY).err


def test_a_unit_in_two_batches_counts_once(tmp_path: Path) -> None:
    """Redelivered beside another file, its records are in the log twice and count once."""
    evidence, key_file = tmp_path / "evidence", tmp_path / "log.pem"
    sealed_copy.write(evidence, with_digest=True)
    file = sealed.deliveries(sealed.trail_file())[0]
    other = Delivery(sealed.FILE_UNIT.replace("@v1", "@v2"), sealed.trail_file())
    outcome = lock_batch(sealed.mapper(), [file, other], DirectoryStore(evidence))
    assert not outcome.failed
    run("keys", "--new", "--key-file", key_file, "--name", sealed_copy.NAME)
    key = run("keys", "--key-file", key_file, "--name", sealed_copy.NAME).out.strip()
    assert 0 == run("seal", evidence, "--name", sealed_copy.NAME, "--key-file", key_file).code
    verified = run("verify", "--json", evidence, "--key", key).json
    assert {"counted": 3, "duplicate claims": 1} == verified["units"]
    report = run("summary", "--json", evidence, "--key", key).json
    counted = sum(verified["records_counted"].values())
    assert counted == report["input"] + report["out_of_scope"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((EVIDENCE,), "no trusted key"),
        ((EVIDENCE, EVIDENCE, "--key", KEY), "one evidence store, or only log files"),
        (("ftp://nowhere", "--key", KEY), "evidence is s3://bucket"),
    ],
)
def test_unreadable_evidence_is_reported(arguments: tuple[object, ...], problem: str) -> None:
    """Without a key, with several stores, or without any: exit 4 and one line."""
    done = run("summary", *map(str, arguments))
    assert (4, "") == (done.code, done.out)
    assert problem in done.err
