"""A frame read in pieces, by its first lines and by its form only: each refusal, each bound."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.evidence import frame

LINES = [b'{"k":"hdr"}', b"", b'{"i":0}']
SIZE = sum(len(line) + 1 for line in LINES)
BODY = frame.pack(LINES)[0]
TEXTS = st.lists(st.binary(max_size=12).map(lambda text: text.replace(b"\n", b"")), min_size=1)


def compressed(content: bytes, **options: int) -> bytes:
    """Return a frame of any content, with a checksum and its size."""
    stated = {"checksum_flag": 1} | options
    compressor = zstd.ZstdCompressor(
        options={getattr(zstd.CompressionParameter, name): value for name, value in stated.items()}
    )
    compressor.set_pledged_input_size(len(content))
    return compressor.compress(content) + compressor.flush()


@pytest.fixture(params=[5, 4 << 20])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Set how many bytes are inflated at once."""
    count: int = request.param
    monkeypatch.setattr(frame, "_INFLATED_AT_ONCE", count)
    return count


def first(body: bytes, *, limit: int) -> Iterator[bytes]:
    return frame.first_lines(body, len(LINES), limit=limit)


Read = Callable[..., Iterator[bytes]]
EITHER = pytest.mark.parametrize("read", [frame.each_line, first])


@given(TEXTS, st.integers(0, 120), st.integers(1, 9))
def test_lines_are_the_same_however_they_are_read(
    lines: list[bytes], count: int, at_once: int
) -> None:
    """All at once, one by one, or only the first, whatever the chunk size."""
    body, _ = frame.pack(lines)
    size = sum(len(line) + 1 for line in lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame, "_INFLATED_AT_ONCE", at_once)
        assert lines == frame.unpack(body, limit=size)
        assert lines == list(frame.each_line(body, limit=size))
        if count <= len(lines):
            assert lines[:count] == list(frame.first_lines(body, count, limit=size))
        else:
            with pytest.raises(ValueError, match="not terminated"):
                list(frame.first_lines(body, count, limit=size))


@pytest.mark.usefixtures("at_once")
@EITHER
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (BODY[:-6], "truncated"),
        (BODY[:8], "truncated"),
        (BODY[:7] + b"\xff" + BODY[8:], "not a zstd frame: "),
        (b"plain text", "not a zstd frame$"),
        (zstd.compress(b"x\n"), "without content checksum"),
        (compressed(b""), "last line is not terminated"),
        (compressed(b"a\nb\nc"), "last line is not terminated"),
    ],
    ids=["cut", "cut before its first byte", "flipped", "plain", "no sum", "empty", "open"],
)
def test_an_error_is_raised_where_it_is_encountered(read: Read, body: bytes, message: str) -> None:
    """It is the same error for all lines and for the first, if they get that far."""
    with pytest.raises(ValueError, match=message):
        list(read(body, limit=1000))


@pytest.mark.usefixtures("at_once")
@EITHER
def test_no_more_is_inflated_than_the_limit(read: Read) -> None:
    """It inflates up to the limit, and not one byte more."""
    assert LINES == list(read(BODY, limit=SIZE))
    with pytest.raises(ValueError, match=f"more than {SIZE - 1} bytes"):
        list(read(BODY, limit=SIZE - 1))


def test_the_first_lines_are_read_whatever_follows() -> None:
    """For no lines nothing is read; a limit applies to what is inflated for them."""
    assert [] == list(frame.first_lines(BODY, 0, limit=0))
    assert LINES[:1] == list(frame.first_lines(BODY[:-1], 1, limit=SIZE))
    assert LINES == list(frame.first_lines(BODY + b"x", 3, limit=SIZE))
    with pytest.raises(ValueError, match="1 bytes after the zstd frame"):
        list(frame.each_line(BODY + b"x", limit=SIZE))


