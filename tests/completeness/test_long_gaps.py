"""Gaps in the chain of a trail's digests: a writer may put a digest of any time, in a few bytes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nhi_evidence.completeness import chains
from nhi_evidence.completeness.chains import Chains
from nhi_evidence.completeness.items import ChainItem, Items, ListItem
from nhi_evidence.completeness.statement import Scope
from nhi_evidence.evidence.verify.sorting import MemorySorter

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
START = 1_772_438_400_000
"""2026-03-02 08:00."""
SUBJECT = ("aws_cloudtrail", "2026030208", Scope("111122223333", "eu-west-1", "trail/AWSLogs/"))
PLACE = (
    "trail/AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/02/"
    "111122223333_CloudTrail-Digest_eu-west-1_trail_eu-west-1_20260302T080000Z.json.gz"
)


def _list(number: int, begins: int) -> ListItem:
    return ListItem(
        order=number,
        source="aws_cloudtrail",
        place=f"place {number}",
        unit_place=f"place {number}",
        sha256=f"{number:064x}",
        chain="chain",
        begins=begins,
        ends=begins + HOUR_MS,
        previous=PLACE,
        previous_sha256=None,
        previous_signature=None,
        signed=b"",
        fingerprint="",
        signature=b"",
    )


def _filed(apart: timedelta, count: int) -> tuple[int, dict[str, set[str]]]:
    """How many items lists this far apart give, and what each hour lacks."""
    every = Chains(MemorySorter())
    for number in range(count):
        begins = START + number * int(apart.total_seconds()) * 1000
        every.add(SUBJECT, _list(number, begins))
    items = Items(MemorySorter())
    every.close(items)
    filed = list(items)
    lacking = {
        hour: {each.name for each in own if isinstance(each, ChainItem)}
        for (_, hour, _), own in filed
    }
    return sum(len(own) for _, own in filed), lacking


def test_each_hour_of_a_gap_lacks_the_lists_that_would_touch_it() -> None:
    """And the one that the next list names; not those of all other hours of the gap."""
    count, lacking = _filed(timedelta(days=30), 2)
    assert 30 * 24 - 1 == len(lacking)
    assert {PLACE} < lacking["2026031012"]
    assert all(2 <= len(names) <= 3 for names in list(lacking.values())[1:-1])
    assert count < 8 * len(lacking)


def test_beyond_a_bound_gaps_are_named_near_their_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "MOST_FAR", 0)
    count, lacking = _filed(timedelta(days=30), 3)
    assert 2 * 14 == len(lacking)
    assert all(PLACE in names for names in lacking.values())
    assert {"2026030209", "2026030215", "2026040107"} <= set(lacking)
    assert "2026030216" not in lacking
    assert count < 8 * len(lacking)


def test_a_gap_longer_than_is_named_has_both_ends() -> None:
    """The hours before the list that shows it, too."""
    _, lacking = _filed(timedelta(days=400), 2)
    assert 24 * 35 + 7 == len(lacking)
    assert "2027040607" in lacking


def test_a_few_bytes_do_not_become_millions_of_items() -> None:
    count, _ = _filed(timedelta(days=35), 40)
    assert count < 40 * 24 * 35 * 8
