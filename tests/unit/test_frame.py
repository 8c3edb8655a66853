"""The zstd frame: read strictly, or appended bytes would go unnoticed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from backports import zstd

from nhi_evidence.evidence import frame

LINES = [b'{"k":"hdr"}', b"", b'{"i":0}']
LONG = [os.urandom(300).hex().encode() for _ in range(3_000)]


def packed(lines: list[bytes] = LINES) -> bytes:
    return frame.pack(lines, table=1)[0]


def test_round_trip() -> None:
    """Lines come back unchanged, including empty ones."""
    assert frame.unpack(packed(), limit=1000) == LINES


@pytest.mark.parametrize("lines", [LINES, LONG])
def test_the_table_decodes_alone(lines: list[bytes]) -> None:
    """The first bytes decode to the table alone, and end at a block boundary."""
    body, table = frame.pack(lines, table=2)
    assert lines[:2] == frame.unpack_table(body[:table], limit=10_000)
    frame.check_form(body, table=table)
    with pytest.raises(ValueError, match="no block"):
        frame.check_form(body, table=table + 1)


def test_content_size_and_checksum_are_declared() -> None:
    """RFC 8878 section 3.1.1.1: the frame header states the size and that a checksum follows."""
    descriptor = packed()[4]
    assert descriptor & 0b0000_0100, "content checksum flag"
    assert descriptor & 0b1110_0000, "content size flag"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda body: body + b"x", "after the zstd frame"),
        (lambda body: body + body, "after the zstd frame"),
        (lambda body: body[:-1], "truncated"),
        (lambda body: body[:-5] + bytes([body[-5] ^ 1]) + body[-4:], "not a zstd frame"),
        (lambda _: b"", "not a zstd frame"),
        (lambda _: b"plain", "not a zstd frame"),
        (lambda _: zstd.compress(b"x\n"), "without content checksum"),
        (lambda _: _with({zstd.CompressionParameter.checksum_flag: 1}, sized=False), "size"),
        (lambda _: packed([b"x" * 2000]), "more than 1000 bytes"),
    ],
    ids=["appended", "twice", "cut", "flipped", "empty", "plain", "no sum", "no size", "too long"],
)
def test_damage_is_named(damage: Callable[[bytes], bytes], message: str) -> None:
    """Each kind of damage is refused with a description."""
    with pytest.raises(ValueError, match=message):
        frame.unpack(damage(packed()), limit=1000)


def test_a_larger_window_is_refused() -> None:
    """A frame that asks a reader for more than 8 MiB is not of the format."""
    options: dict[int, int] = {
        zstd.CompressionParameter.checksum_flag: 1,
        zstd.CompressionParameter.window_log: 25,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    body = _with(options, content=os.urandom(1 << 10) * (40 << 10))
    with pytest.raises(ValueError, match=r"window|zstd frame"):
        frame.unpack(body, limit=1 << 30)


@pytest.mark.parametrize("cut", range(0, 40, 3))
def test_no_truncated_frame_is_valid(cut: int) -> None:
    """A frame truncated anywhere is an error that says so, also when only the form is checked."""
    body, table = frame.pack(LONG[:2], table=1)
    with pytest.raises(ValueError, match=r"zstd|table|line"):
        frame.check_form(body[: min(cut, len(body) - 1)], table=table)


def _with(options: dict[int, int], *, sized: bool = True, content: bytes = b"x\n") -> bytes:
    compressor = zstd.ZstdCompressor(options=options)
    if sized:
        compressor.set_pledged_input_size(len(content))
    return compressor.compress(content) + compressor.flush()


def test_too_many_lines_are_refused_before_splitting() -> None:
    """A few bytes inflate to very many empty lines, each of which would take memory."""
    body, _ = frame.pack([b""] * (frame.MAX_LINES + 1))
    assert len(body) < 1_000
    with pytest.raises(ValueError, match="2000001 lines"):
        frame.unpack(body, limit=1 << 30)
