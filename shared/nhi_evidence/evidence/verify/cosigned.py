"""V0: the post-quantum cosignature of the head, where the policy asks for it.

The head alone: its tree holds every entry before it, and the first plan of a shard states the end
of the one before, so what is cosigned there covers the log from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import log
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify.chain import Chain
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.report import Policy
from nhi_evidence.ports import EvidenceVersions


def check(store: EvidenceVersions, policy: Policy, chain: Chain) -> Iterator[Finding]:
    """Find whether the newest checkpoint that holds is cosigned by a pinned ML-DSA-44 key.

    A log without any is not asked: that is a finding already.
    """
    if not policy.require_cosignature:
        return
    stored = StoredLog(store, policy.name, policy.keys)
    place = max(chain.checkpoints, default=None)
    if place is None and chain.head is not None:
        place = (chain.head.shard, chain.head.epoch)
    if place is None:
        return
    try:
        signed = stored.signed(*place)
    except LogError:
        return  # found by the walk
    if signed is not None and not signed.is_cosigned:
        yield Finding(code="cosignature_missing", key=log.checkpoint_key(*place))
