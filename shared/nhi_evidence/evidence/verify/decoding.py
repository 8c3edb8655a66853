"""Decoding a rebuilt delivery again, within the reader's bounds: a writer can state any limits."""

from __future__ import annotations

from nhi_evidence import sources
from nhi_evidence.errors import SettingsError
from nhi_evidence.event import Decoded, Limits, Undecodable
from nhi_evidence.evidence.lines import Header
from nhi_evidence.reading.inflate import inflated

SPLIT_BYTES = 64 << 20
"""A larger delivery is rebuilt and hashed, but not decoded again ..."""

SPLIT_SEPARATORS = 3_000_000
"""... nor is one with more commas and line ends than this: each could separate two records."""


def again(header: Header, data: bytes, *, is_packed: bool) -> Decoded | Undecodable | None:
    """Decode a delivery under the settings its header states; None beyond the bounds.

    `is_packed` means the bytes are as delivered and may need inflating; otherwise they cannot
    decode to more than they are. Also returns None when this release does not know the source.
    """
    stated = header.settings.limits
    most = SPLIT_BYTES if is_packed else len(data)
    limits = Limits(
        inflated_bytes=max(0, min(stated.inflated_bytes, most)),
        record_bytes=max(0, stated.record_bytes),
        mapped_bytes=max(0, stated.mapped_bytes),
    )
    content = inflated(data, limits)
    if isinstance(content, Undecodable):
        is_cut_short = content.reason == "inflation_limit" and limits != stated and is_packed
        return None if is_cut_short else content
    separators = content.count(b",") + content.count(b"\n")
    if len(data) > SPLIT_BYTES or separators > SPLIT_SEPARATORS:
        return None
    try:
        source = sources.load(header.source)
    except SettingsError:
        return None
    return source.decode(data, limits)
