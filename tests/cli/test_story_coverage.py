"""Each record of the story names where it lies, its seal, and what recorded it and how long."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.changes import Change, of_record
from nhi_evidence.demo.estate import amazon, google, microsoft
from nhi_evidence.demo.estate.edits import edited, put
from nhi_evidence.demo.story.crossing import JOIN_ID
from nhi_evidence.demo.story.records import PRODUCTION, WORKLOAD
from nhi_evidence.demo.story.script import LEAKED
from tests import story_store
from tests.cli.command import run
from tests.investigating import MINUTE, START

JOB = ("--identity", JOIN_ID)
KEY = ("--credential", LEAKED)
NEXT_TO = {"GitHub", "Okta"}
"""Recorded beside the job's path; their acts are found by address."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("story")
    story_store.write(folder / "evidence")
    story_store.report(folder / "coverage.json", story_store.readings())
    return folder


def timeline(folder: Path, report: Path, *arguments: str | Path, document: bool = True) -> Any:
    """What `timeline` says, as JSON or as text."""
    store = (folder / "evidence", "--key", story_store.KEY, "--index", folder / "index")
    form = ("--json",) if document else ()
    result = run("timeline", *store, "--coverage", report, *arguments, *form)
    assert result.code == 0, result.err
    return result.json if document else result.out


