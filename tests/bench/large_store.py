"""A sealed store of any size that holds nothing: every object is made when it is asked for.

For what a verification costs at two million versions: how often it lists, how often it reads the
log, how much memory it takes. The log is really sealed, by plans, tiles and signed checkpoints.

    python -m tests.bench.large_store --versions 2000000
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from nhi_evidence.adapters.store.spilling import Sorters
from nhi_evidence.event import Limits
from nhi_evidence.evidence import keys, leaf, lines, log, note
from nhi_evidence.evidence.lines import MapperIdentity, Settings
from nhi_evidence.evidence.objects import EvidenceObject, Packer
from nhi_evidence.evidence.unit import PartPosition, UnitIdentity, unit_part
from nhi_evidence.evidence.verify import Options, Part, Policy, Report, Verifier, join
from nhi_evidence.stored import Description, Version
from tests.memory_store import DAY_MS
from tests.signing import LocalSigner

NAME = "example.org/large"
START = 1_768_000_000_000
HOUR_MS = 3_600_000
AN_HOUR = 500
"""Objects of one hour."""

PACKER = Packer(
    source="aws_cloudtrail",
    mapper=MapperIdentity("0.1.0", "ab" * 32),
    settings=Settings(scope="nhi", keep_out_of_scope_raw=True, limits=Limits()),
)


def small_object(number: int) -> EvidenceObject:
    """Object `number`: one companion unit."""
    hour = keys.hour_of(START + number // AN_HOUR * HOUR_MS)
    unit = f"trail/{number}@v1!h={hour}"
    text = b"%d" % number
    digest = sha256(text).hexdigest()
    identity = UnitIdentity(
        unit=unit, hour=hour, kind="companion", src_sha256=digest, raw_sha256=digest,
        raw_size=len(text),
    )  # fmt: skip
    line = lines.companion_line(lines.unit_id(unit), text)
    part = unit_part(identity, PartPosition.only(len(text)), [line], rebuild="exact")
    (packed,) = PACKER.pack([part])
    return packed


class LargeStore:
    """An `EvidenceVersions`; counts what is asked of it."""

    complete = True

    def __init__(self, versions: int) -> None:
        """Seal so many objects, without keeping them."""
        self.listings: Counter[str] = Counter()
        self.reads: Counter[str] = Counter()
        self._log: dict[str, bytes] = {log.GENESIS: b"2026"}
        self._hours: list[list[tuple[str, int]]] = []
        self.signer = LocalSigner("large")
        self.key = note.from_spki(NAME, self.signer.public_key())
        self.now = START + (versions // AN_HOUR + 1) * HOUR_MS
        position = log.Position(shard="2026", origin=f"{NAME}/2026")
        for first in range(0, versions, log.MAX_LEAVES):
            numbers = range(first, min(first + log.MAX_LEAVES, versions))
            entries = [leaf.encode(self._epoch(position)), *map(self._sealed, numbers)]
            position = self._commit(position, log.write_plan(entries))
        for hour in self._hours:
            hour.sort()

    def _epoch(self, before: log.Position) -> leaf.EpochLeaf:
        return log.epoch_leaf(before, at=self.now, swept={}, config={})

    def _sealed(self, number: int) -> bytes:
        packed = small_object(number)
        if number % AN_HOUR == 0:
            self._hours.append([])
        self._hours[-1].append((packed.key.rpartition("/")[2], number))
        return leaf.encode(
            leaf.ObjectLeaf(
                key=packed.key,
                vid=f"v{number}",
                at=self.now,
                size=len(packed.body),
                sha256=packed.sha256.hex(),
                until=self.now + DAY_MS,
                md=packed.metadata,
            )
        )

    def _commit(self, before: log.Position, body: bytes) -> log.Position:
        step = log.advance(before, body)
        if step.void is not None:
            raise AssertionError(step.void)
        after = step.after
        self._log[log.plan_key(after.shard, after.epoch)] = body
        for path, data in step.objects.items():
            self._log[log.tile_key(after.shard, path)] = data
        text = after.checkpoint.text
        signed = note.write(text, [(self.key.named(after.origin), self.signer.sign(text.encode()))])
        self._log[log.checkpoint_key(after.shard, after.epoch)] = signed
        return after

    def versions(self, prefix: str) -> Iterator[Version]:
        """See `EvidenceVersions.versions`."""
        self.listings[prefix] += 1
        for number, hour in enumerate(self._hours):
            folder = f"ev/v1/aws_cloudtrail/h={keys.hour_of(START + number * HOUR_MS)}/"
            if folder.startswith(prefix) or prefix.startswith(folder):
                for name, index in hour:
                    yield Version(folder + name, f"v{index}", self.now, 1)
        for key in sorted(self._log):
            if key.startswith(prefix):
                yield Version(key, "v", self.now, len(self._log[key]))

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.bodies`."""
        for key, version in versions:
            if key in self._log:
                self.reads[key] += 1
                yield self._log[key]
            else:
                yield small_object(int(version[1:])).body

    def keys(self, prefix: str) -> Iterator[str]:
        """See `EvidenceReader.keys`."""
        for version in self.versions(prefix):
            yield version.key

    def get(self, key: str) -> bytes:
        """See `EvidenceReader.get`."""
        self.reads[key] += 1
        return self._log[key]

    def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.beginnings`."""
        for key, version, size in versions:
            (body,) = self.bodies([(key, version)])
            yield body and body[:size]

    def folders(self, prefix: str) -> Iterator[str]:
        """See `EvidenceVersions.folders`; not asked by a whole verification."""
        raise AssertionError(prefix)

    def describe(self, versions: Iterable[Version]) -> Iterator[Description | None]:
        """See `EvidenceVersions.describe`; not asked by a whole verification."""
        raise AssertionError(versions)

    def configuration(self) -> Mapping[str, str]:
        """See `EvidenceVersions.configuration`."""
        return {}

    def policy(self) -> Policy:
        """What it was sealed to be."""
        return Policy(name=NAME, keys=(self.key,), mappers=("ab" * 32,), retention_ms=DAY_MS)

    def verify(self, part: Part | None = None) -> Report:
        """Verify it, fast, with bounded memory."""
        with Sorters() as sorters:
            return Verifier(
                self, self.policy(), now=self.now, options=Options(part=part), sorter=sorters
            ).run()

    def join(self, parts: int) -> Report:
        """Verify it in parts, and join them."""
        reports = [self.verify(Part(number, parts)) for number in range(1, parts + 1)]
        return join(reports, Verifier(self, self.policy(), now=self.now).hashes_of)


def peak_megabytes() -> float:
    """Largest memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print what verifying stores of some sizes asks, the smallest first: a peak stays a peak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, nargs="+", default=[100_000])
    parser.add_argument("--parts", type=int, default=0)
    options = parser.parse_args()
    for versions in sorted(options.versions):
        sys.stdout.write(measured(versions, options.parts))


def measured(versions: int, parts: int) -> str:
    """Seal and verify a store of so many versions, and in parts; return what that took."""
    began = time.process_time()
    store = LargeStore(versions)
    sealing = time.process_time() - began
    before = peak_megabytes()
    store.listings.clear()
    store.reads.clear()
    began = time.process_time()
    report = store.verify()
    seconds = time.process_time() - began
    again = {key: count for key, count in store.reads.items() if count > 1}
    lines = [
        f"versions        {versions:,}, {len(report.findings)} findings",
        f"counted         {report.units}",
        f"listings        {sum(store.listings.values())} {dict(store.listings)}",
        f"log reads       {sum(store.reads.values())} of {len(store.reads)} keys, again: {again}",
        (
            f"CPU             {sealing / versions * 1e6:.0f} us a version to seal, "
            f"{seconds / versions * 1e6:.0f} to verify, the making of the objects in both"
        ),
        f"peak memory     {peak_megabytes():.0f} MB, {before:.0f} MB of it the store's own",
    ]
    if parts:
        joined = store.join(parts)
        same = (joined.units, joined.records_counted, joined.objects, joined.findings) == (
            report.units, report.records_counted, report.objects, report.findings,
        )  # fmt: skip
        lines.append(f"{parts} parts joined  equal to the whole: {same}")
    return "\n".join(lines) + "\n\n"


if __name__ == "__main__":
    main()
