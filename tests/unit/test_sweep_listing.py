"""What a run of the sealer lists, compared with a naive implementation of the same rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.evidence import keys, leaf, sweep
from nhi_evidence.evidence.sweep import SweepResult
from nhi_evidence.stored import Version
from tests.memory_store import MemoryStore
from tests.naive_sweep import HOUR, Naive

T = TypeVar("T")
NOW = 1_774_958_400_000
"""2026-03-31 12:00 UTC, in milliseconds."""


def stated_by(
    result: SweepResult,
) -> tuple[list[tuple[str, str]], dict[str, leaf.Sweep], int, object]:
    """Return the same for what was really listed."""
    listed = sorted((version.key, version.id) for version in result.versions)
    return listed, dict(result.swept), result.until, dict(result.cursors)


AGES = st.sampled_from([*range(-2, 7), 20, 47, 48, 49, 50, 24 * 20, 24 * 40, 24 * 41])
FOLDERS = st.one_of(
    AGES.map(lambda age: f"h={keys.hour_of(NOW - age * HOUR)}/"),
    st.sampled_from(["h=unknown/", "odd/", "h=2026039999/", "", "/"]),
)
SOURCES = st.sampled_from(["ev/v1/a/", "ev/v1/ab/", "ev/v1/b/", "op/v1/seal/"])
OTHERS = st.sampled_from(
    ["", "x/", "evil/", "log/v1/", "ev/", "ev/x/", "ev/v2/a/", "ev/v1/", "e/", "op/v10/", "op/v1//"]
)
KEYS = st.builds(
    lambda folder, name: folder + name,
    st.one_of(st.builds(str.__add__, SOURCES, FOLDERS), OTHERS),
    st.sampled_from(["k1", "k2", "k3", "k4"]),
)
STEPS = st.tuples(
    st.lists(KEYS, max_size=30),
    st.sampled_from([0, 1, 60_000, 300_000, HOUR, 26 * HOUR, 9 * 24 * HOUR]),
)


@given(
    st.lists(STEPS, min_size=1, max_size=5), st.integers(1, 6), st.integers(0, 12), st.booleans()
)
def test_runs_list_what_a_naive_reading_lists(
    steps: list[tuple[list[str], int]], at_once: int, limit: int, starts_anew: bool
) -> None:
    """Over several runs, each continuing where the last stopped, its whole report is the same."""
    store = MemoryStore()
    now = NOW
    last: int | None = None if starts_anew else NOW - 300_000
    cursors: Mapping[str, leaf.Cursor] = {}

    def enough(count: int) -> bool:
        return count >= limit

    for written, later in steps:
        for key in written:
            store.add(key, b"x")
        now += later
        naive = Naive(store, now, last, cursors, at_once)
        naive.run(enough)
        result = sweep.find(store, now, last, cursors, enough=enough, at_once=at_once)
        assert naive.result() == stated_by(result)
        last, cursors = result.until, result.cursors


@given(st.lists(KEYS, min_size=1, max_size=40))
def test_everything_is_everything_but_the_log(written: list[str]) -> None:
    """Whatever is due, however much, and whatever cursors remain."""
    store = MemoryStore()
    for key in written:
        store.add(key, b"x")
    cursors = {"": leaf.Cursor("zz", 1), "ev/": leaf.Cursor("zz", 1)}
    result = sweep.find(store, NOW, NOW, cursors, everything=True, at_once=1)
    assert sorted(key for key in written if not key.startswith("log/")) == sorted(
        version.key for version in result.versions
    )
    assert (NOW, {}) == (result.until, result.cursors)


def test_an_hour_is_listed_at_its_very_instant() -> None:
    """By the run at that millisecond, and not by one a millisecond earlier."""
    hour = keys.hour_of(NOW - 20 * HOUR)
    store = MemoryStore()
    store.add(f"ev/v1/a/h={hour}/k", b"x")
    due = sweep.falls_due(hour, NOW, NOW)
    assert due is not None
    assert [0, 1] == [len(sweep.find(store, now, NOW).versions) for now in (due - 1, due)]


def test_without_a_limit_a_run_lists_all_that_is_due() -> None:
    """By default a run takes twenty thousand entries per prefix, without an overall limit."""
    store = MemoryStore()
    for age in range(50, 200):
        store.add(f"ev/v1/a/h={keys.hour_of(NOW - age * HOUR)}/k", b"x")
    assert 150 == len(sweep.find(store, NOW, None).versions)
    assert sweep.MAX_LISTED_AT_ONCE == 20_000


def test_a_run_s_report_on_its_listing_is_bounded() -> None:
    """What exceeds a plan's entry becomes one sum; the last byte that fits is used."""
    store = MemoryStore()
    for number in range(100):
        store.add(f"{number:03d}{'a' * 60}/k", b"x")
        store.add(f"{number:03d}{'a' * 60}/l", b"x")
    swept = sweep.find(store, NOW, None).swept
    room = 16_000 - len(msgspec.json.encode(swept))
    assert room > 0
    fits = _with_source(store, room)
    assert 101 == len(fits.swept)
    assert 16_000 == len(msgspec.json.encode(fits.swept))
    assert _with_source(store, room + 1).swept == {"*": leaf.Sweep(101, "*", "*", 201)}


