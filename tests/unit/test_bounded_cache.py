"""Remembering is bounded in number and in length."""

from __future__ import annotations

from nhi_evidence.reading.bounded_cache import bounded_cache


def test_short_keys_are_remembered_and_long_ones_are_not() -> None:
    """A result is kept only for keys that cannot stretch the memory."""
    calls: list[str] = []

    @bounded_cache(results=2, longest=3)
    def length(text: str) -> int:
        calls.append(text)
        return len(text)

    assert [length("abc"), length("abc"), length("long"), length("long")] == [3, 3, 4, 4]
    assert ["abc", "long", "long"] == calls


def test_only_so_many_results_are_kept() -> None:
    """The oldest result makes room."""
    calls: list[int] = []

    @bounded_cache(results=2, longest=3)
    def same(number: int) -> int:
        calls.append(number)
        return number

    for number in (1, 2, 3, 1):
        same(number)
    assert [1, 2, 3, 1] == calls
