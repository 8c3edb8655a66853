"""Bounded gzip decompression (RFC 1952), strict about what follows the last member."""

from __future__ import annotations

from hashlib import sha256

from isal import igzip_lib, isal_zlib

from nhi_evidence.event import Limits, Undecodable

GZIP_MAGIC = b"\x1f\x8b"
_GZIP_CONTAINER = 31
_PIECE_BYTES = 1 << 20


def inflated(body: bytes, limits: Limits) -> bytes | Undecodable:
    """Return the content of a delivered file: decompressed if it is gzip, else the file itself."""
    if body.startswith(GZIP_MAGIC):
        return inflate(body, limits)
    if len(body) > limits.inflated_bytes:
        return Undecodable("inflation_limit", f"holds more than {limits.inflated_bytes} bytes")
    return body


def inflate(body: bytes, limits: Limits) -> bytes | Undecodable:
    """Return the content of a gzip file of one or more members.

    Bytes after the last member are never ignored: content could hide there from whoever checks
    the decompressed bytes.
    """
    content: list[bytes] = []
    room = limits.inflated_bytes
    rest = body
    while rest:
        if not rest.startswith(GZIP_MAGIC):
            return Undecodable("trailing_bytes", f"{len(rest)} bytes after the gzip member")
        member = isal_zlib.decompressobj(wbits=_GZIP_CONTAINER)
        try:
            data = member.decompress(rest, room + 1)
        except igzip_lib.IsalError as error:  # type: ignore[misc] # its stub types the class as a value
            return Undecodable("damaged_gzip", str(error))
        if len(data) > room:
            return Undecodable(
                "inflation_limit", f"inflates to more than {limits.inflated_bytes} bytes"
            )
        if not member.eof:
            return Undecodable("truncated_gzip", "the gzip member ends before its trailer")
        room -= len(data)
        content.append(data)
        rest = member.unused_data
    return content[0] if len(content) == 1 else b"".join(content)


def inflated_sha256(body: bytes, limits: Limits) -> str | None:
    """Return the hash, hex, of what `inflated` returns, without keeping it; None if undecodable."""
    if not body.startswith(GZIP_MAGIC):
        return sha256(body).hexdigest() if len(body) <= limits.inflated_bytes else None
    digest, room, rest = sha256(), limits.inflated_bytes, body
    while rest:
        if not rest.startswith(GZIP_MAGIC):
            return None
        member = isal_zlib.decompressobj(wbits=_GZIP_CONTAINER)
        while not member.eof:
            try:
                piece = member.decompress(rest, _PIECE_BYTES)
            except igzip_lib.IsalError:  # type: ignore[misc] # its stub types the class as a value
                return None
            room -= len(piece)
            if room < 0 or not (piece or member.eof):
                return None
            digest.update(piece)
            rest = member.unconsumed_tail
        rest = member.unused_data
    return digest.hexdigest()