def recorded_by(document: Any) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each record, and what is said of its recording."""
    return [
        (step["row"], [document["visibility"][number] for number in step["coverage"]])
        for step in document["path"]["steps"]
    ]


def best(entries: Sequence[dict[str, Any]]) -> str:
    order = ["PROVEN", "CONFIGURED", "ELSEWHERE", "GAP", "UNKNOWN"]
    return min((each["verdict"] for each in entries), key=order.index, default="UNKNOWN")


@pytest.mark.parametrize(("arguments", "records"), [(JOB, 26), (KEY, 15)], ids=["job", "key"])
def test_each_record_has_its_place_its_seal_and_its_coverage(
    folder: Path, arguments: tuple[str, str], records: int
) -> None:
    """Over every platform it crosses: by cells of its own account, at its own time."""
    document = timeline(folder, folder / "coverage.json", *arguments)
    assert records == len(document["path"]["steps"])
    for row, entries in recorded_by(document):
        place = row["place"]
        assert place["object"].startswith("ev/v1/")
        assert place["shard"]
        assert min(place["leaf"], place["line"]) >= 0
        assert best(entries) == "CONFIGURED", row
        for each in entries:
            assert each["since"] <= row["time"] < each["until"]
            assert each["cell"].startswith(f"{each['platform']}.{each['step']}.")
            assert each["accounts"] == [] if row["account"] is None else True
            assert row["account"] is None or row["account"].lower() in each["accounts"]
            if row["account"] is None:
                assert "the record names no account" in each["reason"]


def test_what_would_have_been_recorded_and_was_not_seen_is_told(folder: Path) -> None:
    """Negative evidence: what would show and does not, and what could not show, for how long."""
    document = timeline(folder, folder / "coverage.json", *JOB)
    absent = {
        each["cell"]
        for each in document["visibility"]
        if each["is_seen"] and not each["is_on_record"]
    }
    assert {"aws.log_tampering.trail", "gcp.privilege_change.policies"} <= absent
    unseen = {each["cell"] for each in document["visibility"] if each["verdict"] == "IMPOSSIBLE"}
    assert {"gcp.token_issuance.metadata_server", "vault.log_tampering.file"} <= unseen
    text = timeline(folder, folder / "coverage.json", *JOB, document=False)
    assert "aws: a trail stopped, deleted or narrowed" in text
    assert "none on record; it would have been" in text


def test_an_act_no_cell_is_about_never_looks_recorded(folder: Path) -> None:
    """GitHub's runs of a workflow and Okta's refusals: there is no cell, and that is counts."""
    document = timeline(
        folder, folder / "coverage.json", "--ip", "203.0.113.77", "--ip", "192.0.2.80"
    )
    beside = [
        (row, entries) for row, entries in recorded_by(document) if row["provider"] in NEXT_TO
    ]
    assert {row["provider"] for row, _ in beside} == NEXT_TO
    without = [row["operation"] for row, entries in beside if not entries]
    assert without
    text = timeline(folder, folder / "coverage.json", "--ip", "192.0.2.80", document=False)
    assert "coverage UNKNOWN: no cell of the report is about such an act" in text


def without(platform: str, change: Callable[[Reading], Reading]) -> list[Reading]:
    return [
        change(reading) if reading.platform == platform else reading
        for reading in story_store.readings()
    ]


def _kept(name: str, key: str, gone: str) -> Callable[[Any], Any]:
    return lambda body: {**body, name: [one for one in body[name] if one[key] != gone]}


def _no_project(reading: Reading) -> Reading:
    answers = tuple(one for one in reading.answers if one.scope != google.CROSSED)
    return msgspec.structs.replace(reading, answers=answers)


_SUBSCRIPTION = microsoft.CROSSED.rpartition("/")[2]
GONE: dict[str, tuple[str, Callable[[Reading], Reading], tuple[str, str]]] = {
    WORKLOAD: (
        "aws",
        edited("organizations:ListAccounts", _kept("Accounts", "Id", WORKLOAD)),
        KEY,
    ),
    PRODUCTION: (
        "aws",
        edited("organizations:ListAccounts", _kept("Accounts", "Id", PRODUCTION)),
        KEY,
    ),
    "example-payments": ("gcp", _no_project, JOB),
    _SUBSCRIPTION: (
        "azure",
        edited(
            "Microsoft.Resources/subscriptions", _kept("value", "subscriptionId", _SUBSCRIPTION)
        ),
        JOB,
    ),
}
"""Account: whose reading names it, how it is taken out, and whose path it is on."""


@pytest.mark.parametrize("account", GONE)
def test_of_an_account_no_report_names_nothing_is_known(
    folder: Path, tmp_path: Path, account: str
) -> None:
    """Its records say so, in every form; those of other accounts are as they were."""
    platform, change, arguments = GONE[account]
    report = story_store.report(tmp_path / "coverage.json", without(platform, change))
    reason = f"no coverage report names account {account}"
    document = timeline(folder, report, *arguments)
    counts: Counter[bool] = Counter()
    for row, entries in recorded_by(document):
        is_gone = (row["account"] or "").lower() == account
        assert (best(entries) == "UNKNOWN") is is_gone, row
        if is_gone:
            assert [reason] == [each["reason"] for each in entries]
        counts[is_gone] += 1
    assert min(counts[True], counts[False]) > 0
    text = timeline(folder, report, *arguments, document=False)
    assert text.count(f"because {reason}") == counts[True]
    page = tmp_path / "page.html"
    timeline(folder, report, *arguments, "--html", page)
    rows = re.findall(r'<tr id="r\d+".*?</tr>', page.read_text(), re.DOTALL)
    assert counts[True] == sum(reason in unescape(row) for row in rows)


def test_an_account_named_later_is_not_known_before(folder: Path, tmp_path: Path) -> None:
    """Of an account that the first reading did not name, nothing holds until one did."""
    at = story_store.READ_AT[0]
    change = edited("organizations:ListAccounts", _kept("Accounts", "Id", WORKLOAD))
    of = [
        change(reading) if (reading.platform, reading.at) == ("aws", at) else reading
        for reading in story_store.readings()
    ]
    document = timeline(folder, story_store.report(tmp_path / "coverage.json", of), *KEY)
    verdicts = {row["account"]: best(entries) for row, entries in recorded_by(document)}
    assert verdicts == {WORKLOAD: "UNKNOWN", PRODUCTION: "CONFIGURED"}


STOPPED, STARTED = START + 24 * MINUTE, START + 28 * MINUTE


def _switch(operation: str, at: int) -> list[Change]:
    trail = f"arn:aws:cloudtrail:us-east-1:{PRODUCTION}:trail/own"
    record = {
        "eventName": operation,
        "eventSource": "cloudtrail.amazonaws.com",
        "awsRegion": "us-east-1",
        "recipientAccountId": PRODUCTION,
        "requestParameters": {"name": trail},
    }
    raw = json.dumps(record).encode()
    return list(of_record("aws_cloudtrail", raw, at=at, uid=operation, outcome="success"))


def test_logging_that_was_off_for_minutes_is_drawn_at_the_records_of_those(
    folder: Path, tmp_path: Path
) -> None:
    """One account's trail is stopped and started again, and no other records that account."""
    change = edited("cloudtrail:GetTrailStatus", put(IsLogging=False), amazon.SCOPE)
    changes = [*_switch("StopLogging", STOPPED), *_switch("StartLogging", STARTED)]
    assert len(changes) == 2
    report = story_store.report(tmp_path / "coverage.json", without("aws", change), changes)
    document = timeline(folder, report, *KEY)
    off = [(row, entries) for row, entries in recorded_by(document) if best(entries) == "GAP"]
    assert {(row["account"], row["operation"]) for row, _ in off} == {
        (PRODUCTION, name) for name in ("GetSecretValue", "Decrypt", "CreateAccessKey")
    }
    for row, entries in off:
        assert {(each["since"], each["until"]) for each in entries} == {(STOPPED, STARTED)}, row
    after = [
        each for row, entries in recorded_by(document) if row["time"] > STARTED for each in entries
    ]
    assert {STARTED} == {each["since"] for each in after if each["verdict"] == "CONFIGURED"}
    text = timeline(folder, report, *KEY, document=False)
    interval = "2026-03-02 08:24:00Z to 08:28:00Z"
    assert text.count(f"coverage GAP: not recorded, or not all of it; {interval}") == 3
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if "CreateAccessKey  success" in line)
    entry = lines[at : at + 10]
    assert any("object " in line and " leaf " in line and " record " in line for line in entry)
    assert any("uid " in line for line in entry)
    assert any(interval in line for line in entry)
    assert any("trail own is stopped" in line for line in entry), entry


