"""A verdict for each account: its own, and never better than what was read there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.coverage import accounts, verdict
from nhi_evidence.coverage.intervals import Span
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict import (
    Extent,
    Judgment,
    Verdict,
    all_accounts,
    all_of,
    of_accounts,
)
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import amazon, day, google, microsoft
from nhi_evidence.demo.estate.edits import edited, without_source
from nhi_evidence.demo.estate.plants import PLANTS, planted
from nhi_evidence.demo.story import gcp_entry, records

NAMES = ("a", "b", "c")
VERDICTS = st.sampled_from(list(Verdict))
OF_ACCOUNTS = st.fixed_dictionaries(dict.fromkeys(NAMES, VERDICTS))
WORST_FIRST = verdict._WORST_FIRST


def judged(of: dict[str, Verdict]) -> Judgment:
    return all_accounts({name: Judgment(one, (f"{one}",)) for name, one in of.items()})


def verdict_of(judgment: Judgment, name: str) -> Verdict:
    return judgment.extent.of(name, (judgment.verdict, judgment.reason))[0]


@given(OF_ACCOUNTS)
def test_the_worst_decides_and_each_account_keeps_its_own(of: dict[str, Verdict]) -> None:
    overall = judged(of)
    assert overall.verdict is min(of.values(), key=WORST_FIRST.index)
    assert of == {name: verdict_of(overall, name) for name in NAMES}


@given(st.lists(OF_ACCOUNTS, min_size=1, max_size=4))
def test_of_several_kinds_of_event_an_account_has_the_worst(
    kinds: list[dict[str, Verdict]],
) -> None:
    overall = all_of(map(judged, kinds))
    for name in NAMES:
        worst = min((of[name] for of in kinds), key=WORST_FIRST.index)
        assert verdict_of(overall, name) is worst


@given(OF_ACCOUNTS, OF_ACCOUNTS)
def test_between_two_readings_an_account_has_what_both_say(
    first: dict[str, Verdict], then: dict[str, Verdict]
) -> None:
    """Or nothing is known of it; what is true of another account changes nothing."""
    before, after = judged(first), judged(then)
    stated = [(each.verdict, each.reason) for each in (before, after)]
    extent = before.extent.joined(after.extent, *stated)
    assert extent is not None
    for name in NAMES:
        same = first[name] if first[name] is then[name] else Verdict.UNKNOWN
        # What the extent leaves to the stretch is the verdict of both readings.
        overall = before.verdict if before.verdict is after.verdict else Verdict.UNKNOWN
        assert extent.of(name, (overall, ""))[0] is same


def test_of_more_accounts_than_can_be_named_the_worst_is_taken_of_every_one() -> None:
    of = {f"{number}": Verdict.GAP for number in range(verdict._MOST_NAMED + 1)}
    overall = judged({**of, "good": Verdict.CONFIGURED})
    assert verdict_of(overall, "good") is Verdict.GAP


def test_what_was_looked_at_in_no_account_of_both_is_not_held_over() -> None:
    stated = (Verdict.CONFIGURED, "on")
    assert Extent(judged=("a",)).joined(Extent(judged=("b",)), stated, stated) is None
    both = Extent(judged=("a", "b")).joined(Extent(judged=("b", "c")), stated, stated)
    assert both == Extent(judged=("b",))


@pytest.mark.parametrize("plant", PLANTS[:6], ids=lambda plant: plant.name)
def test_a_planted_gap_is_of_the_accounts_it_was_planted_in(plant: object) -> None:
    """What the story crosses is recorded by settings of its own: no seed takes them away."""
    assert isinstance(plant, type(PLANTS[0]))
    readings = [planted(estate.reading(plant.platform, at), (plant,)) for at in (0, 3_600_000)]
    crossed = {
        *records.ACCOUNTS, gcp_entry.PROJECT, microsoft.CROSSED.rpartition("/")[2],
    }  # fmt: skip
    for cell in matrix(readings).cells:
        if cell.cell not in plant.expected or cell.platform == "entra":
            continue
        own = {name for stretch in cell.stretches for one in stretch.extent.own
               for name in one.accounts if one.verdict is Verdict.GAP}  # fmt: skip
        assert own, cell.cell
        assert not own & crossed, cell.cell


def test_accounts_are_named_as_records_name_them() -> None:
    named = accounts.over_time(reading for at in (0, 1_000) for reading in estate.readings(at))
    assert {*records.ACCOUNTS, amazon.MANAGEMENT} <= set(named["aws"])
    assert {name.removeprefix("projects/") for name in google.PROJECTS} == set(named["gcp"])
    assert {"22222222-3333-4444-5555-666666666666", "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"} == set(
        named["azure"]
    )
    assert ["aaaabbbb-0000-cccc-1111-dddd2222eeee"] == list(named["entra"])
    assert {
        ("github", "example-corp"),
        ("okta", "example-org"),
        ("vault", "vault.example.com"),
    } == {(kind, name) for kind in ("github", "okta", "vault") for name in named[kind]}
    assert named["aws"][amazon.MANAGEMENT] == (Span(0, 1_001),)


def test_an_account_is_named_between_readings_that_both_name_it() -> None:
    gone = edited(
        "organizations:ListAccounts",
        lambda body: {"Accounts": [a for a in body["Accounts"] if a["Id"] != amazon.WORKLOAD]},
    )
    readings = [estate.reading("aws", at) for at in (0, 10, 20, 30)]
    readings[2] = gone(readings[2])
    named = accounts.over_time(readings)["aws"]
    assert named[amazon.WORKLOAD] == (Span(0, 11), Span(30, 31))
    assert named[amazon.MANAGEMENT] == (Span(0, 31),)


def test_subscriptions_of_several_tenants_name_none() -> None:
    """Of a subscription that is managed for somebody else, the directory was not read."""
    other = edited(
        "Microsoft.Resources/subscriptions",
        lambda body: {
            "value": [{**one, "tenantId": str(n)} for n, one in enumerate(body["value"])]
        },
    )
    assert accounts.over_time([other(estate.reading("azure", 0))])["azure"]
    assert "entra" not in accounts.over_time([other(estate.reading("azure", 0))])


@pytest.mark.parametrize("platform", day.PLATFORMS)
def test_answers_of_another_shape_name_no_account(platform: str) -> None:
    reading = estate.reading(platform, 0)
    bodies: list[Any] = [None, [], "text", {"value": 3}, {"Accounts": [{}]}, {"ancestor": [{}]}]
    for body in bodies:
        odd = msgspec.structs.replace(
            reading,
            answers=tuple(msgspec.structs.replace(one, answer=body) for one in reading.answers),
        )
        assert all(not names for names in accounts.over_time([odd]).values())


def test_many_accounts_of_two_readings_are_not_left_to_the_best() -> None:
    """Between readings that each name as many as can be named, each keeps its own."""
    most = verdict._MOST_NAMED
    first = {f"a{number}": Verdict.GAP for number in range(most)}
    then = {f"b{number}": Verdict.GAP for number in range(most)}
    before, after = (judged({**of, "good": Verdict.CONFIGURED}) for of in (first, then))
    extent = before.extent.joined(after.extent, (Verdict.GAP, ""), (Verdict.GAP, ""))
    assert extent is not None
    states = {extent.of(name, (Verdict.GAP, ""))[0] for name in (*first, *then)}
    assert states == {Verdict.UNKNOWN}
    assert extent.of("good", (Verdict.GAP, ""))[0] is Verdict.CONFIGURED


def test_of_few_accounts_each_keeps_its_reason() -> None:
    of = {name: Judgment(Verdict.CONFIGURED, (f"by {name}",)) for name in NAMES}
    overall = all_of([all_accounts(of)])
    for name in NAMES:
        assert overall.extent.of(name, (overall.verdict, overall.reason))[1] == f"by {name}"
    assert overall.extent.is_of_all


@pytest.mark.parametrize(
    ("first", "second", "together", "of_a"),
    [
        ("CONFIGURED", "CONFIGURED", "UNKNOWN", "UNKNOWN"),
        ("GAP", "CONFIGURED", "GAP", "GAP"),
        ("CONFIGURED", "GAP", "GAP", "UNKNOWN"),
    ],
)
def test_parts_that_were_judged_in_different_accounts(
    first: str, second: str, together: str, of_a: str
) -> None:
    """Of no account is all known, and of a third nothing: it is not of every account."""
    judged = all_of(
        of_accounts(Judgment(Verdict(each), (f"in {name}",)), [name])
        for name, each in (("a", first), ("b", second))
    )
    assert judged.verdict is Verdict(together)
    assert judged.extent.judged == ("a", "b")
    assert judged.extent.of("a", (judged.verdict, judged.reason))[0] is Verdict(of_a)


def test_a_judgment_of_no_account_is_refused() -> None:
    with pytest.raises(ValueError, match="no account"):
        of_accounts(Judgment(Verdict.CONFIGURED, ("x",)), [])


def test_what_lies_in_one_account_tells_nothing_about_another() -> None:
    """A rule, a cluster, a stage, the evidence bucket; the trail of an organization is of all."""
    cells = {cell.cell: cell for cell in matrix([estate.reading("aws", 0)]).cells}
    one_account = {
        "aws.enumeration.event_bus": (amazon.WORKLOAD,),
        "aws.enumeration.telemetry": (amazon.WORKLOAD,),
        "aws.log_tampering.evidence_bucket": (amazon.EVIDENCE,),
        "eks.execution.exec": (records.SHARED_SERVICES, amazon.WORKLOAD),
        "aws_gateway.data_access.requests": (amazon.WORKLOAD, records.SHARED_SERVICES),
        "aws.data_access.summaries": (),
    }
    assert one_account == {name: cells[name].stretches[0].extent.judged for name in one_account}


def test_what_no_source_takes_in_is_elsewhere_in_the_accounts_that_were_read() -> None:
    """Of the stages of another account nobody knows whether they have a log at all."""
    reading = without_source("aws_api_gateway")(estate.reading("aws", 0))
    cells = {cell.cell: cell for cell in matrix([reading]).cells}
    (stretch,) = cells["aws_gateway.data_access.requests"].stretches
    assert stretch.verdict is Verdict.ELSEWHERE
    assert stretch.extent == Extent(judged=(amazon.WORKLOAD, records.SHARED_SERVICES))
