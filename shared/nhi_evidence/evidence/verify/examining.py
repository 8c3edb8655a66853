"""V2 and V3 of one object alone: a function of its leaf and its bytes, wherever it is called.

Nothing here knows of another object, of the store or of the report, so that objects can be looked
into side by side; what they come to is weighed in the order of the log.
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
    """What one object came to."""

    findings: list[Finding]
    content: objects.Content | None = None
    """None of bytes that are not the sealed ones, of a later version of a key, and of what is no
    evidence object."""
    checked: contents.Checked | None = None
    """What is within it, where that was looked at."""
    is_foreign: bool = False
    """Whether the release that made it is not there to map its records again."""


Examiner = Callable[[ObjectLeaf, bytes], Callable[[], Examined]]
"""Begins to look into an object, and returns what waits for the end of it."""


def examine(
    entry: ObjectLeaf, body: bytes, *, deep: bool, reproduce: Reproducer | None
) -> Examined:
    """Look into one object: its bytes and table; with `deep`, every line of it."""
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