def test_the_case_carries_it_and_is_checked(folder: Path, tmp_path: Path) -> None:
    """Report and timeline in the case say of each record what recorded it; each is proven."""
    case = tmp_path / "case.zip"
    store = (folder / "evidence", "--key", story_store.KEY, "--index", folder / "index")
    coverage = folder / "coverage.json"
    result = run(
        "case", "create", *store, *JOB, "--coverage", coverage, "--statement", coverage,
        "-o", case, "--json",
    )  # fmt: skip
    assert (0, 26, 26) == (result.code, result.json["records"], result.json["proven"])
    checked = run("case", "verify", case, "--key", story_store.KEY)
    assert checked.out.startswith("HOLDS 26 of 26 records proven")
    with zipfile.ZipFile(case) as bag:
        files = {name.rpartition("/")[2]: name for name in bag.namelist()}
        document = json.loads(bag.read(files["timeline.json"]))
        page = bag.read(files["report.html"]).decode()
        assert bag.read(files["coverage.json"]) == coverage.read_bytes()
    assert {"CONFIGURED"} == {best(entries) for _, entries in recorded_by(document)}
    rows = re.findall(r'<tr id="r\d+".*?</tr>', page, re.DOTALL)
    assert 26 == len(rows) == sum("coverage CONFIGURED: recorded" in row for row in rows)
    assert all(re.search(r"record \d+, leaf 2026/\d+", row) for row in rows)


def test_without_a_report_a_record_says_that_nobody_told(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    store = (folder / "evidence", "--key", story_store.KEY, "--index", folder / "index")
    result = run("timeline", *store, *KEY, "--html", page, "--json")
    assert {None} == {step["coverage"] for step in result.json["path"]["steps"]}
    assert page.read_text().count("no coverage report was given") == 15
