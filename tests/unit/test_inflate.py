"""Inflation within a limit, of one gzip member or many, exact to the byte."""

from __future__ import annotations

import gzip
import tracemalloc
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.event import Limits, Undecodable
from nhi_evidence.reading.inflate import inflate, inflated, inflated_sha256

LIMIT = Limits(inflated_bytes=100)


def members(*sizes: int) -> bytes:
    return b"".join(gzip.compress(b"x" * size, mtime=0) for size in sizes)


@pytest.mark.parametrize("sizes", [(0,), (1,), (100,), (50, 50), (0, 100), (99, 1), (1,) * 100])
def test_as_much_as_allowed_is_allowed(sizes: tuple[int, ...]) -> None:
    """The limit applies to all members together, and may be reached."""
    assert b"x" * sum(sizes) == inflate(members(*sizes), LIMIT)


@pytest.mark.parametrize("sizes", [(101,), (50, 51), (100, 1), (60, 30, 11), (5_000_000,)])
def test_one_byte_more_is_refused(sizes: tuple[int, ...]) -> None:
    """A bomb in pieces is a bomb: earlier members count towards the limit."""
    refused = inflate(members(*sizes), LIMIT)
    assert isinstance(refused, Undecodable)
    assert "inflation_limit" == refused.reason
    assert "100" in refused.detail


def test_the_limit_is_on_a_file_that_is_not_compressed_too() -> None:
    """Which is read, and hashed, up to the limit."""
    content = b"x" * LIMIT.inflated_bytes
    assert content == inflated(content, LIMIT)
    assert sha256(content).hexdigest() == inflated_sha256(content, LIMIT)
    refused = inflated(content + b"x", LIMIT)
    assert isinstance(refused, Undecodable)
    assert "inflation_limit" == refused.reason
    assert inflated_sha256(content + b"x", LIMIT) is None


@given(st.binary(max_size=40), st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_hashing_in_pieces_gives_the_same(tail: bytes, place: int, value: int, cut: int) -> None:
    """For any input: the hash of the inflated bytes, or none if it is undecodable."""
    damaged = bytearray(members(50, 0, 40) + tail)
    damaged[place % len(damaged)] = value
    for body in (
        bytes(damaged),
        members(50, 0, 40) + tail,
        bytes(damaged[:cut]),
        members(99, 9),
        tail,
    ):
        content = inflated(body, LIMIT)
        expected = None if isinstance(content, Undecodable) else sha256(content).hexdigest()
        assert expected == inflated_sha256(body, LIMIT)


def test_a_file_of_many_pieces_is_hashed() -> None:
    """It has more bytes than one chunk."""
    content = bytes(range(256)) * (9 << 12)
    limits = Limits(inflated_bytes=len(content))
    for body in (gzip.compress(content, 1), gzip.compress(content[:7], 1) * 3):
        result = inflated(body, limits)
        assert isinstance(result, bytes)
        assert sha256(result).hexdigest() == inflated_sha256(body, limits)


def test_what_is_hashed_is_not_held() -> None:
    """Of 32 MiB a few are in memory at a time."""
    content = bytes(32 << 20)
    body, expected = gzip.compress(content, 1), sha256(content).hexdigest()
    del content
    tracemalloc.start()
    try:
        actual = inflated_sha256(body, Limits())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert expected == actual
    assert most < 8 << 20
