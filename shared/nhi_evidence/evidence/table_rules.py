"""V2's rules of a table: its form, its sealed root, and that it matches key and metadata.

Whoever reads an evidence object applies them, so that what `verify` gives no weight to is not taken
for evidence anywhere else. A writer decides what is in an object, and may break every rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

import msgspec

from nhi_evidence.evidence import arithmetic, frame, keys
from nhi_evidence.evidence.lines import SCOPES
from nhi_evidence.evidence.objects import MAX_LINES_BYTES, Table, metadata, read_table

MAX_TABLE_BYTES = MAX_LINES_BYTES
"""Maximum inflated size of a table."""

_NUMBER = re.compile(r"[1-9][0-9]{0,10}", re.ASCII)


class TableError(ValueError):
    """An object has no table in the right form; the code is that of a finding."""

    def __init__(self, code: str, text: str) -> None:
        """Take the finding's code and its detail."""
        super().__init__(text)
        self.code = code


class Problem(msgspec.Struct, frozen=True):
    """Something wrong with a table: code and detail of a finding."""

    code: str
    detail: str
    unit: str | None = None


def stated_bytes(metadata: Mapping[str, str]) -> int:
    """Return how many leading bytes hold the table, as the metadata states; 0 if it does not."""
    match = _NUMBER.fullmatch(metadata.get("table", ""))
    return int(match[0]) if match is not None else 0


def read(metadata: Mapping[str, str], body: bytes) -> Table:
    """Return the table of a stored object. Raises `TableError`."""
    length = stated_bytes(metadata)
    try:
        if not 0 < length <= len(body):
            text = metadata.get("table", "")
            raise ValueError(f"metadata states a table of {text[:20]!r} bytes")
        frame.check_form(body, table=length)
    except ValueError as error:
        raise TableError("frame_invalid", str(error)) from error
    try:
        block = frame.unpack_table(body[:length], limit=MAX_TABLE_BYTES)
        table = read_table(block)
    except ValueError as error:
        raise TableError("table_invalid", str(error)) from error
    if len(block) != len(table.lines):
        raise TableError("table_invalid", "extra lines in the table's block")
    return table


def problems(key: str, stated: Mapping[str, str], table: Table) -> Iterator[Problem]:
    """Yield what is wrong with a table under a key, with the user metadata `stated`."""
    root = table.root
    if root != stated.get("root"):
        yield Problem("table_root", f"root {root}")
    parsed = keys.parse_key(key)
    if (table.header.source, table.header.hour) != (parsed.source, parsed.hour):
        inside = f"{table.header.source} {table.header.hour}"
        yield Problem("table_mismatch", f"{inside!r} inside, unlike the key")
    expected = metadata(table.header, table.units, root="", table_bytes=0)
    for name in ("units", "records", "kept", "rejected", "mapper"):
        if expected[name] != stated.get(name):
            detail = f"{name}: {expected[name]!r} inside, {stated.get(name)!r} sealed"
            yield Problem("table_mismatch", detail)
    yield from _settings(table)
    yield from _order(table)
    for unit, what in arithmetic.problems(table.units):
        yield Problem("arithmetic", what, unit.unit)


def _settings(table: Table) -> Iterator[Problem]:
    """Check that the stated settings exist, and that no unit contradicts them.

    A release that refuses a setting cannot map the records again, and would not notice a false one.
    """
    settings = table.header.settings
    if settings.scope not in SCOPES:
        yield Problem("table_invalid", f"scope {settings.scope[:40]!r}")
    if settings.keep_out_of_scope_raw:
        for unit in table.units:
            if unit.rebuild == "no" and unit.kind == "records":
                detail = "its bytes are said to be missing, though every raw text is kept"
                yield Problem("arithmetic", detail, unit.unit)


def _order(table: Table) -> Iterator[Problem]:
    """Check that units are ordered by name and part, without duplicates."""
    names = [(unit.unit, unit.part) for unit in table.units]
    for (before, _), (after, part) in pairwise(names):
        if (before, _) >= (after, part):
            yield Problem("table_invalid", "units out of order or duplicated", after)
            return
