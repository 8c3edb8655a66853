"""The facts the design rests on hold for the embedded store, where it has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from tests.conform import __main__ as conform
from tests.conform.estate_facts import ESTATE
from tests.conform.facts import LOCK, POLICY, Bucket
from tests.conform.reconciled_facts import RECONCILED


def test_every_fact_of_the_lock_holds_here(store: EmbeddedStore) -> None:
    """Asked as the administrator, whom the lock binds as well."""
    bucket = Bucket(store.client(store.admin), iam.EVIDENCE_BUCKET, "conform/")
    answers = list(conform.ask(LOCK, bucket))
    assert [] == [one for one in answers if not one.holds]
    assert len(LOCK) == len(answers)


def test_a_fact_that_does_not_hold_is_said(store: EmbeddedStore) -> None:
    """Without evidence's policy a plain write goes through, and the table says so."""
    bucket = Bucket(store.client(store.admin), iam.EVIDENCE_BUCKET, "conform-none/")
    answers = {one.name: one for one in conform.ask(POLICY[:1], bucket)}
    plain = answers["a write without If-None-Match"]
    assert ("done", False) == (plain.observed, plain.holds)
    assert "| done | **no** |" in conform.table([plain])


def test_a_dry_run_names_every_question(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is asked, everything is named."""
    assert 0 == conform.main(["--dry-run"])
    printed = capsys.readouterr().out
    assert all(one.name in printed for one in (*LOCK, *POLICY, *ESTATE, *RECONCILED))


def test_the_page_names_what_is_asked_of_an_estate() -> None:
    """Each fact with what is expected, and what to do where it is otherwise."""
    page = (Path(__file__).parents[2] / "docs" / "conform.md").read_text().replace("`", "")
    assert [] == [
        one.name for one in (*ESTATE, *RECONCILED) if f"| {one.name} | {one.expected} |" not in page
    ]


def test_operations_say_how(store: EmbeddedStore) -> None:
    """docs/conform.md holds the table of this store."""
    page = (Path(__file__).parents[2] / "docs" / "conform.md").read_text()
    bucket = Bucket(store.client(store.admin), iam.EVIDENCE_BUCKET, "conform-page/")
    assert conform.table(list(conform.ask(LOCK, bucket))) in page
