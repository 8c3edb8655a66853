"""Inflation within a limit: of one member or many, to the byte."""

from __future__ import annotations

import gzip

import pytest

from nhi_evidence.event import Limits, Undecodable
from nhi_evidence.reading.inflate import inflate

LIMIT = Limits(inflated_bytes=100)


def members(*sizes: int) -> bytes:
    return b"".join(gzip.compress(b"x" * size, mtime=0) for size in sizes)


@pytest.mark.parametrize("sizes", [(0,), (1,), (100,), (50, 50), (0, 100), (99, 1), (1,) * 100])
def test_as_much_as_allowed_is_allowed(sizes: tuple[int, ...]) -> None:
    """The limit is on all members together, and may be reached."""
    assert b"x" * sum(sizes) == inflate(members(*sizes), LIMIT)


@pytest.mark.parametrize("sizes", [(101,), (50, 51), (100, 1), (60, 30, 11), (5_000_000,)])
def test_one_byte_more_is_refused(sizes: tuple[int, ...]) -> None:
    """A bomb in pieces is a bomb: what the members before took is taken off."""
    refused = inflate(members(*sizes), LIMIT)
    assert isinstance(refused, Undecodable)
    assert "inflation_limit" == refused.reason
    assert "100" in refused.detail
