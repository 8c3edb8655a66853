"""V5: records with the same native id in several units: overlapping trails, sinks, replays.

The same bytes again are a duplicate, which is counted separately. Different bytes under the same id
(CloudTrail's copies for several accounts, a request and its response) are linked, and each is a
record in its own right.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from nhi_evidence.evidence.verify.report import Report
from nhi_evidence.evidence.verify.sorting import Sorter

_BYTES = 16


def entry_of(source: str, account: str, uid: str, raw_sha256: str, unit: str) -> bytes:
    """Return an entry that identifies a record's source, account and native id, bytes and unit.

    Called where the record is checked, so that the work is spread over the worker processes.
    """
    name = "\0".join((source, account, uid)).encode(errors="surrogatepass")
    identity = blake2b(name, digest_size=_BYTES).digest()
    return identity + bytes.fromhex(raw_sha256)[:_BYTES] + bytes.fromhex(unit)


class Natives:
    """The native ids of the records that were checked, in a sorter."""

    def __init__(self, sorter: Sorter) -> None:
        """Collect entries in `sorter`."""
        self._sorter = sorter

    def add(self, entries: Iterable[bytes]) -> None:
        """Add records, each by its `entry_of`."""
        for entry in entries:
            # The whole entry is the key, so equal entries are adjacent and need not be remembered.
            self._sorter.add(entry, b"")

    def weigh(self, report: Report) -> None:
        """Add the numbers of duplicate and linked records to a report.

        Under one id, the same bytes count once for each unit they are in.
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
"""What the nth distinct content of an id adds: the first is alone, the second links both."""
