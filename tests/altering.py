"""Bytes altered so that they differ whatever they were."""

from __future__ import annotations


def altered(data: bytes) -> bytes:
    """Return the bytes with another last one: a fixed one would now and then be what it was."""
    return data[:-1] + bytes([data[-1] ^ 1])
