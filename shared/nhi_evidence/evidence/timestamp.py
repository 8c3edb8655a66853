"""Reading a time stamp (RFC 3161) as `openssl ts -verify` does.

The certificates of a token are a set, which DER sorts. OpenSSL, and authorities that sign with it,
write them in the given order, the authority's own and its CA's; the parser here insists on DER.
They are not part of what is signed, so a sorted copy of the token is parsed.
https://www.rfc-editor.org/rfc/rfc3161#section-2.4.2, https://www.rfc-editor.org/rfc/rfc5652#section-5.1
"""

from __future__ import annotations

from collections.abc import Iterator

from rfc3161_client import TimeStampResponse, decode_timestamp_response

MAX_BYTES = 1 << 20

_SEQUENCE, _CONTEXT_0, _INTEGER = 0x30, 0xA0, 0x02
_GRANTED, _GRANTED_WITH_MODS = b"\x00", b"\x01"
_MULTIPLE_BYTES = 0x80
_LENGTH_BYTES = 4


def read(data: bytes) -> TimeStampResponse:
    """Read the DER of a TimeStampResp. Raises `ValueError` when it is not one."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"a time stamp of {len(data)} bytes")
    return decode_timestamp_response(as_granted(in_der_order(data)))


def as_granted(data: bytes) -> bytes:
    """Return a response "granted with modifications" as a granted one; others unchanged.

    Both hold a token (RFC 3161 section 2.4.2), and the verifier checks that it covers the requested
    text; the parser here accepts only "granted". The status is not part of what is signed.
    """
    try:
        response = _inside(data, (0, len(data)), 0, _SEQUENCE)
        status = _inside(data, response, 0, _SEQUENCE)
        start, end = _inside(data, status, 0, _INTEGER)
    except ValueError:
        return data
    if data[start:end] != _GRANTED_WITH_MODS:
        return data
    return data[:start] + _GRANTED + data[end:]


def in_der_order(data: bytes) -> bytes:
    """Return a response with the certificates of its token in DER order.

    A response without any, or something else, is returned unchanged.
    """
    try:
        span = _certificates(data)
        if span is None:
            return data
        start, end = span
        certificates = [data[at:past] for _, at, _, past in _elements(data, start, end)]
    except ValueError:
        return data
    return data[:start] + b"".join(sorted(certificates)) + data[end:]


def _certificates(data: bytes) -> tuple[int, int] | None:
    """Return the span of the content of `SignedData.certificates`."""
    response = _inside(data, (0, len(data)), 0, _SEQUENCE)
    token = _inside(data, response, 1, _SEQUENCE)
    content = _inside(data, token, 1, _CONTEXT_0)
    signed_data = _inside(data, content, 0, _SEQUENCE)
    for tag, _, start, end in _elements(data, *signed_data):
        if tag == _CONTEXT_0:
            return start, end
    return None


def _inside(data: bytes, span: tuple[int, int], number: int, tag: int) -> tuple[int, int]:
    """Return the span of an element's content. Raises `ValueError` on a different tag."""
    for position, (own_tag, _, start, end) in enumerate(_elements(data, *span)):
        if position == number and own_tag == tag:
            return start, end
    raise ValueError("not a time stamp")


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield, for each element of a span, its tag, start, content start and end."""
    at = start
    while at < end:
        content = at + 2
        length = int.from_bytes(data[at + 1 : content], "big")
        if length >= _MULTIPLE_BYTES:
            count = length - _MULTIPLE_BYTES
            content += count
            length = int.from_bytes(data[content - count : content], "big")
            if not 0 < count <= _LENGTH_BYTES:
                raise ValueError("not DER")
        if content + length > end:
            raise ValueError("cut short")
        yield data[at], at, content, content + length
        at = content + length
