"""The one zstd frame around a body: level 1, content checksum, content size declared.

Level 1 is as small as level 3 on audit records and faster (docs/decisions/0004).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CODEC = f"zstd/{'.'.join(map(str, zstd.zstd_version_info))}/level=1"
"""Part of the mapper digest: another codec version may give other bytes for the same lines."""

_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 1,
    zstd.CompressionParameter.checksum_flag: 1,
}


_LINES_AT_ONCE = 256
"""Lines joined per call: fewer calls, without holding the whole body twice."""


def pack(lines: Sequence[bytes]) -> bytes:
    """Newline-terminate and compress lines into one frame."""
    compressor = zstd.ZstdCompressor(options=_OPTIONS)
    compressor.set_pledged_input_size(sum(map(len, lines)) + len(lines))
    chunks = [
        compressor.compress(b"\n".join((*lines[start : start + _LINES_AT_ONCE], b"")))
        for start in range(0, len(lines), _LINES_AT_ONCE)
    ]
    chunks.append(compressor.flush())
    return b"".join(chunks)


def unpack(body: bytes, *, limit: int) -> list[bytes]:
    """Inflate one frame into its lines.

    Raises `ValueError` when the frame is damaged or longer than `limit` bytes, when anything
    follows it, or when the last line is not terminated.
    """
    inflater = zstd.ZstdDecompressor()
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
    if not data.endswith(b"\n"):
        raise ValueError("last line is not terminated")
    return data[:-1].split(b"\n")
