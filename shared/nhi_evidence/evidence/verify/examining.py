"""V2 and V3 for a single object: a pure function of its leaf and its bytes.

Nothing here depends on other objects, the store or the report, so objects can be examined in
parallel; the results are weighed in log order.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from nhi_evidence.evidence import flags
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.verify import contents, objects
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.report import Reproducer


class Examined(msgspec.Struct, frozen=True):
    """The result of examining one object."""

    findings: list[Finding]
    content: objects.Content | None = None
    """None if the bytes are not the sealed ones, for a later version of a key, and for anything
    that is not an evidence object."""
    checked: contents.Checked | None = None
    """Its contents, if they were checked."""
    is_foreign: bool = False
    """Whether its records could not be mapped again because its release is not installed."""


Examiner = Callable[[ObjectLeaf, bytes], Callable[[], Examined]]
"""Starts examining an object, and returns a function that waits for the result."""


def examine(
    entry: ObjectLeaf, body: bytes, *, deep: bool, reproduce: Reproducer | None
) -> Examined:
    """Examine one object: its bytes and its table, and with `deep` every line."""
    findings = list(objects.stored(entry, body))
    is_altered = any(each.code != "no_checksum" for each in findings)
    if is_altered or flags.SHADOW in entry.flags or not entry.key.startswith("ev/"):
        return Examined(findings)
    content = objects.read_content(entry, body)
    findings += content.findings
    findings += objects.bounded(objects.hours(entry, content))
    if content.table is None or not content.counts or not deep:
        return Examined(findings, content)
    again = None if reproduce is None else reproduce(content.table.header)
    checked = contents.check(entry, content.table, body, again)
    return Examined(findings, content, checked, reproduce is not None and again is None)
