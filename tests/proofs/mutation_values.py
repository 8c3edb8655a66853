"""What a mutation of a proof puts in place of what was there."""

from __future__ import annotations

INTEGERS: tuple[bytes, ...] = (
    b"0",
    b"1",
    b"00",
    b"01",
    b"-1",
    b"+1",
    b"1.0",
    b"1e0",
    b"10",
    b" 1",
    b"1 ",
    b"1_0",
)


PIECES: tuple[bytes, ...] = (
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\n",
    b"\r",
    b"\t",
    b"\x00",
    b"\x01",
)


MEMBERS: tuple[bytes, ...] = (
    b'"u":"0000000000000000"',
    b'"i":0',
    b'"r":"x"',
    b'"r64":"eA=="',
    b'"n":{}',
    b'"x":{}',
)
