"""What counts, against every claim an adversary with a writer's role can make."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.evidence import counting
from nhi_evidence.evidence.counting import Claim, Native, Range, Status
from nhi_evidence.evidence.leaf import ObjectLeaf


def claim(index: int, **changes: Any) -> Claim:
    said: dict[str, Any] = {
        "source": "s",
        "unit": "u",
        "part": 1,
        "parts": 1,
        "body": f"b{index}",
        "src": "src",
        "raw": "raw",
        "mapper": "m1",
        "version": (1, 0, 0),
        "records": 1,
    }
    return Claim(index=index, **{**said, **changes})


def weigh(*claims: Claim) -> counting.Unit:
    (unit,) = counting.count(claims).values()
    return unit


def indexes(claims: tuple[Claim, ...]) -> list[int]:
    return [one.index for one in claims]


def test_one_claim_counts() -> None:
    """The usual case."""
    assert (Status.COUNTED, [0]) == ((unit := weigh(claim(0))).status, indexes(unit.counted))


def test_the_newest_mapper_is_preferred() -> None:
    """A replay by a newer mapper counts; the older one is a duplicate, whichever came first."""
    old, new = claim(0), claim(1, mapper="m2", version=(1, 2, 0))
    newest = claim(2, mapper="m3", version=(1, 10, 0))
    unit = weigh(newest, old, new)
    assert (Status.COUNTED, [2], [0, 1]) == (
        unit.status,
        indexes(unit.counted),
        indexes(unit.duplicates),
    )


def test_the_same_body_again_is_a_duplicate() -> None:
    """A second version, a second attempt: the same bytes count once."""
    unit = weigh(claim(0, body="b"), claim(5, body="b"))
    assert ([0], [5]) == (indexes(unit.counted), indexes(unit.duplicates))


@pytest.mark.parametrize("first", [0, 9])
def test_other_source_bytes_are_contested(first: int) -> None:
    """Neither wins by having come first, nor by a newer mapper."""
    genuine = claim(first)
    forged = claim(4, mapper="m9", version=(9, 9, 9), src="other", raw="other")
    unit = weigh(genuine, forged)
    assert (Status.CONTESTED, [], sorted([first, 4])) == (
        unit.status,
        indexes(unit.counted),
        indexes(unit.disputed),
    )


def test_two_bodies_of_one_mapper_are_contested() -> None:
    """A body is a pure function of source and mapper: two of them cannot both be genuine."""
    assert weigh(claim(0), claim(1)).status is Status.CONTESTED


def test_parts_must_be_whole() -> None:
    """A set without one of its parts does not count; with it, it does."""
    parts = [claim(n, part=n + 1, parts=3) for n in range(3)]
    assert Status.INCOMPLETE is weigh(*parts[:2]).status
    unit = weigh(*reversed(parts))
    assert (Status.COUNTED, [0, 1, 2]) == (unit.status, indexes(unit.counted))


def test_parts_of_two_mappers_make_no_set() -> None:
    """Part 1 by one mapper and part 2 by another are no whole."""
    unit = weigh(claim(0, parts=2), claim(1, part=2, parts=2, mapper="m2"))
    assert (Status.INCOMPLETE, [0, 1]) == (unit.status, indexes(unit.disputed))


def test_a_loose_part_does_not_spoil_a_set() -> None:
    """A writer that died half way and another version that finished: the whole set counts."""
    unit = weigh(claim(0, parts=2), claim(1, mapper="m2", version=(2,)))
    assert (Status.COUNTED, [1], [0]) == (
        unit.status,
        indexes(unit.counted),
        indexes(unit.disputed),
    )


def test_parts_of_different_bytes_are_contested() -> None:
    """All parts of a set come of the same delivery."""
    parts = [claim(0, parts=2), claim(1, part=2, parts=2, src="x", raw="y")]
    assert weigh(*parts).status is Status.CONTESTED


def test_a_rejection_and_its_later_mapping_are_one_unit() -> None:
    """What an old mapper could not inflate has no raw hash; the delivered bytes are the same."""
    unit = weigh(claim(0, raw=None), claim(1, mapper="m2", version=(2,)))
    assert (Status.COUNTED, [1]) == (unit.status, indexes(unit.counted))


def test_a_file_compressed_again_is_the_same() -> None:
    """Other delivered bytes with the same content are no contradiction."""
    unit = weigh(claim(0, src="a"), claim(1, src="b", mapper="m2", version=(2,)))
    assert unit.status is Status.COUNTED


@given(st.permutations(range(6)), st.lists(st.sampled_from("abc"), min_size=6, max_size=6))
def test_order_decides_nothing(order: list[int], raws: list[str]) -> None:
    """The result is a function of the set of claims."""
    claims = [
        claim(n, unit=f"u{n % 2}", mapper=f"m{n % 3}", version=(n % 3,), src=raw, raw=raw)
        for n, raw in enumerate(raws)
    ]
    assert counting.count(claims) == counting.count([claims[n] for n in order])


BODY = "ab" * 32
LEAF = ObjectLeaf(
    key=f"ev/v1/s/h=2026010100/u/{BODY}.ndjson.zst",
    vid="v",
    at=0,
    size=1,
    sha256=BODY,
    md={
        "part": "1/1",
        "mapper": "1.2.3 dd",
        "records": "3",
        "src-sha256": "ss",
        "raw-sha256": "rr",
    },
)


def test_a_leaf_claims_what_its_metadata_says() -> None:
    """Source and unit come from the key, the rest from metadata fixed with the version."""
    expected = claim(7, body=BODY, src="ss", raw="rr", mapper="dd", version=(1, 2, 3), records=3)
    assert expected == counting.claim(7, LEAF)


@pytest.mark.parametrize(
    "changes",
    [
        {"flags": ("key_hash",)},
        {"sha256": None},
        {"sha256": "cd" * 32},
        {"md": {}},
        {"md": {**LEAF.md, "part": "2/1"}},
        {"md": {**LEAF.md, "part": "2/3"}},
        {"md": {**LEAF.md, "part": "x"}},
        {"md": {**LEAF.md, "mapper": "one"}},
        {"md": {**LEAF.md, "records": "many"}},
        {"key": "ev/v1/s/odd"},
    ],
)
def test_a_leaf_that_cannot_be_weighed_says_why(changes: dict[str, Any]) -> None:
    """A claim that is none is never counted, and never an exception."""
    assert isinstance(counting.claim(0, msgspec.structs.replace(LEAF, **changes)), str)


def run(index: int, first: int, last: int, text: str = "x") -> Range:
    """A range whose messages hold their own number."""
    numbers = range(first, last + 1)
    return Range(index, "hub#1/0", first, last, {n: f"{text}{n}".encode() for n in numbers})


def test_shifted_edges_count_every_message_once() -> None:
    """A hub delivers again with other batch edges: overlaps of the same bytes are duplicates."""
    stream = counting.count_ranges([run(0, 1, 4), run(1, 3, 8), run(2, 5, 6)])["hub#1/0"]
    assert {1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 1, 7: 1, 8: 1} == stream.counted
    assert (4, (), ()) == (stream.duplicates, stream.contested, stream.gaps)


def test_other_bytes_of_a_number_are_contested() -> None:
    """Nobody's message 3 is counted when two differ."""
    stream = counting.count_ranges([run(0, 1, 4), run(1, 3, 3, "forged")])["hub#1/0"]
    assert (3,) == stream.contested
    assert [1, 2, 4] == list(stream.counted)


