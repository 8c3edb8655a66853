"""The zstd frame: strict on the way in, or appended bytes would pass unseen."""

from __future__ import annotations

import pytest

from nhi_evidence.evidence import frame

LINES = [b'{"k":"hdr"}', b"", b'{"i":0}']


def test_round_trip() -> None:
    """Lines come back as they went in, empty ones too."""
    assert frame.unpack(frame.pack(LINES), limit=1000) == LINES


def test_content_size_and_checksum_are_declared() -> None:
    """RFC 8878 section 3.1.1.1: the frame header says the size and that a checksum follows."""
    descriptor = frame.pack(LINES)[4]
    assert descriptor & 0b0000_0100, "content checksum flag"
    assert descriptor & 0b1110_0000, "content size flag"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda body: body + b"x", "after the zstd frame"),
        (lambda body: body[:-1], "truncated"),
        (lambda body: body[:-5] + bytes([body[-5] ^ 1]) + body[-4:], "not a zstd frame"),
        (lambda _: b"", "truncated"),
        (lambda _: b"plain", "not a zstd frame"),
        (lambda _: frame.pack([b"x" * 2000]), "more than 1000 bytes"),
    ],
    ids=["appended", "cut", "bit flipped", "empty", "plain", "too long"],
)
def test_damage_is_named(damage, message) -> None:  # type: ignore[no-untyped-def]
    """Each kind of damage is refused with what is wrong."""
    with pytest.raises(ValueError, match=message):
        frame.unpack(damage(frame.pack(LINES)), limit=1000)
