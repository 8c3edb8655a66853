"""A bundle may hold texts of many megabytes: reading them takes memory in proportion to them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from nhi_evidence.evidence.bundle import check_proof
from nhi_evidence.reading import strict_json

LENGTH = 200_000
LONG = {
    "plain": b"a" * LENGTH,
    "line breaks": rb"\n" * (LENGTH // 2),
    "escapes and letters": rb"\na" * (LENGTH // 3),
    "numbered": rb"\u0001" * (LENGTH // 6),
}


def _line(value: bytes) -> bytes:
    return b'{"n":[%b],"r":%b}' % (value, value)


READERS: dict[str, Callable[[bytes], object]] = {
    "text of check_proof": check_proof.text,
    "foreign text of check_proof": lambda value: check_proof.text(value, check_proof.FOREIGN_TEXT),
    "members of check_proof": lambda value: check_proof.members(_line(value)),
    "text": strict_json.text,
    "foreign text": lambda value: strict_json.text(value, foreign=True),
    "members": lambda value: strict_json.members(_line(value)),
}


@pytest.mark.parametrize("content", LONG)
@pytest.mark.parametrize("reader", READERS)
def test_a_long_text_takes_no_more_memory_than_its_pieces(reader: str, content: str) -> None:
    value = b'"%b"' % LONG[content]
    tracemalloc.start()
    try:
        READERS[reader](value)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * LENGTH


@pytest.mark.parametrize("content", LONG)
def test_a_text_of_several_pieces_is_the_same_to_both(content: str) -> None:
    value = b'"%b"' % LONG[content]
    assert check_proof.text(value) == strict_json.text(value)
    for broken in (value[:-1], value[:-1] + rb"\"", value[:-1] + b'x""', value[:-1] + rb'\x"'):
        with pytest.raises(check_proof.NotShown):
            check_proof.text(broken)
        with pytest.raises(strict_json.JsonError):
            strict_json.text(broken)
