"""The quick check of all unit lines passes none with a problem."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nhi_evidence.event import Rejection
from nhi_evidence.evidence import arithmetic
from nhi_evidence.evidence.lines import Messages, UnitLine, unit_id

DIGEST = sha256(b"").hexdigest()
LARGEST = 1 << 53
PLAIN = UnitLine(
    u=unit_id("bucket/file@1"),
    unit="bucket/file@1",
    kind="records",
    part=1,
    parts=1,
    src_sha256=DIGEST,
    raw_sha256=DIGEST,
    raw_size=100,
    span=(0, 100),
    first=0,
    records=5,
    kept=2,
    rejected=1,
    out_of_scope={"human": 2},
    lines=3,
    root=DIGEST,
    gaps=((1, "["), (4, ","), (1, "]")),
    rebuild="no",
)

NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 4, 5, 6, 99, 100, 101, LARGEST, LARGEST + 1])
HASHES = st.sampled_from([DIGEST, DIGEST[1:], DIGEST + "0", DIGEST.upper(), "", "x" * 64])
GAPS = st.lists(
    st.one_of(
        st.tuples(NUMBERS, st.sampled_from([",", "", "é", "," * 95])),
        st.tuples(NUMBERS, st.sampled_from(["LA==", "?"]), st.sampled_from(["base64", "other"])),
    ),
    max_size=4,
).map(tuple)

CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "u": st.sampled_from(["", PLAIN.u[:-1], "0" * 16]),
    "unit": st.sampled_from(["", "bucket/other@1"]),
    "kind": st.sampled_from(["companion", "rejection"]),
    "part": NUMBERS,
    "parts": NUMBERS,
    "src_sha256": HASHES,
    "raw_sha256": st.one_of(st.none(), HASHES),
    "raw_size": NUMBERS,
    "span": st.tuples(NUMBERS, NUMBERS),
    "first": NUMBERS,
    "records": NUMBERS,
    "kept": NUMBERS,
    "rejected": NUMBERS,
    "out_of_scope": st.dictionaries(st.sampled_from(["human", "other"]), NUMBERS),
    "lines": NUMBERS,
    "root": HASHES,
    "gaps": GAPS,
    "rebuild": st.sampled_from(["exact", "cut"]),
    "messages": st.just(Messages(1, (DIGEST,), (4,))),
    "rejection": st.just(Rejection("damaged_gzip", "")),
}


def test_a_valid_line_passes_the_quick_check() -> None:
    """The line of a delivered file passes without a detailed check."""
    assert [] == arithmetic.in_doubt([PLAIN])
    assert [] == list(arithmetic.problems([PLAIN]))


@given(st.fixed_dictionaries({}, optional=CHANGES))
def test_no_line_with_a_problem_is_passed(changes: dict[str, Any]) -> None:
    """Whatever a line states, beside valid ones, its problem is reported for it alone."""
    changed = replace(PLAIN, **changes)
    problem = arithmetic.problem(changed)
    expected = [] if problem is None else [(changed, problem)]
    assert expected == list(arithmetic.problems([PLAIN, changed, PLAIN]))


@given(
    st.sampled_from(sorted(CHANGES)).flatmap(lambda name: st.tuples(st.just(name), CHANGES[name]))
)
def test_each_wrong_field_is_found(change: tuple[str, Any]) -> None:
    """One change at a time, so that none hides another."""
    name, value = change
    changed = replace(PLAIN, **{name: value})
    problem = arithmetic.problem(changed)
    assert ([] if problem is None else [(changed, problem)]) == list(arithmetic.problems([changed]))
