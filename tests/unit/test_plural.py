"""A count and its noun."""

from __future__ import annotations

import pytest

from nhi_evidence import plural


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
