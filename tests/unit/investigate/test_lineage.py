"""Credentials are followed only by their ids, whatever the order and whatever is missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.investigate import lineage
from nhi_evidence.investigate.index import MemoryIndex, Selection
from nhi_evidence.investigate.lineage import Mint, follow
from nhi_evidence.investigate.row import Place, Row, Standing
from nhi_evidence.investigate.trust import Trust
from tests.investigating import MINUTE, START, minted, row, used

KEY, FIRST, SECOND = "AKIAIOSFODNN7EXAMPLE", "ASIAI44QH8DHBEXAMPLE", "ASIAI55QH8DHBEXAMPLE"
BY_KEY = Selection(credentials=frozenset({KEY}))


def story() -> list[Row]:
    """A key assumes a role, the role assumes another, and somebody else acts as well."""
    return [
        used(0, KEY, credential_kind="access_key"),
        minted(MINUTE, KEY, FIRST),
        used(2 * MINUTE, FIRST),
        minted(3 * MINUTE, FIRST, SECOND),
        used(4 * MINUTE, SECOND, phase="Secret Access"),
        used(5 * MINUTE, "ASIAOTHER"),
    ]


def places(rows: list[Row]) -> list[int]:
    return [each.place.line for each in rows]


@given(st.data())
def test_a_chain_is_recovered_from_any_order_with_anything_repeated(data: st.DataObject) -> None:
    rows = story()
    shuffled = data.draw(st.permutations(rows + data.draw(st.lists(st.sampled_from(rows)))))
    path = follow(MemoryIndex(shuffled), BY_KEY)
    assert places([step.row for step in path.steps]) == places(rows[:5])
    assert [(each.uid, each.mint, each.parent) for each in path.credentials] == [
        (KEY, Mint.BEFORE, None),
        (FIRST, Mint.SEEN, KEY),
        (SECOND, Mint.SEEN, FIRST),
    ]


def test_a_key_leads_to_what_another_account_did_for_its_owner() -> None:
    """The acting account has no key of its own; a hop of its record names the origin's."""
    acting = row(
        MINUTE, identity_name="stage@example-ci.iam.gserviceaccount.com", hop_credentials=(KEY,)
    )
    path = follow(MemoryIndex([acting, row(2 * MINUTE)]), BY_KEY)
    assert [(step.row, step.known_by) for step in path.steps] == [(acting, f"credential {KEY}")]
    assert [(each.uid, each.uses, each.mint) for each in path.credentials] == [
        (KEY, 1, Mint.BEFORE)
    ]


def test_a_token_is_not_made_with_itself() -> None:
    """A renewal is recorded under the token that it hands out again."""
    path = follow(
        MemoryIndex([minted(0, FIRST, FIRST), used(MINUTE, FIRST)]),
        Selection(credentials=frozenset({FIRST})),
    )
    assert [(each.mint, each.parent) for each in path.credentials] == [(Mint.SEEN, None)]


def test_a_session_is_not_linked_to_a_key_without_the_record_that_minted_it() -> None:
    rows = story()
    path = follow(MemoryIndex([rows[0], *rows[2:]]), BY_KEY)
    assert places([step.row for step in path.steps]) == places(rows[:1])
    path = follow(MemoryIndex([rows[0], *rows[2:]]), Selection(credentials=frozenset({FIRST})))
    assert path.credentials[0].mint is Mint.MISSING


def test_the_making_of_a_credential_is_found_before_the_time_that_was_asked_for() -> None:
    late = Selection(credentials=frozenset({FIRST}), since=START + 2 * MINUTE)
    path = follow(MemoryIndex(story()), late)
    assert (path.credentials[0].uid, path.credentials[0].mint) == (FIRST, Mint.SEEN)
    assert path.credentials[0].parent == KEY
    assert all(step.row.time >= START + 2 * MINUTE for step in path.steps)


def test_a_service_acts_for_its_caller_without_a_record_of_the_credential() -> None:
    forwarded = {"mechanisms": ("Key Use", "Provider Forward Access")}
    for facts in (forwarded, {"invoked_by": "AWS Internal"}):
        rows = [used(0, FIRST, **facts), used(MINUTE, FIRST, **facts)]
        path = follow(MemoryIndex(rows), Selection(credentials=frozenset({FIRST})))
        assert path.credentials[0].mint is Mint.NOT_EXPECTED
        # Used by somebody directly, too, it was made by somebody.
        path = follow(
            MemoryIndex([*rows, used(2 * MINUTE, FIRST)]), Selection(credentials=frozenset({FIRST}))
        )
        assert path.credentials[0].mint is Mint.MISSING


