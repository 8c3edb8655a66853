"""V0: the post-quantum cosignature of the head, if the policy requires one.

Checking the head is enough: its tree contains every earlier entry of the shard, and the first plan
of a shard states where the previous shard ended, so the cosignature covers the log from its start.
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
    """Check that the newest valid checkpoint is cosigned by a pinned ML-DSA-44 key.

    A log without a valid checkpoint yields nothing here: it has a finding already.
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
        return  # the walk has a finding for it
    if signed is not None and not signed.is_cosigned:
        yield Finding(code="cosignature_missing", key=log.checkpoint_key(*place))