def _with_source(store: MemoryStore, size: int) -> SweepResult:
    """List with one more folder, which adds a given number of bytes to the report."""
    store = store.copy()
    beside = len(msgspec.json.encode({"": leaf.Sweep(1, "*", "*", 1)})) - 1
    store.add("z" * (size - beside - 1) + "/k", b"x")
    return sweep.find(store, NOW, None)


class _Bounded(MemoryStore):
    """Returns a limited number of entries, and fails a test that requests more."""

    def level(self, prefix: str, *, after: str = "") -> Iterator[str | Version]:
        yield from self._only(super().level(prefix, after=after))

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        versions = super().versions(prefix, after=after)
        # `level` of the store goes through all of them.
        yield from self._only(versions) if prefix else versions

    def _only(self, entries: Iterator[T]) -> Iterator[T]:
        for number, entry in enumerate(entries):
            if number == 4:
                pytest.fail("more was listed than one entry after those that are taken")
            yield entry


@pytest.mark.parametrize("written", ["x/{}", "{}"], ids=["folder", "level"])
def test_a_run_lists_no_farther_than_it_takes(written: str) -> None:
    """It reads one extra entry, to know that there are more: requests to S3 cost money."""
    store = _Bounded()
    for number in range(9):
        store.add(written.format(number), b"x")
    assert 3 == len(sweep.find(store, NOW, None, at_once=3).versions)


def test_the_last_hours_are_listed_even_from_a_partial_level() -> None:
    """A run that continues past them lists them as well; one that sees the whole level need not."""
    store = _CountingStore()
    hours = [keys.hour_of(NOW - age * HOUR) for age in range(4)]
    for hour in hours:
        store.add(f"ev/v1/a/h={hour}/k", b"x")
    cursors = {"ev/v1/a/": leaf.Cursor("ev/v1/a/z/", NOW, NOW)}
    assert 4 == len(sweep.find(store, NOW, NOW, cursors).versions)
    store = _CountingStore()
    store.add("ev/v1/a/odd/k", b"x")
    sweep.find(store, NOW, None)
    assert ["ev/v1/a/odd/"] == store.prefixes


def test_a_folder_listed_in_part_is_finished_where_its_level_is_seen_in_part() -> None:
    """A run that goes on behind the folder takes the rest of it: its cursor says that it is due."""
    store = MemoryStore()
    for key in ("k1", "k2", "k3"):
        store.add(f"ev/v1/a/odd/{key}", b"x")
    cursors = {
        "ev/v1/a/": leaf.Cursor("ev/v1/a/z/", NOW, NOW),
        "ev/v1/a/odd/": leaf.Cursor("ev/v1/a/odd/k1", NOW),
    }
    result = sweep.find(store, NOW, NOW, cursors)
    assert ["ev/v1/a/odd/k2", "ev/v1/a/odd/k3"] == [version.key for version in result.versions]
    assert "ev/v1/a/odd/" not in result.cursors


