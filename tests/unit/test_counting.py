"""Which claim counts, against every claim an adversary with a writer role can make."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nhi_evidence.event import Limits
from nhi_evidence.evidence import counting
from nhi_evidence.evidence.counting import Claim, Status, Unit
from nhi_evidence.evidence.lines import Header, MapperIdentity, Settings, UnitLine, encode

LISTED = ("m0", "m1", "m2")


def claim(index: int, **changes: Any) -> Claim:
    stated: dict[str, Any] = {
        "key": f"k{index}",
        "source": "s",
        "unit": "u",
        "is_rejection": False,
        "part": 1,
        "parts": 1,
        "span": (0, 10),
        "first": 0,
        "records": 1,
        "src": "src",
        "raw": "raw",
        "raw_size": 10,
        "root": "root",
        "line": "line",
        "mapper": "m1",
        "settings": "nhi",
    }
    return Claim(index=index, **{**stated, **changes})


def weigh(*claims: Claim, listed: tuple[str, ...] = LISTED) -> Unit:
    (unit,) = counting.count(claims, listed).values()
    return unit


def indexes(claims: tuple[Claim, ...]) -> list[int]:
    return [each.index for each in claims]


def parts(*, total: int = 3, **changes: Any) -> list[Claim]:
    return [
        claim(
            number,
            part=number + 1,
            parts=total,
            span=(10 * number, 10 * number + 10),
            first=number,
            raw_size=10 * total,
            line=f"line {number}",
            **changes,
        )
        for number in range(total)
    ]


def test_a_claim_counts() -> None:
    """The usual case."""
    unit = weigh(claim(0))
    assert (Status.COUNTED, [0]) == (unit.status, indexes(unit.counted))


def test_a_unit_in_another_batch_is_a_duplicate() -> None:
    """On regrouped redelivery, one unit line in two objects counts once, for the first sealed."""
    unit = weigh(claim(5), claim(2), claim(9))
    assert ([2], [5, 9]) == (indexes(unit.counted), indexes(unit.duplicates))


def test_the_latest_listed_release_counts() -> None:
    """A replay by a later release counts, whichever was sealed first; the list has the order."""
    old, new = claim(0, line="a"), claim(1, mapper="m2", line="b")
    for pair in ((old, new), (new, old)):
        unit = weigh(*pair)
        assert (Status.COUNTED, [1], [0]) == (
            unit.status,
            indexes(unit.counted),
            indexes(unit.duplicates),
        )
    assert [0] == indexes(weigh(old, new, listed=("m2", "m1")).counted)


def test_an_unlisted_release_never_wins() -> None:
    """Neither by being later, nor by its name, nor by contradicting itself."""
    genuine = claim(3, line="a")
    unit = weigh(claim(0, mapper="zz", line="b"), genuine, claim(9, mapper="zz", line="c"))
    assert (Status.COUNTED, [3]) == (unit.status, indexes(unit.counted))


def test_without_a_list_the_first_sealed_counts() -> None:
    """Nothing a writer states about itself decides."""
    unit = weigh(claim(4, mapper="zz", line="b"), claim(1, mapper="aa", line="a"), listed=())
    assert [1] == indexes(unit.counted)


def test_one_release_has_one_line_of_a_unit() -> None:
    """With the same bytes, release and settings but another line, one of the two is false."""
    unit = weigh(claim(0, line="a"), claim(1, line="b"))
    assert (Status.CONTESTED, [], [0, 1]) == (
        unit.status,
        indexes(unit.counted),
        indexes(unit.disputed),
    )


def test_other_settings_are_not_a_contradiction() -> None:
    """The same unit in another scope has other lines, and both may be genuine."""
    unit = weigh(claim(0, line="a"), claim(1, line="b", settings="all"))
    assert (Status.COUNTED, [0], [1]) == (
        unit.status,
        indexes(unit.counted),
        indexes(unit.duplicates),
    )


@pytest.mark.parametrize("other", ["m0", "m1", "m2", "zz"])
@pytest.mark.parametrize("first", [0, 9])
def test_other_bytes_are_contested(other: str, first: int) -> None:
    """Neither wins by being first, nor by a later release, listed or not."""
    unit = weigh(claim(first), claim(4, mapper=other, src="x", raw="x", line="x"))
    assert (Status.CONTESTED, []) == (unit.status, indexes(unit.counted))


def test_another_split_of_the_same_bytes_is_contested() -> None:
    """Two listed releases disagree on the number of records."""
    unit = weigh(claim(0, line="a"), claim(1, mapper="m2", line="b", records=2))
    assert unit.status is Status.CONTESTED


def test_a_rejection_yields_to_the_decoded_unit() -> None:
    """A new release can read delivered bytes that an old one could not."""
    rejection = claim(0, is_rejection=True, raw=None, records=0, line="r", mapper="m0")
    unit = weigh(rejection, claim(1, mapper="m2"))
    assert (Status.COUNTED, [1], [0]) == (
        unit.status,
        indexes(unit.counted),
        indexes(unit.duplicates),
    )
    assert weigh(rejection, claim(1, src="other")).status is Status.CONTESTED
    assert [0] == indexes(weigh(rejection).counted)


def test_two_deliveries_of_the_same_bytes_do_not_contradict() -> None:
    """Compressed differently but inflated alike, they have one line per release and setting."""
    first = claim(0, src="a")
    assert [0] == indexes(weigh(first, claim(1, src="b")).counted)
    assert weigh(first, claim(1, src="b", line="other")).status is Status.CONTESTED
    assert [0] == indexes(weigh(first, claim(1, src="b", line="other", mapper="m0")).counted)
    assert weigh(first, claim(1, src="a", raw="other", mapper="m0")).status is Status.CONTESTED


def test_rejections_may_be_kept_in_other_chunks() -> None:
    """How a release splits what it cannot read says nothing about records."""
    refused: dict[str, Any] = {"is_rejection": True, "raw": None}
    whole_file = claim(9, **refused, raw_size=30, span=(0, 30), mapper="m0")
    unit = weigh(*parts(**refused), whole_file)
    assert (Status.COUNTED, [0, 1, 2], [9]) == (
        unit.status,
        indexes(unit.counted),
        indexes(unit.duplicates),
    )


def test_parts_must_be_complete() -> None:
    """A set without one of its parts does not count; a complete one, in any order, does."""
    assert Status.INCOMPLETE is weigh(*parts()[:2]).status
    assert Status.INCOMPLETE is weigh(*parts()[1:]).status
    assert [0, 1] == indexes(weigh(*parts(total=2)).counted)
    unit = weigh(*reversed(parts()))
    assert (Status.COUNTED, [0, 1, 2]) == (unit.status, indexes(unit.counted))


@pytest.mark.parametrize(
    "change",
    [
        {"span": (11, 20)},
        {"span": (9, 20)},
        {"first": 2},
        {"parts": 4},
        {"raw_size": 31},
    ],
)
def test_parts_follow_without_gap(change: dict[str, Any]) -> None:
    """Every byte and every record of the unit is in exactly one part."""
    first, second, third = parts()
    changed = claim(
        1, **{"part": 2, "parts": 3, "span": (10, 20), "first": 1, "raw_size": 30, **change}
    )
    if "raw_size" in change:
        first, third = (
            claim(0, parts=3, span=(0, 10), raw_size=31, line="0"),
            claim(2, part=3, parts=3, span=(20, 30), first=2, raw_size=31, line="2"),
        )
    assert weigh(first, changed, third).status is Status.INCOMPLETE
    assert weigh(first, second, third).counted or "raw_size" in change


@pytest.mark.parametrize("number", [1, 2])
def test_a_writer_may_state_any_number_of_parts(number: int) -> None:
    """Even the largest number in a table allocates nothing for missing parts."""
    claims = [
        claim(index, parts=1 << 53, part=index + 1, line=f"{index}") for index in range(number)
    ]
    assert Status.INCOMPLETE is weigh(*claims).status


@given(st.sampled_from([{}, {"first": 1}, {"span": (1, 10)}, {"parts": 2}, {"is_rejection": True}]))
def test_a_single_claim_is_weighed_as_among_others(change: dict[str, Any]) -> None:
    """The shortcut for a unit with one claim gives the same as the full path."""
    alone = claim(0, **change)
    again = weigh(alone, claim(1, **change))
    assert (weigh(alone).status, weigh(alone).counted) == (again.status, again.counted)


def test_parts_of_two_releases_do_not_form_a_set() -> None:
    """Part 1 is by one release, parts 2 and 3 by another."""
    first, *rest = parts()
    unit = weigh(first, *(claim(c.index, **_changed(c, mapper="m2")) for c in rest))
    assert (Status.INCOMPLETE, [0, 1, 2]) == (unit.status, indexes(unit.disputed))


def _changed(original: Claim, **changes: Any) -> dict[str, Any]:
    names = [name for name in Claim.__struct_fields__ if name != "index"]
    return {name: getattr(original, name) for name in names} | changes


def test_a_stray_part_does_not_invalidate_a_complete_set() -> None:
    """If a writer died midway and another release finished, the complete set counts."""
    half = claim(0, parts=2, raw_size=20, line="half")
    unit = weigh(half, claim(1, mapper="m2", raw_size=10))
    assert (Status.COUNTED, [1], [0]) == (
        unit.status,
        indexes(unit.counted),
        indexes(unit.disputed),
    )


HEADER = Header(
    v=1,
    source="s",
    hour="2026030208",
    mapper=MapperIdentity("0.1.0", "m1"),
    settings=Settings(scope="nhi", keep_out_of_scope_raw=True, limits=Limits()),
    codec="zstd",
    units=1,
)


def stated(**changes: Any) -> Claim:
    """The claim of one unit line."""
    line = UnitLine(
        u="uu",
        unit="u",
        kind="records",
        part=2,
        parts=3,
        src_sha256="src",
        raw_sha256="raw",
        raw_size=30,
        span=(10, 20),
        first=4,
        records=5,
        kept=5,
        rejected=0,
        out_of_scope={},
        lines=5,
        root="root",
        gaps=(),
        rebuild="exact",
    )
    (claimed,) = counting.claims(7, "key", HEADER, [replace(line, **changes)])
    return claimed


def test_a_claim_is_what_header_and_unit_line_state() -> None:
    """Each value comes from its place."""
    claimed = stated()
    assert claimed == Claim(
        index=7,
        key="key",
        source="s",
        unit="u",
        is_rejection=False,
        part=2,
        parts=3,
        span=(10, 20),
        first=4,
        records=5,
        src="src",
        raw="raw",
        raw_size=30,
        root="root",
        line=claimed.line,
        mapper="m1",
        settings=sha256(encode(HEADER.settings)).hexdigest(),
    )
    assert stated(kind="rejection", raw_sha256=None).is_rejection
    assert not stated(kind="companion").is_rejection


def test_source_metadata_belongs_only_to_a_companion_s_claim() -> None:
    """It has the provider's signature: another signature is another companion."""
    metadata = {"source_metadata": {"etag": "1"}}
    for kind, is_other in (("records", False), ("rejection", False), ("companion", True)):
        assert is_other == (stated(kind=kind).line != stated(kind=kind, **metadata).line)
    assert stated().line != stated(lines=6).line


@given(
    st.permutations(range(8)),
    st.lists(st.sampled_from("abc"), min_size=8, max_size=8),
    st.lists(st.sampled_from(["m0", "m1", "m2", "zz"]), min_size=8, max_size=8),
)
def test_order_decides_nothing(order: list[int], raws: list[str], mappers: list[str]) -> None:
    """The result depends only on the set of claims, and has every claim exactly once."""
    claims = [
        claim(n, unit=f"u{n % 2}", mapper=mappers[n], src=raw, raw=raw, line=f"{raw}{n % 3}")
        for n, raw in enumerate(raws)
    ]
    counted = counting.count(claims, LISTED)
    assert counted == counting.count([claims[n] for n in order], LISTED)
    everything = [
        index
        for unit in counted.values()
        for group in (unit.counted, unit.duplicates, unit.disputed)
        for index in indexes(group)
    ]
    assert list(range(8)) == sorted(everything)
    assert all(len(unit.counted) <= 1 for unit in counted.values())
