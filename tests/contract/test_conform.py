"""The facts the design rests on hold for the embedded store, as far as it has them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from nhi_evidence.config import read
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from tests.conform import __main__ as conform
from tests.conform import engines
from tests.conform.estate_facts import ESTATE
from tests.conform.exchange_facts import EXCHANGED
from tests.conform.facts import LOCK, POLICY, Bucket
from tests.conform.reconciled_facts import RECONCILED


def test_every_fact_of_the_lock_holds_here(store: EmbeddedStore) -> None:
    """They are checked as the administrator, whom the lock binds as well."""
    bucket = Bucket(store.client(store.admin), iam.EVIDENCE_BUCKET, "conform/")
    answers = list(conform.ask(LOCK, bucket))
    assert [] == [one for one in answers if not one.holds]
    assert len(LOCK) == len(answers)


def test_a_fact_that_does_not_hold_is_reported(store: EmbeddedStore) -> None:
    """Without the evidence policy a plain write succeeds, and the table says so."""
    bucket = Bucket(store.client(store.admin), iam.EVIDENCE_BUCKET, "conform-none/")
    answers = {one.name: one for one in conform.ask(POLICY[:1], bucket)}
    plain = answers["a write without If-None-Match"]
    assert ("done", False) == (plain.observed, plain.holds)
    assert "| done | **no** |" in conform.table([plain])


def test_a_dry_run_names_every_question(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is asked, and every question is named."""
    assert 0 == conform.main(["--dry-run"])
    printed = capsys.readouterr().out
    assert all(one.name in printed for one in (*LOCK, *POLICY, *ESTATE, *RECONCILED, *EXCHANGED))


def test_facts_that_were_never_asked_are_listed_with_every_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever was never asked of a live account is listed, and the page says so."""
    conform.main(["--dry-run"])
    names = [
        *(one.name for one in (*LOCK, *POLICY, *ESTATE, *RECONCILED, *EXCHANGED)),
        engines.NAME,
    ]
    assert names == conform.never_asked()
    _, _, listed = capsys.readouterr().out.partition("never asked of a live account")
    assert f"{len(names)} facts" in listed
    assert all(f"  {name}\n" in listed for name in names)
    known = {*tomllib.loads(conform.QUESTIONS.read_text())}
    assert known <= {*names}, "asked.toml names a fact there is not"


class Estate:
    """A live estate that answers as the facts expect it to, or otherwise."""

    def __init__(self, answers: dict[str, str], client: Any = None) -> None:
        self._answers, self._client = answers, client

    def client(self, _service: str) -> Any:
        return self._client

    def run(self, *command: str) -> str:
        line = " ".join(command)
        return next((text for part, text in self._answers.items() if part in line), "")

    def wait(self) -> bool:
        return False


CONFIG = read((Path(__file__).parents[2] / "nhi-evidence.example.toml").read_text())
KEY = "arn:aws:kms:eu-central-1:222233334444:key/k"


def refusing(**_: Any) -> None:
    answer = {"Code": "AccessDeniedException"}
    raise ClientError(
        {"Error": answer, "ResponseMetadata": {"HTTPStatusCode": 400}},  # type: ignore[typeddict-item]
        "Sign",
    )


AWS = SimpleNamespace(
    describe_log_streams=lambda **_: {"logStreams": [{}]},
    describe_key=lambda **_: {"KeyMetadata": {"Arn": KEY}},
    sign=refusing,
    filter_log_events=lambda **_: {"events": [{"message": KEY}]},
    list_objects_v2=lambda **request: (
        {"Contents": [{"Key": "x"}]} if request["Prefix"].startswith("ev/") else {}
    ),
)
AS_EXPECTED = {
    "retention_policy": "1209600",
    "cloudStorageConfig.state": "ACTIVE",
    "workspace show": "w",
    "FunctionAppLogs | count": "7",
    "createdAt": "2026-01-01T00:00:00+00:00",
    "Oldest = max(Age)": "604000",
    "terraform": "no changes",
    "az rest": "{}",
    "az storage blob list": "[]",
}


def test_every_fact_of_an_estate_has_a_probe_that_runs() -> None:
    """With answers as AWS, gcloud, az and Terraform give them; the trail is not Control Tower's."""
    answers = {one.name: one for one in conform.ask_estate(Estate(AS_EXPECTED, AWS), CONFIG)}
    assert {one.name for one in (*ESTATE, *RECONCILED, *EXCHANGED)} == {*answers}
    unasked = [name for name, one in answers.items() if one.holds is None]
    assert [
        "notifications of a bucket created by Control Tower can be written",
        "new evidence is handed on to a subscriber",
        *(one.name for one in RECONCILED),
        "signing RAW",
        "Google takes the token of an AWS function",
        "Entra takes the token of an AWS function",
    ] == unasked, (
        "no trail is Control Tower's, nobody subscribes, nothing lists other clouds, nothing sealed"
    )
    assert [] == [one for one in answers.values() if one.holds is False]


def test_a_host_that_begins_at_the_end_is_seen() -> None:
    """Its oldest message is minutes old; a host that read nothing gives no answer."""
    (fact,) = [one for one in ESTATE if "checkpoint" in one.name]
    answer = fact.ask(Estate({**AS_EXPECTED, "Oldest = max(Age)": "300"}), CONFIG)
    assert answer.startswith("at a message 300 s old, of 604800 s")
    for nothing in ("", "None", "failed: no such table"):
        empty = Estate({**AS_EXPECTED, "Oldest = max(Age)": nothing})
        assert fact.ask(empty, CONFIG).startswith("not asked: ")
    missing = Estate({"eventhub": "not asked: az is not on the path"})
    assert "not asked: az is not on the path" == fact.ask(missing, CONFIG)


def test_a_question_not_asked_is_neither_yes_nor_no(capsys: pytest.CaptureFixture[str]) -> None:
    """Its row says so, and the run's exit code is not that of success."""
    answer = conform.Answer("fact", "done", "not asked: no credentials", None)
    assert "| not asked: no credentials | not asked |" in conform.table([answer])
    assert 3 == conform._print([answer])
    assert 1 == conform._print([answer, conform.Answer("other", "done", "403", holds=False)])
    assert 0 == conform._print([conform.Answer("other", "done", "done", holds=True)])
    assert "never asked of a live account" in capsys.readouterr().out


def test_the_page_names_what_is_asked_of_an_estate() -> None:
    """Each fact has what is expected, and what to do if it is otherwise."""
    page = (Path(__file__).parents[2] / "docs" / "conform.md").read_text().replace("`", "")
    assert [] == [
        one.name
        for one in (*ESTATE, *RECONCILED, *EXCHANGED)
        if f"| {one.name} | {one.expected} |" not in page
    ]


def test_operations_say_how(store: EmbeddedStore) -> None:
    """docs/conform.md holds the table of this store."""
    page = (Path(__file__).parents[2] / "docs" / "conform.md").read_text()
    bucket = Bucket(store.client(store.admin), iam.EVIDENCE_BUCKET, "conform-page/")
    assert conform.table(list(conform.ask(LOCK, bucket))) in page
