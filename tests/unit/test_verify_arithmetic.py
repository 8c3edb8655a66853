"""V2: which unit lines are asked about one by one, and what is found of those that look plain."""

from __future__ import annotations

from typing import Any

import pytest

from nhi_evidence.event import Rejection
from nhi_evidence.evidence import arithmetic, lines
from tests.unit.test_verify_objects import COMPANION, LARGEST, MESSAGES, NAME, REFUSED, unit_line

NO_TEXT = ((3, ""),)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"raw_size": LARGEST, "span": (0, LARGEST), "lines": LARGEST},
        {"kept": 0, "rejected": 0, "lines": 0, "out_of_scope": {"x": 2, "y": 0}},
        {"raw_size": 3, "span": (0, 3)},
        {"raw_size": 2, "span": (0, 2), "gaps": NO_TEXT},
        {"raw_size": 0, "span": (0, 0), "records": 0, "kept": 0, "rejected": 0, "gaps": ((1, ""),)},
    ],
)
def test_a_valid_line_passes_the_quick_check(changes: dict[str, Any]) -> None:
    """Up to each bound: what nearly every line is, is asked about with all the others at once."""
    assert [] == arithmetic.in_doubt([unit_line(**changes), unit_line("other")])


@pytest.mark.parametrize(
    "changes",
    [
        COMPANION,
        REFUSED,
        {"parts": 2},
        {"messages": MESSAGES},
        {"gaps": ((1, "/w==", "base64"), (2, ","))},
        {"gaps": ((1, "\u00e9"), (2, ","))},
    ],
)
def test_a_line_that_is_right_may_be_in_doubt(changes: dict[str, Any]) -> None:
    """It alone is asked about, and nothing is wrong with it."""
    line = unit_line(**changes)
    assert [line] == arithmetic.in_doubt([unit_line("other"), line])
    assert arithmetic.problem(line) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"raw_size": 2, "span": (0, 2)}, "gaps longer than the span"),
        ({"raw_size": 5, "span": (0, 5), "gaps": ((3, "ab"),)}, "gaps longer than the span"),
        ({"kept": 3}, "2 records, 3 + 1 + 0"),
        ({"kept": 2, "out_of_scope": {"x": 1}}, "2 records, 2 + 1 + 1"),
        ({"gaps": ((1, ","),)}, "1 gaps around 2 records"),
        ({"gaps": ((1, "/w==", "base32"), (2, ","))}, "not a gap: (1, '/w==', 'base32')"),
        ({"gaps": (("1", "["), (2, ","))}, "not a gap: ('1', '[')"),
        ({"gaps": ((1, 1), (2, ","))}, "not a gap: (1, 1)"),
        ({"u": lines.unit_id(NAME)[:-1]}, "unit id does not match the name"),
        ({"rejection": Rejection("bad")}, "a rejection, and nothing else, has a reason"),
        (dict.fromkeys(("src_sha256", "raw_sha256", "root"), "b" * 65), "not a hash"),
    ],
)
def test_what_is_nearly_plain_is_in_doubt(changes: dict[str, Any], problem: str) -> None:
    """One thing is false of an otherwise plain line: it is found, and named."""
    line = unit_line(**changes)
    ((found_in, detail),) = arithmetic.problems([line])
    assert line == found_in
    assert detail.startswith(problem)


def test_a_name_has_a_bound() -> None:
    """Whoever judges an hour's completeness keeps it once for each hour that it concerns."""
    longest, longer = unit_line("x" * 4096), unit_line("x" * 4097)
    assert [] == arithmetic.in_doubt([longest])
    assert [(longer, "a name of 4097 characters")] == list(arithmetic.problems([longest, longer]))
    assert arithmetic.problem(unit_line("x" * 4096, parts=2)) is None


@pytest.mark.parametrize("raw_form", ["log", ""])
def test_a_raw_form_that_does_not_exist_does_not_count(raw_form: str) -> None:
    """Else a writer could have records counted of which nobody can prove one."""
    detail = arithmetic.problem(unit_line(raw_form=raw_form))
    assert "a raw form that does not exist" == detail
    assert [] == arithmetic.in_doubt([unit_line(raw_form="api")])


def test_a_number_may_be_the_largest_in_any_line() -> None:
    """2^53, in a line that is looked at by itself, too."""
    line = unit_line(parts=2, raw_size=LARGEST, span=(0, LARGEST), lines=LARGEST)
    assert [line] == arithmetic.in_doubt([line])
    assert arithmetic.problem(line) is None
