"""V5: records of one native id in more than one unit: overlapping trails, sinks, replays.

The same bytes again are a duplicate, counted apart; other bytes under the same id are linked
(CloudTrail's copies for several accounts, a request and its response), and both are records.
"""

from __future__ import annotations

from hashlib import blake2b

from nhi_evidence.evidence.verify.report import Report
from nhi_evidence.evidence.verify.sorting import Sorter

_BYTES = 16


class Natives:
    """Ids of the records that were looked at, in a sorter."""

    def __init__(self, sorter: Sorter) -> None:
        """Set them aside in `sorter`."""
        self._sorter = sorter

    def add(self, source: str, account: str, uid: str, raw_sha256: str, unit: str) -> None:
        """Take one record by source, account and native id."""
        name = "\0".join((source, account, uid)).encode(errors="surrogatepass")
        value = bytes.fromhex(raw_sha256)[:_BYTES] + bytes.fromhex(unit)
        self._sorter.add(blake2b(name, digest_size=_BYTES).digest(), value)

    def weigh(self, report: Report) -> None:
        """Count duplicates and links into a report."""
        current, seen = b"", set[bytes]()
        for key, value in self._sorter:
            if key != current:
                self._close(seen, report)
                current, seen = key, set()
            seen.add(value)
        self._close(seen, report)

    @staticmethod
    def _close(seen: set[bytes], report: Report) -> None:
        """Weigh one id: `seen` holds each content with each unit it came in, once."""
        contents = {value[:_BYTES] for value in seen}
        report.duplicate_records += len(seen) - len(contents)
        report.linked_records += len(contents) if len(contents) > 1 else 0
