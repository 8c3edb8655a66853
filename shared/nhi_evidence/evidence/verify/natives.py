"""V5: records of one native id in more than one unit: overlapping trails, sinks, replays.

The same bytes again are a duplicate, counted apart; other bytes under the same id are linked
(CloudTrail's copies for several accounts, a request and its response), and both are records.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from nhi_evidence.evidence.verify.report import Report
from nhi_evidence.evidence.verify.sorting import Sorter

_BYTES = 16


def entry_of(source: str, account: str, uid: str, raw_sha256: str, unit: str) -> bytes:
    """Return what stands for one record: its source, account and native id, its bytes, its unit.

    Where the record is looked into, so that one process alone does not do it for all of them.
    """
    name = "\0".join((source, account, uid)).encode(errors="surrogatepass")
    identity = blake2b(name, digest_size=_BYTES).digest()
    return identity + bytes.fromhex(raw_sha256)[:_BYTES] + bytes.fromhex(unit)


class Natives:
    """Ids of the records that were looked at, in a sorter."""

    def __init__(self, sorter: Sorter) -> None:
        """Set them aside in `sorter`."""
        self._sorter = sorter

    def add(self, entries: Iterable[bytes]) -> None:
        """Take records by their `entry_of`."""
        for entry in entries:
            # All of it is the key, so that equal ones follow each other and none is remembered.
            self._sorter.add(entry, b"")

    def weigh(self, report: Report) -> None:
        """Count duplicates and links into a report.

        Of one id, each content counts once for each unit it came in.
        """
        identity = content = before = b""
        contents = 0
        for key, _ in self._sorter:
            if key == before:
                continue
            before = key
            if key[:_BYTES] != identity:
                identity, content, contents = key[:_BYTES], b"", 0
            if key[_BYTES : 2 * _BYTES] == content:
                report.duplicate_records += 1
                continue
            content = key[_BYTES : 2 * _BYTES]
            contents += 1
            report.linked_records += _LINKED.get(contents, 1)


_LINKED = {1: 0, 2: 2}
"""What the next content of one id adds: the first is alone, the second links both."""
