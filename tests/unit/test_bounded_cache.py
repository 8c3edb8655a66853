"""A cache bounded in number and in length."""

from __future__ import annotations

import pytest

from nhi_evidence.event import Account
from nhi_evidence.reading.bounded_cache import bounded_cache


def test_short_keys_are_remembered_and_long_ones_are_not() -> None:
    """A result is kept only for keys that cannot use much memory."""
    calls: list[str] = []

    @bounded_cache(results=2, longest=3)
    def length(text: str) -> int:
        calls.append(text)
        return len(text)

    assert [length("abc"), length("abc"), length("long"), length("long")] == [3, 3, 4, 4]
    assert ["abc", "long", "long"] == calls


def test_the_number_of_kept_results_is_bounded() -> None:
    """The oldest result makes room."""
    calls: list[int] = []

    @bounded_cache(results=2, longest=3)
    def same(number: int) -> int:
        calls.append(number)
        return number

    for number in (1, 2, 3, 1):
        same(number)
    assert [1, 2, 3, 1] == calls


def test_the_cache_fills_up_to_its_bound() -> None:
    """Half of them is the newest half."""
    calls: list[int] = []

    @bounded_cache(results=6, longest=3)
    def same(number: int) -> int:
        calls.append(number)
        return number

    for number in (1, 2, 3, 4, 5, 6, 1):
        same(number)
    assert [1, 2, 3, 4, 5, 6] == calls


def test_a_reused_result_stays() -> None:
    """However many others come in between."""
    calls: list[int] = []

    @bounded_cache(results=8, longest=3)
    def same(number: int) -> int:
        calls.append(number)
        return number

    for number in range(1, 100):
        assert (0, number) == (same(0), same(number))
    assert [0, *range(1, 100)] == calls


def test_texts_within_other_values_count() -> None:
    """A struct or tuple of short strings is cached, one of long strings is not."""
    calls: list[Account] = []

    @bounded_cache(results=4, longest=5)
    def seen(account: Account, others: tuple[str, ...]) -> int:
        calls.append(account)
        return len(account.uid) + len(others)

    for uid, others in (("abc", ("d", "e")), ("abc", ("d", "efg")), ("abcdef", ())):
        for _ in range(2):
            assert len(uid) + len(others) == seen(Account(uid), others)
    assert ["abc", "abc", "abc", "abcdef", "abcdef"] == [account.uid for account in calls]


def test_values_that_are_not_text_take_no_space() -> None:
    """Numbers and None beside a string of the maximum length."""
    calls: list[str] = []

    @bounded_cache(results=4, longest=3)
    def described(text: str, number: int | None) -> str:
        calls.append(text)
        return f"{text}{number}"

    assert ["abc7", "abc7", "abcNone", "abcNone"] == [
        described("abc", number) for number in (7, 7, None, None)
    ]
    assert ["abc", "abc"] == calls


def test_exceptions_are_not_cached() -> None:
    """It is raised again."""
    calls: list[str] = []

    @bounded_cache(results=4, longest=5)
    def fails(text: str) -> int:
        calls.append(text)
        raise ValueError(text)

    for _ in range(2):
        with pytest.raises(ValueError, match="abc"):
            fails("abc")
    assert ["abc", "abc"] == calls


def test_a_keyword_is_refused() -> None:
    """One that was dropped would be answered with the result of another call."""

    @bounded_cache(results=4, longest=5)
    def joined(first: str, second: str = "b") -> str:
        return first + second

    assert joined("a", "b") == "ab"
    with pytest.raises(TypeError, match="keyword"):
        joined("a", second="c")  # type: ignore[call-arg] # what the types refuse as well