def test_a_claimed_range_without_its_messages_counts_for_nothing() -> None:
    """To claim 1 to 100 and hold one message would hide 99: the range is not valid."""
    empty = Range(0, "hub#1/0", 1, 100, {1: b"x"})
    foreign = Range(1, "hub#1/0", 1, 2, {1: b"x", 9: b"y"})
    stream = counting.count_ranges([empty, foreign, run(2, 2, 3)])["hub#1/0"]
    assert ((0, 1), [2, 3]) == (stream.invalid, list(stream.counted))


def test_gaps_are_said() -> None:
    """Numbers nobody holds, between those somebody does; a recreated hub is another stream."""
    streams = counting.count_ranges(
        [run(0, 1, 2), run(1, 6, 7), msgspec.structs.replace(run(2, 1, 1), stream="hub#2/0")]
    )
    assert ((3, 5),) == streams["hub#1/0"].gaps
    assert {1: 2} == streams["hub#2/0"].counted


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=12))
def test_any_edges_count_what_was_delivered(batches: list[tuple[int, int]]) -> None:
    """Whatever the edges and repeats, each delivered message is counted exactly once."""
    ranges = [run(n, first, first + more) for n, (first, more) in enumerate(batches)]
    delivered = {number for one in ranges for number in one.hashes}
    streams = counting.count_ranges(ranges)
    counted = streams["hub#1/0"].counted if streams else {}
    assert delivered == set(counted)
    assert all(ranges[index].hashes[number] for number, index in counted.items())


def test_one_id_in_two_units() -> None:
    """The same bytes are a duplicate; other bytes are linked, and both kept."""
    same = [Native("AWS", "1", "e", b"x", (n, 0)) for n in range(2)]
    other = Native("AWS", "1", "e", b"y", (2, 0))
    elsewhere = Native("AWS", "2", "e", b"x", (3, 0))
    links = counting.link([other, *reversed(same), elsewhere])
    assert (tuple(same),) == links.duplicates
    assert ((same[0], other),) == links.linked
