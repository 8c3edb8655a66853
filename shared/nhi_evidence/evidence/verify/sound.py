"""Opening a sealed object for a reader of records: only one whose claims `verify` would weigh.

A writer decides what is in an object, and may break every rule of the format. What `verify` gives
no weight to because of that must not count in a timeline, a proof or a statement either.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from nhi_evidence.evidence import frame, keys
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.objects import MAX_LINES_BYTES, Table
from nhi_evidence.evidence.verify.objects import read_content

NAMES = ("root", "table", "units", "records", "kept", "rejected", "mapper")
"""The user metadata that a table is compared with."""


def brief(leaf: ObjectLeaf) -> str:
    """Return what an object is compared with besides its key, in one string.

    Whoever reads a whole log keeps one of these for each object, not its leaf.
    """
    stated = (leaf.md.get(name, "") for name in NAMES)
    return "\n".join((str(leaf.size), leaf.sha256 or "", *stated))


def of_brief(key: str, text: str) -> ObjectLeaf:
    """Return a leaf with what `brief` kept of it."""
    size, digest, *values = text.split("\n")
    # A value with a line break, which no writer's has, would displace the others.
    metadata = dict(zip(NAMES, values, strict=True)) if len(values) == len(NAMES) else {}
    return ObjectLeaf(key, "", 0, int(size), sha256=digest or None, md=metadata)


def opened(leaf: ObjectLeaf, body: bytes | None) -> tuple[Table, Iterator[bytes]]:
    """Return the table of an object, and the lines after it as they are inflated.

    Raises `ValueError`, saying why, if it is gone, or not valid as V2 of `verify` has it; errors
    after the table only once the lines have been read to the end.
    """
    if body is None:
        raise ValueError("it is gone")
    digest = sha256(body).hexdigest()
    if digest != keys.parse_key(leaf.key).body_sha256:
        raise ValueError("body hash does not match its key")
    if leaf.sha256 not in {None, digest} or leaf.size != len(body):
        raise ValueError("not the sealed bytes")
    content = read_content(leaf, body)
    if content.table is None or content.findings:
        first = content.findings[0]
        raise ValueError(first.detail or first.code)
    return content.table, _after(content.table, body)


def _after(table: Table, body: bytes) -> Iterator[bytes]:
    lines = frame.each_line(body, limit=MAX_LINES_BYTES)
    for expected in table.lines:
        if next(lines, None) != expected:
            raise ValueError("the frame's table differs from that of its first block")
    yield from lines