@pytest.mark.usefixtures("at_once")
def test_a_frame_has_as_many_lines_as_a_reader_splits_it_into(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit is exact, however the frame is read."""
    monkeypatch.setattr(frame, "MAX_LINES", 3)
    more = frame.pack([*LINES, b""])[0]
    assert LINES == list(frame.each_line(BODY, limit=100)) == frame.unpack(BODY, limit=100)
    for read in (frame.unpack, frame.each_line, frame.unpack_table):
        with pytest.raises(ValueError, match="4 lines, more than 3"):
            list(read(more, limit=100))


def test_a_table_is_inflated_up_to_its_limit() -> None:
    """It is refused like a frame: damaged, of another form, or truncated within a line."""
    body, table = frame.pack(LINES, table=2)
    size = sum(len(line) + 1 for line in LINES[:2])
    assert LINES[:2] == frame.unpack_table(body[:table], limit=size)
    for head, limit, message in (
        (body[:table], size - 1, f"table inflates to more than {size - 1} bytes"),
        (body[:7] + b"\xff" + body[8:table], size, "not a zstd frame: "),
        (b"\0" + body[1:table], size, "not a zstd frame$"),
        (compressed(b"x"), size, "last line is not terminated"),
    ):
        with pytest.raises(ValueError, match=message):
            frame.unpack_table(head, limit=limit)


def test_frame_parameters_are_those_documented() -> None:
    """Level and window are those of docs/decisions/0061; without a table no block is flushed."""
    assert frame.CODEC.endswith("/level=6/window=23")
    assert (BODY, 0) == frame.pack(LINES) == frame.pack(LINES, table=0)
    assert frame.unpack(BODY, limit=SIZE) == LINES


@pytest.mark.parametrize(("window", "is_taken"), [(23, True), (24, False)])
def test_the_window_is_what_every_decoder_supports(window: int, is_taken: bool) -> None:
    """It is 8 MiB for a longer frame; a wider window is refused before reading."""
    content = os.urandom(1 << 10) * (20 << 10) + b"\n"
    body = compressed(content, window_log=window, enable_long_distance_matching=1)
    readers: list[Callable[[], object]] = [
        lambda: frame.unpack(body, limit=len(content)),
        lambda: frame.check_form(body, table=len(body) - 4),
    ]
    for read in readers:
        if is_taken:
            read()
        else:
            with pytest.raises(ValueError, match="window over 8 MiB"):
                read()


RAW, RUN, PACKED, RESERVED = range(4)


def block(kind: int, size: int, *, last: bool = False) -> bytes:
    """A block of RFC 8878 section 3.1.1.2; a run takes one byte whatever its size."""
    header = int(last) | kind << 1 | size << 3
    return header.to_bytes(3, "little") + b"x" * (1 if kind == RUN else size)


def frame_of(*blocks: bytes, descriptor: int = 0x24, after: bytes = b"\x05", end: int = 4) -> bytes:
    """Return a frame made by hand: header, blocks, and some bytes of checksum."""
    return b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + after + b"".join(blocks) + b"c" * end


ENDS = block(RAW, 5, last=True)


@pytest.mark.parametrize(
    ("body", "table", "message"),
    [
        (frame_of(ENDS), 6, None),
        (frame_of(ENDS), 14, None),
        (frame_of(ENDS), 13, "no block of the zstd frame ends at byte 13"),
        (frame_of(block(RAW, 2), ENDS), 11, None),
        (frame_of(block(RUN, 900), ENDS), 10, None),
        (frame_of(block(PACKED, 40), ENDS), 49, None),
        (frame_of(block(PACKED, 40), ENDS), 10, "no block of the zstd frame ends at byte 10"),
        (frame_of(block(RAW, 300), block(RUN, 7, last=True)), 309, None),
        (frame_of(block(RESERVED, 1), ENDS), 6, "no zstd block at byte 6"),
        (frame_of(block(RAW, 0)), 6, "no zstd block at byte 9|truncated"),
        (frame_of(block(RAW, 1), end=0), 6, "no zstd block at byte 10"),
        (frame_of(block(RAW, 0), end=2), 6, "no zstd block at byte 9"),
        (frame_of(block(RAW, 0), b"\x01\0\0", end=0), 6, "truncated"),
        (frame_of(block(RAW, 0), b"\x01\0\0"), 9, None),
        (frame_of(ENDS, end=3), 14, "truncated"),
        (frame_of(ENDS, end=5), 14, "1 bytes after the zstd frame"),
        (frame_of(ENDS, descriptor=0x20), 14, "without content checksum"),
        (frame_of(ENDS, descriptor=0x04), 14, "without content size"),
        (frame_of(ENDS, descriptor=0x21), 14, "without content checksum"),
        (frame_of(ENDS, descriptor=0x05), 14, "without content size"),
        (frame_of(ENDS, descriptor=0x25), 14, "with a dictionary"),
        (frame_of(ENDS, descriptor=0x26), 14, "with a dictionary"),
        (frame_of(ENDS, descriptor=0x64, after=b"\x05\0"), 15, None),
        (frame_of(ENDS, descriptor=0xA4, after=b"\x05\0\0\0"), 17, None),
        (frame_of(ENDS, descriptor=0xE4, after=b"\x05" + b"\0" * 7), 21, None),
        (frame_of(ENDS, descriptor=0x44, after=b"\x68\x05\0"), 16, None),
        (frame_of(ENDS, descriptor=0x44, after=b"\x6f\x05\0"), 16, None),
        (frame_of(ENDS, descriptor=0x44, after=b"\x70\x05\0"), 16, "window over 8 MiB"),
        (frame_of(ENDS, descriptor=0x64, after=b"\x70\x05"), 15, None),
        (frame_of(ENDS)[:5], 5, "not a zstd frame"),
        (frame_of(ENDS)[:6], 6, "no zstd block at byte 6"),
        (b"\x28\xb5\x2f\xfc" + frame_of(ENDS)[4:], 14, "not a zstd frame"),
    ],
)
def test_the_form_is_checked_without_inflating(
    body: bytes, table: int, message: str | None
) -> None:
    """Header, blocks, checksum and end, byte for byte (RFC 8878 section 3.1.1)."""
    if message is None:
        frame.check_form(body, table=table)
        return
    with pytest.raises(ValueError, match=message):
        frame.check_form(body, table=table)


def test_a_piece_of_several_lines_begins_only_its_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "_INFLATED_AT_ONCE", 5)
    lines = [b"a", b"b", b"c", b"d", b"e"]
    assert lines == list(frame.first_lines(frame.pack(lines)[0], len(lines), limit=10))


def test_a_long_line_costs_as_much_as_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes inflate to one line of millions, which came in thousands of pieces."""
    monkeypatch.setattr(frame, "_INFLATED_AT_ONCE", 4096)
    body, _ = frame.pack([b"table", b"a" * (8 << 20)])

    def seconds(read: Read, *count: int) -> float:
        began = time.process_time()
        assert 2 == sum(1 for _ in read(body, *count, limit=32 << 20))
        return time.process_time() - began

    assert seconds(frame.first_lines, 2) < 20 * seconds(frame.each_line) + 0.2