class _CountingStore(MemoryStore):
    """Notes which folders are listed."""

    def __init__(self) -> None:
        super().__init__()
        self.prefixes: list[str] = []

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        if prefix.count("/") > 3:
            self.prefixes.append(prefix)
        return super().versions(prefix, after=after)


@pytest.mark.parametrize("prefix", ["", "x/"])
def test_a_cursor_is_removed_once_its_prefix_is_listed_in_one_run(prefix: str) -> None:
    """Once it starts over and finishes, its folders are due only by the plan's time."""
    store = MemoryStore()
    store.add("x/k", b"x")
    cursors = {prefix: leaf.Cursor("", NOW - HOUR, NOW - 2 * HOUR)}
    assert {} == sweep.find(store, NOW, NOW - 1, cursors, at_once=3).cursors


@pytest.mark.parametrize("folders", [4, 5])
def test_the_number_of_partly_listed_folders_is_bounded(folders: int) -> None:
    """Four have a cursor each; the fifth is due again, so the run got no further."""
    store = MemoryStore()
    for source in ("a", "b"):
        for number in range(folders):
            for key in range(7):
                store.add(f"ev/v1/{source}/odd{number}/k{key}", b"x")
    result = sweep.find(store, NOW, None, at_once=6)
    assert 2 * 4 == len(result.cursors)
    assert {f"{prefix}k5" for prefix in result.cursors} == {
        cursor.after for cursor in result.cursors.values()
    }
    assert 2 * folders * 6 == len(result.versions)
    dues = sorted(sweep.falls_due(f"odd{number}", NOW, 0) or 0 for number in range(folders))
    assert result.until == (NOW if folders == 4 else dues[4] - 1)


@pytest.mark.parametrize("last", [None, NOW - HOUR])
@pytest.mark.parametrize(
    ("keys_of_store", "prefix", "stops_at"),
    [(["x/k1", "x/k2"], "x/", "x/k1"), (["k1", "k2"], "", "k1")],
    ids=["folder", "level"],
)
def test_cursors_are_bounded_in_bytes(
    keys_of_store: list[str], prefix: str, stops_at: str, last: int | None
) -> None:
    """At the last byte that fits; with one more the run gets no further than the one before."""
    store = MemoryStore()
    for key in keys_of_store:
        store.add(key, b"x")
    since = last or 0
    cursor = leaf.Cursor(stops_at, NOW, 0 if prefix else since)
    other = leaf.Cursor("", NOW)
    taken = len(msgspec.json.encode({"": other, prefix + "-": cursor})) - 1
    for more, fits in ((0, True), (1, False)):
        name = "o" * (32_000 - taken + more)
        result = sweep.find(store, NOW, last, {name: other}, at_once=1)
        assert result.cursors == {name: other} | ({prefix: cursor} if fits else {})
        assert (len(msgspec.json.encode({name: other, prefix: cursor})) <= 32_000) is fits
        assert result.until == (NOW if fits else since)
        assert stops_at in {version.key for version in result.versions}


def test_a_folder_without_room_for_its_cursor_is_due_again_from_where_it_began() -> None:
    """It began before the last plan, so the run did not even get as far as that one."""
    store = MemoryStore()
    for key in ("x/k1", "x/k2"):
        store.add(key, b"x")
    last = NOW - HOUR
    cursors = {"o" * 32_001: leaf.Cursor("", NOW), "x/": leaf.Cursor("", last - 10)}
    result = sweep.find(store, NOW, last, cursors, at_once=1)
    assert last - 1 == result.until
    assert "x/" not in result.cursors
