"""People's acts that make, empower or hide non-human identities: all of them are evidence.

`human_acts.csv` was written from the providers' documentation and judged before any of it was
classified (docs/catalog-lexicon.md, "On acts it had not seen"). Most have no row.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nhi_evidence.identity import IdentityKind
from tests.unit.test_kubernetes import in_aks
from tests.unit.test_scope import arm, aws, entra, gcp, graph, mapped


class Act(NamedTuple):
    """One row of the table."""

    source: str
    service: str
    operation: str
    does: str
    """`makes`, `empowers` or `hides`."""
    phases: str
    """Base phases that would be right, separated by `|`."""
    why: str


def acts() -> list[Act]:
    """Return the rows."""
    with (Path(__file__).parent / "human_acts.csv").open(newline="") as lines:
        return [Act(**row) for row in csv.DictReader(lines)]


def record_of(act: Act) -> tuple[str, dict[str, Any]]:
    """Return the act as performed by a person, in its provider's log."""
    match act.source:
        case "aws_cloudtrail":
            return aws(act.service, act.operation)
        case "gcp_audit":
            return gcp(act.service, act.operation)
        case "azure_activity":
            return arm(act.operation)
        case "azure_entra":
            return entra(act.operation)
        case "azure_graph":
            method, _, path = act.operation.partition(" ")
            return graph(method, path)
        case _:
            assert act.source == "kubernetes"
            return "azure_resource", in_aks(act.service, act.operation, "ann@example.com")


@pytest.mark.parametrize("act", acts(), ids=lambda act: f"{act.service} {act.operation}")
def test_human_acts_are_kept_and_classified_correctly(act: Act) -> None:
    """The default scope excludes none of them, and each base phase is one of the right ones."""
    result = mapped(record_of(act))
    assert IdentityKind.HUMAN == result.record.nhi.type_id
    base = result.record.nhi_base_phase.lower().replace(" ", "_")
    assert base in act.phases.split("|"), result.record.nhi_phase_rules


def test_most_human_acts_have_no_row() -> None:
    """The table measures rules, which generalize, rather than rows, which do not."""
    rules = [mapped(record_of(act)).record.nhi_phase_rules[0] for act in acts()]
    guessed = [rule for rule in rules if rule.startswith("fallback:")]
    assert len(guessed) > len(rules) / 2, json.dumps(rules)