def test_a_platform_gives_its_workload_credentials_without_a_record() -> None:
    rows = [used(0, "ASIAINSTANCE", identity_type="Workload Instance")]
    path = follow(MemoryIndex(rows), Selection(credentials=frozenset({"ASIAINSTANCE"})))
    assert path.credentials[0].mint is Mint.NOT_EXPECTED


def test_a_key_made_here_is_seen_and_the_record_of_its_deletion_is_not_its_making() -> None:
    created = row(0, phase="Credential Lifecycle", sub_phase="create", entity=KEY, issued=(KEY,))
    gone = row(MINUTE, phase="Credential Lifecycle", sub_phase="delete", entity=KEY)
    use = used(2 * MINUTE, KEY, credential_kind="access_key")
    assert follow(MemoryIndex([created, gone, use]), BY_KEY).credentials[0].mint is Mint.SEEN
    assert follow(MemoryIndex([gone, use]), BY_KEY).credentials[0].mint is Mint.BEFORE


def test_credentials_that_made_each_other_end_the_search() -> None:
    rows = [minted(0, FIRST, SECOND), minted(MINUTE, SECOND, FIRST)]
    path = follow(MemoryIndex(rows), Selection(credentials=frozenset({FIRST})))
    assert places([step.row for step in path.steps]) == places(rows)


def test_records_beyond_the_bound_are_left_out_and_that_is_stated(monkeypatch: object) -> None:
    assert lineage.MAX_ROWS > 1000
    bound = lineage.MAX_ROWS
    try:
        lineage.MAX_ROWS = 2
        path = follow(MemoryIndex(story()), BY_KEY)
    finally:
        lineage.MAX_ROWS = bound
    assert len(path.steps) == 2
    assert path.cut_off == "more than 2 records"


ISSUER, SUBJECT = (
    "token.actions.githubusercontent.com",
    "repo:example-org/deploy:ref:refs/heads/main",
)
WORKLOAD = f"nhi:oidc:{ISSUER}|{SUBJECT}"
POOL = "projects/123456789012/locations/global/workloadIdentityPools/ci"
PROVIDER = f"{POOL}/providers/github"


def in_three_clouds() -> list[Row]:
    return [
        minted(MINUTE, None, FIRST, identity=WORKLOAD, issuer=ISSUER, subject=SUBJECT),
        used(2 * MINUTE, FIRST),
        row(3 * MINUTE, provider="GCP", issuer=PROVIDER, subject=SUBJECT, identity="principal"),
        row(4 * MINUTE, provider="Azure", credential="federated", identity="app"),
    ]


TRUSTED = [
    Trust(PROVIDER, f"https://{ISSUER}", None, START),
    Trust("federated", f"https://{ISSUER}", SUBJECT, START),
]


def test_one_workload_is_followed_through_three_clouds_from_any_of_its_names() -> None:
    rows = in_three_clouds()
    index = MemoryIndex(rows, TRUSTED)
    for seed in (WORKLOAD, "principal", "app"):
        path = follow(index, Selection(identities=frozenset({seed})))
        assert places([step.row for step in path.steps]) == places(rows), seed
        assert path.workloads == (WORKLOAD,)


def test_without_an_act_of_trust_before_it_nobody_is_behind_a_name() -> None:
    rows = in_three_clouds()
    late = [Trust(each.name, each.issuer, each.subject, START + 9 * MINUTE) for each in TRUSTED]
    for trusts in ([], late):
        path = follow(MemoryIndex(rows, trusts), Selection(identities=frozenset({WORKLOAD})))
        assert places([step.row for step in path.steps]) == places(rows[:2])


def test_a_pool_whose_providers_disagree_names_nobody() -> None:
    rows = in_three_clouds()
    by_pool = row(5 * MINUTE, provider="GCP", issuer=POOL, subject=SUBJECT)
    other = Trust(f"{POOL}/providers/other", "https://issuer.example", None, START)
    path = follow(
        MemoryIndex([*rows, by_pool], TRUSTED), Selection(identities=frozenset({WORKLOAD}))
    )
    assert by_pool.place.line in places([step.row for step in path.steps])
    path = follow(
        MemoryIndex([*rows, by_pool], [*TRUSTED, other]),
        Selection(identities=frozenset({WORKLOAD})),
    )
    assert places([step.row for step in path.steps]) == places(rows)


def test_uncounted_records_are_hidden_and_contested_ones_shown() -> None:
    def at(standing: Standing) -> Row:
        return used(0, KEY, place=Place("ev/object", standing, 0, "2026", 1, standing))

    rows = [at(standing) for standing in Standing]
    standings = [step.row.place.standing for step in follow(MemoryIndex(rows), BY_KEY).steps]
    assert sorted(standings) == [Standing.CONTESTED, Standing.COUNTED, Standing.UNPROVEN]
