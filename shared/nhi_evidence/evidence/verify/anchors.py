"""V0, outside the store: what others attest about checkpoints, and the copies they keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nhi_evidence.errors import LogError, StoreUnavailableError
from nhi_evidence.evidence import anchor, checkpoint, log, note
from nhi_evidence.evidence.anchor import Trust
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify.chain import CLOCK_SKEW_MS, Chain, Signed
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.report import Anchor, Policy
from nhi_evidence.ports import EvidenceVersions


class Anchors:
    """Checks every anchor of the checkpoints that a chain has verified."""

    def __init__(self, store: EvidenceVersions, policy: Policy, chain: Chain, *, now: int) -> None:
        """Accept anchors of the names in `policy`; judge ages as of `now`."""
        self._now = now
        self._log = StoredLog(store, policy.name, policy.keys)
        self._policy = policy
        self._chain = chain
        self.findings: list[Finding] = []
        self.held: list[Anchor] = []
        """The newest valid anchor of each name."""
        self.not_checked: list[str] = []
        self._before: dict[str, tuple[Trust | None, str, str, int]] = {}
        """By name, its last anchor of an epoch before the saved state: whom to trust (None for a
        copy), key, shard, epoch."""
        self._at: dict[str, int] = {}
        """By name, the sealer's clock at the newest checkpoint it anchored."""

    def run(self) -> None:
        """Check anchors, then copies, then whether there are enough of both."""
        newest: dict[str, Anchor] = {}
        for attested in (*self._stored(), *self._copied()):
            before = newest.get(attested.name)
            if before is None or (before.shard, before.epoch) < (attested.shard, attested.epoch):
                newest[attested.name] = attested
        for name, candidate in self._before.items():
            carried = self._from_before(*candidate) if name not in newest else None
            if carried is not None:
                newest[name] = carried
        self.held = [newest[name] for name in sorted(newest)]
        self._enough()

    def _stored(self) -> Iterator[Anchor]:
        """Yield the valid anchors stored under the log."""
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
                if signed is not None:
                    yield from self._stamped(trust, key, (shard, _number(epoch)), signed)
                elif self._chain.whole:
                    self._find("anchor_invalid", key, "there is no valid checkpoint for it")
                else:
                    self._before[trust.name] = (trust, key, shard, _number(epoch))
        self.not_checked += [
            f"V0: anchors by {name}, which the policy does not name" for name in sorted(strangers)
        ]

    def _stamped(
        self, trust: Trust, key: str, place: tuple[str, int], signed: Signed
    ) -> Iterator[Anchor]:
        """Yield the anchor if it attests this checkpoint; otherwise add a finding."""
        try:
            seen = anchor.check(trust, self._log.get(key) or b"", signed.stated)
        except anchor.AnchorError as error:
            self._find("anchor_invalid", key, str(error))
            return
        if seen < signed.at - CLOCK_SKEW_MS:
            self._find("clock_skew", key, f"{trust.name} {seen}, sealer {signed.at}")
        yield self._anchor(trust.name, place, seen, signed)

    def _anchor(self, name: str, place: tuple[str, int], seen: int, signed: Signed) -> Anchor:
        self._at[name] = max(signed.at, self._at.get(name, signed.at))
        return Anchor(name, *place, seen)

    def _from_before(self, trust: Trust | None, key: str, shard: str, epoch: int) -> Anchor | None:
        """Return a name's anchor of an epoch before the saved state, if the log extends it."""
        try:
            stated = self._log.checkpoint(shard, epoch)
        except LogError:
            return None
        signed = stated and self._chain.earlier_checkpoint(shard, epoch, stated)
        if not signed:
            return None
        if trust is None:
            return self._anchor(key, (shard, epoch), signed.at, signed)
        return next(self._stamped(trust, key, (shard, epoch), signed), None)

    def _copied(self) -> Iterator[Anchor]:
        """Yield an anchor for each checkpoint copied elsewhere that equals the log's."""
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
                self._find("rolled_back", key, f"{name} has a checkpoint beyond the log's last")
            elif signed is None and not self._chain.whole:
                if self._log_says(place) == stated:
                    self._before[name] = (None, name, *place)
                else:
                    self._find("copy_differs", key, f"{name} size {stated.size}")
            elif signed is None or signed.stated != stated:
                self._find("copy_differs", key, f"{name} size {stated.size} {stated.root.hex()}")
            else:
                yield self._anchor(name, place, signed.at, signed)

    def _log_says(self, place: tuple[str, int]) -> checkpoint.Checkpoint | None:
        try:
            return self._log.checkpoint(*place)
        except LogError:
            return None

    def _enough(self) -> None:
        """Check that as many names as the policy requires anchored the log recently enough."""
        signed = sorted(self._chain.checkpoints.items())
        if not signed or not self._policy.anchors_required:
            return
        place, _ = signed[-1]
        due = self._now - self._policy.anchor_age_ms
        if self._chain.began_at is not None and self._chain.began_at > due:
            return  # the log is too young for an anchor to be due
        recent = [each.name for each in self.held if self._at[each.name] >= due]
        if len(recent) < self._policy.anchors_required:
            self._find(
                "anchor_missing",
                log.checkpoint_key(*place),
                f"{len(recent)} of {self._policy.anchors_required} names: {', '.join(recent)}",
            )

    def _find(self, code: str, key: str, detail: str) -> None:
        self.findings.append(Finding(code=code, key=key, detail=detail[:500]))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _is_checkpoint(key: str) -> bool:
    segments = key.removeprefix(log.PREFIX).split("/")
    return len(segments) == len(("shard", "kind", "epoch")) and segments[1] == "checkpoint"
