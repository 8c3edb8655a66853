"""Plain English: no name or phrase of the dialect in tests/words.py, but those it allows."""

from __future__ import annotations

from tests.words import ALLOWED, dialect


def test_no_word_of_the_dialect_comes_back() -> None:
    """A name tells what it holds; where a format has the word, `ALLOWED` says which."""
    places = [(word, place) for _, word, place in dialect()]
    assert [] == [
        f"{place}: {word}"
        for word, place in places
        if (word, place.partition(":")[0]) not in ALLOWED
    ]


def test_every_exception_is_needed() -> None:
    used = {(word, place.partition(":")[0]) for _, word, place in dialect()}
    assert set() == set(ALLOWED) - used
