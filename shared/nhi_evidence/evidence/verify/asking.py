"""Reading again from the store what a report only states: the hashes of a run, its head."""

from __future__ import annotations

from collections.abc import Sequence

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import frame, log
from nhi_evidence.evidence.objects import read_table
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import objects
from nhi_evidence.evidence.verify.report import Policy, Report, Run
from nhi_evidence.ports import EvidenceVersions


def hashes_of(store: EvidenceVersions, run: Run) -> Sequence[str]:
    """Return the hash of each message of a run, read again from its table; empty if unreadable."""
    (body,) = store.bodies([(run.key, run.version)])
    try:
        table = read_table(frame.unpack(body or b"", limit=objects.MAX_TABLE_BYTES))
    except ValueError:
        return ()
    for unit in table.units:
        if unit.unit == run.unit and unit.messages is not None:
            return unit.messages.h
    return ()


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
