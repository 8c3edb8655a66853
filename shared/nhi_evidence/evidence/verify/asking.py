"""Reading again from the store what a report only states: the hashes of a run, its head."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import frame, log
from nhi_evidence.evidence.objects import read_table
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import objects
from nhi_evidence.evidence.verify.report import Policy, Report, Run
from nhi_evidence.ports import EvidenceVersions

KEPT_BYTES = 64 << 20
"""Bytes of hashes that are kept of the tables read last."""


class RunHashes:
    """The hashes of runs, read again; a table is kept, as its runs are asked for one by one."""

    def __init__(self, store: EvidenceVersions, most: int = KEPT_BYTES) -> None:
        """Read from `store`; keep at most `most` bytes, or one table."""
        self._store = store
        self._most = most
        self._kept: OrderedDict[tuple[str, str], dict[str, bytes]] = OrderedDict()
        """By key and version id, the hashes of each unit of the object, joined."""
        self._bytes = 0

    def of(self, run: Run) -> Sequence[str]:
        """Return the hash of each message of a run; empty if it cannot be read."""
        place = (run.key, run.version)
        if place not in self._kept:
            self._kept[place] = self._read(run)
            self._bytes += sum(map(len, self._kept[place].values()))
            while self._bytes > self._most and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= sum(map(len, dropped.values()))
        self._kept.move_to_end(place)
        joined = self._kept[place].get(run.unit, b"").hex()
        return [joined[at : at + _HASH_DIGITS] for at in range(0, len(joined), _HASH_DIGITS)]

    def _read(self, run: Run) -> dict[str, bytes]:
        (body,) = self._store.bodies([(run.key, run.version)])
        try:
            table = read_table(frame.unpack(body or b"", limit=objects.MAX_TABLE_BYTES))
            stated = {unit.unit: unit.messages for unit in table.units if unit.messages is not None}
            return {unit: bytes.fromhex("".join(each.h)) for unit, each in stated.items()}
        except ValueError:
            return {}


_HASH_DIGITS = 64


def signs(store: EvidenceVersions, policy: Policy, report: Report) -> bool:
    """Whether the store has the head that a report states, signed by a key of the policy."""
    shard, _, epoch = (report.head or "").removeprefix(log.PREFIX).partition("/checkpoint/")
    if not log.is_key(report.head or "") or not epoch:
        return report.root is None
    try:
        signed = StoredLog(store, policy.name, policy.keys).checkpoint(shard, int(epoch))
    except LogError:
        return False
    stated = (report.size, report.root)
    return signed is not None and (signed.size, signed.root.hex()) == stated
