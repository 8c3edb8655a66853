"""The one zstd frame around a body: table first, content checksum, content size declared.

The encoder closes a block after the table, so the first bytes of an object decode to exactly the
table and can be read by range. The level balances the cost of storage and CPU over the years
(docs/decisions/0061); the window is bounded so that any reader can decode it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 6
WINDOW_LOG = 23
"""8 MiB, the largest window RFC 8878 section 3.1.1.1.2 recommends every decoder to support."""

CODEC = f"zstd/{'.'.join(map(str, zstd.zstd_version_info))}/level={LEVEL}/window={WINDOW_LOG}"
"""Stated in the header: a different codec may give different bytes for the same lines."""

_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: LEVEL,
    zstd.CompressionParameter.checksum_flag: 1,
    zstd.CompressionParameter.window_log: WINDOW_LOG,
}
_READ_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG}

MAX_LINES = 2_000_000
"""Maximum lines a reader splits a frame into: each costs memory, and empty ones compress well."""

_LINES_AT_ONCE = 256
"""Lines joined per call: fewer calls, without keeping the whole body in memory twice."""


def pack(lines: Sequence[bytes], *, table: int = 0) -> tuple[bytes, int]:
    """Newline-terminate and compress lines into one frame.

    Returns the frame, and how many of its leading bytes decode to exactly the first `table` lines.
    """
    compressor = zstd.ZstdCompressor(options=_OPTIONS)
    compressor.set_pledged_input_size(sum(map(len, lines)) + len(lines))
    chunks = [compressor.compress(piece) for piece in _joined(lines[:table])]
    if table:
        chunks.append(compressor.flush(zstd.ZstdCompressor.FLUSH_BLOCK))
    table_bytes = sum(map(len, chunks))
    chunks += [compressor.compress(piece) for piece in _joined(lines[table:])]
    chunks.append(compressor.flush())
    return b"".join(chunks), table_bytes


def _joined(lines: Sequence[bytes]) -> Iterator[bytes]:
    for start in range(0, len(lines), _LINES_AT_ONCE):
        yield b"\n".join((*lines[start : start + _LINES_AT_ONCE], b""))


def unpack(body: bytes, *, limit: int) -> list[bytes]:
    """Inflate one frame into its lines.

    Raises `ValueError` when the frame is damaged, not of the form `pack` gives, or longer
    than `limit` bytes or MAX_LINES lines, when anything follows it, or when the last line is not
    terminated.
    """
    _check_header(body)
    inflater = zstd.ZstdDecompressor(options=_READ_OPTIONS)
    try:
        data = inflater.decompress(body, max_length=limit + 1)
    except zstd.ZstdError as error:
        raise ValueError(f"not a zstd frame: {error}") from error
    if len(data) > limit:
        raise ValueError(f"inflates to more than {limit} bytes")
    if not inflater.eof:
        raise ValueError("zstd frame is truncated")
    if inflater.unused_data:
        raise ValueError(f"{len(inflater.unused_data)} bytes after the zstd frame")
    return _lines(data)


def first_lines(body: bytes, count: int, *, limit: int) -> Iterator[bytes]:
    """Yield the first lines of a frame, inflating no more than they need.

    Raises `ValueError` like `unpack` for the part that is read; the rest is not checked.
    """
    _check_header(body)
    inflater = zstd.ZstdDecompressor(options=_READ_OPTIONS)
    size, unread = 0, body
    begun: list[bytes] = []
    while count > 0:
        try:
            data = inflater.decompress(unread, max_length=_INFLATED_AT_ONCE)
        except zstd.ZstdError as error:
            raise ValueError(f"not a zstd frame: {error}") from error
        unread = b""
        size += len(data)
        if size > limit:
            raise ValueError(f"inflates to more than {limit} bytes")
        first, *after = data.split(b"\n")
        begun.append(first)
        if after:
            # A line longer than a piece is joined once, at its end: a writer decides its length.
            lines = [b"".join(begun), *after[:-1]]
            yield from lines[:count]
            count -= len(lines)
            begun = after[-1:]
        if count > 0 and (inflater.eof or not data):
            raise ValueError("zstd frame is truncated, or its last line is not terminated")


def each_line(body: bytes, *, limit: int) -> Iterator[bytes]:
    """Yield every line of a frame, keeping little more than one line in memory.

    Raises `ValueError` like `unpack`, once it reaches what is wrong.
    """
    _check_header(body)
    inflater = zstd.ZstdDecompressor(options=_READ_OPTIONS)
    size, count, unread = 0, 0, body
    begun: list[bytes] = []
    while not inflater.eof:
        try:
            data = inflater.decompress(unread, max_length=_INFLATED_AT_ONCE)
        except zstd.ZstdError as error:
            raise ValueError(f"not a zstd frame: {error}") from error
        unread = b""
        size += len(data)
        if size > limit:
            raise ValueError(f"inflates to more than {limit} bytes")
        if not data and inflater.needs_input:
            raise ValueError("zstd frame is truncated")
        first, *after = data.split(b"\n")
        begun.append(first)
        if not after:
            continue  # a line longer than this piece: joined once, at its end
        count += len(after)
        if count > MAX_LINES:
            raise ValueError(f"{count} lines, more than {MAX_LINES}")
        yield b"".join(begun)
        yield from after[:-1]
        begun = after[-1:]
    if inflater.unused_data:
        raise ValueError(f"{len(inflater.unused_data)} bytes after the zstd frame")
    if any(begun) or not count:
        raise ValueError("last line is not terminated")


_INFLATED_AT_ONCE = 256 << 10
"""Fits into the CPU cache: takes a third of the time of inflating everything at once."""


def unpack_table(head: bytes, *, limit: int) -> list[bytes]:
    """Inflate the leading bytes of a frame that hold the table into the table's lines.

    Raises `ValueError` like `unpack`.
    """
    _check_header(head)
    inflater = zstd.ZstdDecompressor(options=_READ_OPTIONS)
    try:
        data = inflater.decompress(head, max_length=limit + 1)
    except zstd.ZstdError as error:
        raise ValueError(f"not a zstd frame: {error}") from error
    if len(data) > limit:
        raise ValueError(f"table inflates to more than {limit} bytes")
    return _lines(data)


def check_form(body: bytes, *, table: int) -> None:
    """Check, without inflating, that `body` is one frame and its first `table` bytes whole blocks.

    Raises `ValueError` naming what violates the format (RFC 8878 section 3.1.1).
    """
    position = _check_header(body)
    last = len(body) - _BLOCK_HEADER_BYTES
    at_table, header = False, 0
    while not header & 1:
        if position == table:
            at_table = True
        header = int.from_bytes(body[position : position + _BLOCK_HEADER_BYTES], "little")
        kind = header >> 1 & 3
        if kind == _RESERVED or position > last:
            raise ValueError(f"no zstd block at byte {position}")
        position += _BLOCK_HEADER_BYTES + (1 if kind == _RUN_LENGTH else header >> 3)
    at_table = at_table or position == table
    if position + _CHECKSUM_BYTES > len(body):
        raise ValueError("zstd frame is truncated")
    if position + _CHECKSUM_BYTES < len(body):
        raise ValueError(f"{len(body) - position - _CHECKSUM_BYTES} bytes after the zstd frame")
    if not at_table:
        raise ValueError(f"no block of the zstd frame ends at byte {table}")


def _check_header(body: bytes) -> int:
    """Check what the frame header declares (RFC 8878 section 3.1.1.1): size, checksum, window.

    Returns where the first block begins.
    """
    if len(body) < _HEADER_BYTES or body[:4] != _MAGIC:
        raise ValueError("not a zstd frame")
    descriptor = body[4]
    is_single = bool(descriptor & _SINGLE_SEGMENT)
    if not descriptor & _CHECKSUM:
        raise ValueError("zstd frame without content checksum")
    if not is_single and not descriptor & _SIZE_FLAG:
        raise ValueError("zstd frame without content size")
    if descriptor & _DICTIONARY:
        raise ValueError("zstd frame with a dictionary")
    size_bytes = (1, 2, 4, 8)[descriptor >> 6]
    if not is_single and body[5] >> 3 > WINDOW_LOG - _WINDOW_BASE:
        raise ValueError("zstd frame with a window over 8 MiB")
    return _HEADER_BYTES - is_single + size_bytes


_MAGIC = b"\x28\xb5\x2f\xfd"
_HEADER_BYTES = 6
_CHECKSUM, _SINGLE_SEGMENT, _SIZE_FLAG, _DICTIONARY = 0x04, 0x20, 0xC0, 0x03
_WINDOW_BASE = 10
_BLOCK_HEADER_BYTES, _CHECKSUM_BYTES = 3, 4
_RUN_LENGTH, _RESERVED = 1, 3


def _lines(data: bytes) -> list[bytes]:
    if not data.endswith(b"\n"):
        raise ValueError("last line is not terminated")
    if (count := data.count(b"\n")) > MAX_LINES:
        raise ValueError(f"{count} lines, more than {MAX_LINES}")
    return data[:-1].split(b"\n")
