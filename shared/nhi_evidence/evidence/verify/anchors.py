"""V0, outside: what others said of the checkpoints, and the copies they keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.evidence import anchor, checkpoint, log, note
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify.chain import CLOCK_SKEW_MS, Chain, Signed
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.report import Anchor, Policy
from nhi_evidence.ports import EvidenceVersions


class Anchors:
    """Checks every anchor of the checkpoints a chain has verified."""

    def __init__(self, store: EvidenceVersions, policy: Policy, chain: Chain, *, now: int) -> None:
        """Believe whom `policy` names; judge their age as of `now`."""
        self._now = now
        self._log = StoredLog(store, policy.name, policy.keys)
        self._policy = policy
        self._chain = chain
        self.findings: list[Finding] = []
        self.held: list[Anchor] = []
        """What holds: one per name, the newest."""
        self.not_checked: list[str] = []

    def run(self) -> None:
        """Check anchors, then copies, then whether there are enough of both."""
        newest: dict[str, Anchor] = {}
        for attested in (*self._stored(), *self._copied()):
            before = newest.get(attested.name)
            if before is None or (before.shard, before.epoch) < (attested.shard, attested.epoch):
                newest[attested.name] = attested
        self.held = [newest[name] for name in sorted(newest)]
        self._enough()

    def _stored(self) -> Iterator[Anchor]:
        """Yield the anchors that hold of those under the log."""
        trusted = {anchor.file_name(one.name, one.form): one for one in self._policy.trusts}
        strangers: set[str] = set()
        for shard in self._log.shards():
            for key in self._log.keys(f"{log.PREFIX}{shard}/anchor/"):
                epoch, _, file = key.removeprefix(f"{log.PREFIX}{shard}/anchor/").partition("/")
                trust = trusted.get(file)
                if trust is None:
                    strangers.add(file)
                    continue
                signed = self._chain.checkpoints.get((shard, _number(epoch)))
                if signed is None:
                    if self._chain.whole:
                        self._find("anchor_invalid", key, "of no checkpoint that holds")
                    continue
                try:
                    seen = anchor.check(trust, self._log.get(key) or b"", signed.stated)
                except anchor.AnchorError as error:
                    self._find("anchor_invalid", key, str(error))
                    continue
                if seen < signed.at - CLOCK_SKEW_MS:
                    self._find("clock_skew", key, f"{trust.name} {seen}, sealer {signed.at}")
                yield Anchor(trust.name, shard, _number(epoch), seen)
        self.not_checked += [
            f"V0: anchors by {name}, whom the policy does not name" for name in sorted(strangers)
        ]

    def _copied(self) -> Iterator[Anchor]:
        """Yield the copies elsewhere that hold."""
        for name, copy in self._policy.copies:
            try:
                kept = {key: copy.get(key) for key in copy.keys(log.PREFIX) if _is_checkpoint(key)}
            except StoreUnavailableError as error:
                self.not_checked.append(f"V0: the copies in {name}: {error}")
                continue
            yield from self._compared(name, kept)

    def _compared(self, name: str, kept: Mapping[str, bytes]) -> Iterator[Anchor]:
        head = self._chain.signed_head
        last = (head.shard, head.epoch) if head is not None else ("", 0)
        for key, body in kept.items():
            shard, _, number = key.removeprefix(log.PREFIX).split("/")
            place = (shard, _number(number))
            try:
                stated = checkpoint.read(body, self._policy.keys, f"{self._policy.name}/{shard}")
            except note.NoteError as error:
                self._find("anchor_invalid", key, f"{name}: {error}")
                continue
            signed = self._chain.checkpoints.get(place)
            if place > last:
                self._find("rolled_back", key, f"{name} holds a checkpoint past the log's last")
            elif signed is None and not self._chain.whole:
                continue  # of an epoch verified before
            elif signed is None or signed.stated != stated:
                self._find("copy_differs", key, f"{name} size {stated.size} {stated.root.hex()}")
            else:
                yield Anchor(name, *place, signed.at)

    def _enough(self) -> None:
        """Find whether as many names as the policy asks spoke of the log recently enough."""
        signed = sorted(self._chain.checkpoints.items())
        if not signed or not self._policy.anchors_required:
            return
        (_, first), (place, _) = signed[0], signed[-1]
        due = self._now - self._policy.anchor_age_ms
        if first.at > due:
            return  # nothing that was walked is old enough to ask for an anchor
        recent = [one.name for one in self.held if self._at(one) >= due]
        if len(recent) < self._policy.anchors_required:
            self._find(
                "anchor_missing",
                log.checkpoint_key(*place),
                f"{len(recent)} of {self._policy.anchors_required} names: {', '.join(recent)}",
            )

    def _at(self, attested: Anchor) -> int:
        signed: Signed = self._chain.checkpoints[attested.shard, attested.epoch]
        return signed.at

    def _find(self, code: str, key: str, detail: str) -> None:
        self.findings.append(Finding(code=code, key=key, detail=detail[:500]))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _is_checkpoint(key: str) -> bool:
    segments = key.removeprefix(log.PREFIX).split("/")
    return len(segments) == len(("shard", "kind", "epoch")) and segments[1] == "checkpoint"
