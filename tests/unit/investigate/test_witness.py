"""A job's token is looked for on the other side; one side alone is a named gap."""

from __future__ import annotations

from nhi_evidence.investigate.index import MemoryIndex, Selection
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.timeline import Timeline, compose
from tests.investigating import HOUR, MINUTE, minted, row

ISSUER = "token.actions.githubusercontent.com"
SUBJECT = "repo:example-org/deploy:ref:refs/heads/main"
SECOND = 1000
WORKLOAD = f"nhi:oidc:{ISSUER}|{SUBJECT}"


def taken(at: int = 0) -> Row:
    return minted(at, None, "ASIACIJOB", identity=WORKLOAD, issuer=ISSUER, subject=SUBJECT)


def run(at: int, repository: str = "example-org/deploy") -> Row:
    return row(
        at, source="github_audit", provider="GitHub", phase="Execution",
        operation="workflows.prepared_workflow_job", identity_name="github-actions[bot]",
        targets=("1296269",), target_names=(repository,),
    )  # fmt: skip


def timeline_of(*rows: Row) -> Timeline:
    selection = Selection(identities=frozenset({WORKLOAD}))
    return compose(MemoryIndex(rows), selection, subject=WORKLOAD)


def test_the_nearest_earlier_job_is_the_witness() -> None:
    first, second = run(-20 * MINUTE), run(-3 * MINUTE)
    (each,) = timeline_of(taken(), first, second, run(HOUR)).witnesses
    assert each.witness == second
    assert each.text == "GitHub recorded a job of example-org/deploy 3 min 0 s before"


def test_a_witness_whose_clock_is_ahead_is_after_it() -> None:
    (each,) = timeline_of(taken(), run(90 * SECOND)).witnesses
    assert each.text.endswith("example-org/deploy 1 min 30 s after, as the clocks differ")


def test_one_side_alone_is_a_gap_with_its_reason() -> None:
    for others, text in (
        ((), "not in this evidence"),
        ((run(-7 * HOUR),), "no job of example-org/deploy in the 6 hours before"),
        ((run(-MINUTE, "example-org/other"),), "no job of example-org/deploy"),
    ):
        timeline = timeline_of(taken(), *others)
        assert [each.witness for each in timeline.witnesses] == [None]
        (gap,) = (gap for gap in timeline.gaps if gap.kind == "one_sided")
        assert text in gap.text
        assert not timeline.is_incomplete


def test_only_a_job_s_first_token_on_a_platform_needs_a_witness() -> None:
    assert len(timeline_of(taken(), taken(MINUTE), run(-MINUTE)).witnesses) == 1
    other = minted(
        0,
        None,
        "ASIAPOD",
        identity="nhi:oidc:oidc.eks.example|system:sa",
        issuer="oidc.eks.example",
    )
    selection = Selection(identities=frozenset({"nhi:oidc:oidc.eks.example|system:sa"}))
    assert not compose(MemoryIndex([other]), selection, subject="pod").witnesses
