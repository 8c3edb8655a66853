"""Who may do what, written down by hand, and the page that shows all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.aws.estate import Estate
from tests.infra.aws.matrix import ACTS, PRINCIPALS, may, with_matrix

PAGE = Path(__file__).parents[3] / "docs" / "threat-model.md"

EXPECTED = {
    "writer of aws_cloudtrail": {"put ev aws"},
    "writer of gcp_audit": {"put ev gcp"},
    "writer of azure_monitor": {"put ev azure"},
    "sealer": {"put log", "read", "list", "sign"},
    "auditor": {"read", "list"},
    "replication": set(),
    "exporter's own role": set(),
    "administrator, log archive": set(),
    "administrator elsewhere": set(),
    # What IAM cannot keep from the account's own administrator, the guardrails do. A PUT stays
    # possible, and is found: the key holds the hash, the leaf its writer.
    "administrator, evidence": {
        *("put ev aws", "put ev gcp", "put ev azure", "put op recon", "put log", "read", "list"),
        *("change policy", "change lifecycle", "change key"),
    },
    "the same, with guardrails": {
        *("put ev aws", "put ev gcp", "put ev azure", "put op recon", "put log", "read", "list"),
    },
    "pipeline, with guardrails": {
        *("put ev aws", "put ev gcp", "put ev azure", "put op recon", "put log", "read", "list"),
        *("change policy", "change lifecycle", "change key"),
    },
}


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.text)
def test_each_may_exactly_what_is_written_down(estate: Estate, who: object) -> None:
    """Row by row, against an expectation that no template made."""
    actual = {act.text for act in ACTS if may(estate, who, act)}  # type: ignore[arg-type]
    assert EXPECTED[who.text] == actual  # type: ignore[attr-defined]


def test_nobody_overwrites_deletes_or_sets_a_lock(estate: Estate) -> None:
    """No row of the matrix has any of these."""
    never = {"overwrite", "delete", "delete version", "set retention"}
    assert not [
        (who.text, act.text)
        for who in PRINCIPALS
        for act in ACTS
        if act.text in never and may(estate, who, act)
    ]


def test_the_page_shows_the_matrix(estate: Estate) -> None:
    """docs/threat-model.md is what `python -m tests.infra.aws` writes."""
    assert with_matrix(PAGE.read_text(), estate) == PAGE.read_text()
