"""A count and its noun."""

from __future__ import annotations

import pytest

from nhi_evidence import plural
from tests.cli.command import one_of_many


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((0, "record"), "0 records"),
        ((1, "record"), "1 record"),
        ((2000, "record"), "2,000 records"),
        ((1, "identity", "identities"), "1 identity"),
        ((2, "identity", "identities"), "2 identities"),
        ((3, "address"), "3 addresses"),
    ],
)
def test_one_is_one(words: tuple[int, str], expected: str) -> None:
    assert expected == plural.count(*words)


@pytest.mark.parametrize(
    ("text", "noticed"),
    [
        ("in 1 files; and more", ["1 files"]),
        ("21 files, 0.1 hours old, 1 file", []),
        ("1 records; 1 cells", ["1 records", "1 cells"]),
    ],
)
def test_one_in_the_plural_is_noticed(text: str, noticed: list[str]) -> None:
    """Every test that runs a command checks for it."""
    assert noticed == one_of_many(text)
