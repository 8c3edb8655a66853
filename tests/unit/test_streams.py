"""How verification weighs the runs of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.verify import Options
from nhi_evidence.evidence.verify.objects import may_be_of_its_hour
from nhi_evidence.evidence.verify.report import Edges, Run
from nhi_evidence.evidence.verify.streams import Weighed, add_expired, place
from tests.tamper import stream_rows
from tests.tamper.sealed_store import HOUR_MS, SealedStore

HOURS = (1_772_438_400_000, 1_772_442_000_000, 1_772_445_600_000)
"""Three that follow each other, by their first instants."""


def hashes(first: int, last: int, text: str = "x") -> list[str]:
    return [sha256(f"{text}{number}".encode()).hexdigest() for number in range(first, last + 1)]


def run(first: int, last: int, *, text: str = "x", at: int = HOURS[0], stream: str = "s") -> Run:
    digest = sha256("".join(hashes(first, last, text)).encode()).hexdigest()
    return Run("azure_monitor", stream, first, last, digest, at, text, "v", f"{first}-{last}")


def hashes_of(run: Run) -> Sequence[str]:
    return hashes(run.first, run.last, run.key)


def weigh(*runs: Run, expired: Sequence[int] = ()) -> Weighed:
    gone = {"azure_monitor": list(expired)} if expired else {}
    return Weighed(sorted(runs, key=place), gone, hashes_of)


def codes(weighed: Weighed) -> list[tuple[str, str]]:
    return [(finding.code, finding.detail) for finding in weighed.findings]


def test_shifted_edges_count_every_message_once() -> None:
    """A hub redelivers with other batch edges: overlaps with the same bytes are duplicates."""
    weighed = weigh(run(1, 4), run(3, 8), run(5, 6), run(1, 4))
    assert ([], 8) == (codes(weighed), weighed.duplicates)


def test_a_number_with_different_bytes_is_contested() -> None:
    """If two messages 3 differ, neither is counted."""
    weighed = weigh(run(1, 4), run(3, 3, text="forged"))
    assert [("range_contested", "number 3")] == codes(weighed)


def test_a_missing_number_is_a_gap() -> None:
    """It is between existing numbers; a re-created hub is another stream."""
    weighed = weigh(run(1, 2), run(6, 7), run(1, 1, stream="s#2"))
    assert [("range_gap", "numbers 3 to 5")] == codes(weighed)


@pytest.mark.parametrize(
    ("expired", "gaps"),
    [((), 1), ((HOURS[1],), 0), ((HOURS[0],), 0), ((HOURS[0] - HOUR_MS,), 1)],
)
def test_what_may_have_expired_is_not_a_gap(expired: Sequence[int], gaps: int) -> None:
    """If anything received in between has expired, no gap is claimed."""
    weighed = weigh(run(1, 2), run(6, 7, at=HOURS[2] + 1), expired=expired)
    assert gaps == len(weighed.findings)
    excused = [] if gaps else ["whether 3 messages that no run holds were ever received"]
    assert excused == [line[4:].partition(",")[0] for line in weighed.not_checked()]


@pytest.mark.parametrize("copies", [(1, 2), (6, 7)])
def test_a_copy_received_later_changes_nothing_about_a_gap(copies: tuple[int, int]) -> None:
    """When a number first came decides: what held the missing ones came between the two."""
    runs = run(1, 2), run(6, 7, at=HOURS[0] + 1), run(*copies, at=HOURS[2])
    assert 1 == len(weigh(*runs, expired=[HOURS[1]]).findings)
    assert 0 == len(weigh(*runs, expired=[HOURS[0]]).findings)


def leaf(received: int, *flags: str, key: str = "") -> ObjectLeaf:
    named = key or f"ev/v1/azure_monitor/h=2026030208/{'0' * 64}.ndjson.zst"
    return ObjectLeaf(named, "v", received, 0, flags=flags)


def test_expiry_is_noted_by_when_the_store_received_what_is_gone() -> None:
    """Not by the hour in a key, nor where it could not have counted."""
    edges = Edges()
    for gone in (
        leaf(HOURS[2] + 5),
        leaf(HOURS[0]),
        leaf(HOURS[2]),
        leaf(HOURS[1], "shadow"),
        leaf(HOURS[1], "key_hash"),
        leaf(HOURS[1], key="log/v1/2026/plan/000000000001"),
    ):
        add_expired(edges, gone)
    assert {"azure_monitor": [HOURS[0], HOURS[2]]} == edges.expired


@pytest.mark.parametrize(
    ("gone", "may_be"),
    [
        (leaf(HOURS[0]), True),
        (leaf(HOURS[0] - 1), False),
        (leaf(HOURS[0], "shadow"), False),
        (leaf(5, key=f"ev/v1/azure_monitor/h=unknown/{'0' * 64}.ndjson.zst"), True),
    ],
)
def test_an_hour_lacks_nothing_for_what_came_before_it(gone: ObjectLeaf, *, may_be: bool) -> None:
    assert may_be == may_be_of_its_hour(gone)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), min_size=1, max_size=12))
def test_any_edges_count_what_was_delivered(batches: list[tuple[int, int]]) -> None:
    """Whatever the edges and repeats, duplicates and gaps follow from the numbers themselves."""
    runs = [run(first, first + more) for first, more in batches]
    weighed = weigh(*runs)
    numbers = [number for each in runs for number in range(each.first, each.last + 1)]
    assert len(numbers) - len(set(numbers)) == weighed.duplicates
    missing = set(range(min(numbers), max(numbers) + 1)) - set(numbers)
    named: set[int] = set()
    for code, detail in codes(weighed):
        assert code == "range_gap"
        edges = [int(word) for word in detail.split() if word.isdigit()]
        named |= set(range(edges[0], edges[-1] + 1))
    assert missing == named


@pytest.mark.parametrize(
    "options", [Options(), Options(deep=True), Options(sample=3), Options(deep=True, sample=3)]
)
def test_a_sample_claims_no_gap(options: Options) -> None:
    """For a sample of the objects no gap is claimed, and the report says so."""
    world = SealedStore()
    stream_rows.gap(world)
    report = world.verifier(options).run()
    everything = options.sample is None
    assert everything == ("range_gap" in {finding.code for finding in report.findings})
    assert everything != any("counting of units and streams" in line for line in report.not_checked)


def test_messages_of_two_runs_are_counted() -> None:
    """Three messages in the overlap came in two runs."""
    world = SealedStore()
    stream_rows.overlap(world)
    assert 3 == world.verify().units["duplicate messages"]
