"""A sealed store of any size, of which nothing is in memory: objects, listing and log are files.

For what a verification costs at two million versions: how often it lists, how often it reads the
log, how much memory it takes. The log is really sealed, by plans, tiles and signed checkpoints.
Another process verifies, so that its peak is its own.

    python -m tests.bench.large_store --versions 2000000
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path

import msgspec

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

_BODY_BYTES = 1024
"""Room for each object, its size before it, in the file of all of them."""

_DIGEST_BYTES, _NUMBER_BYTES = 32, 4
"""Of a listed object's name and its number, as they lie on disk, hour by hour, in order."""

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

    def __init__(self, folder: Path, versions: int) -> None:
        """Read what was sealed of so many objects in `folder`."""
        self.listings: Counter[str] = Counter()
        self.reads: Counter[str] = Counter()
        self.signer = LocalSigner("large")
        self.key = note.from_spki(NAME, self.signer.public_key())
        self.now = START + (versions // AN_HOUR + 1) * HOUR_MS
        self._count = versions
        self._names = folder / "names"
        self._bodies = folder / "bodies"
        self._folder = folder / "log"
        self._log: list[tuple[str, int]] = []
        """Keys of the log in their order, with their sizes."""
        if self._folder.exists():
            files = ((path.name, path.stat().st_size) for path in self._folder.iterdir())
            self._log = sorted((name.replace("_", "/"), size) for name, size in files)

    def seal(self) -> None:
        """Seal every object, without keeping any."""
        self._folder.mkdir()
        self._write(log.GENESIS, b"2026")
        position = log.Position(shard="2026", origin=f"{NAME}/2026")
        with self._names.open("wb") as names, self._bodies.open("wb") as bodies:
            for first in range(0, self._count, log.MAX_LEAVES):
                numbers = range(first, min(first + log.MAX_LEAVES, self._count))
                entries = [leaf.encode(log.epoch_leaf(position, at=self.now, swept={}, config={}))]
                for start in range(numbers.start, numbers.stop, AN_HOUR):
                    sealed = [
                        (small_object(number), number)
                        for number in range(start, min(start + AN_HOUR, numbers.stop))
                    ]
                    entries += [self._sealed(packed, number) for packed, number in sealed]
                    for packed, _ in sealed:
                        size = len(packed.body).to_bytes(_NUMBER_BYTES)
                        bodies.write((size + packed.body).ljust(_BODY_BYTES, b"\0"))
                    for packed, number in sorted(sealed, key=lambda each: each[0].key):
                        names.write(packed.sha256 + number.to_bytes(_NUMBER_BYTES))
                position = self._commit(position, log.write_plan(entries))

    def _sealed(self, packed: EvidenceObject, number: int) -> bytes:
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
        self._write(log.plan_key(after.shard, after.epoch), body)
        for path, data in step.objects.items():
            self._write(log.tile_key(after.shard, path), data)
        text = after.checkpoint.text
        signed = note.write(text, [(self.key.named(after.origin), self.signer.sign(text.encode()))])
        self._write(log.checkpoint_key(after.shard, after.epoch), signed)
        return after

    def _write(self, key: str, body: bytes) -> None:
        (self._folder / key.replace("/", "_")).write_bytes(body)

    def _read(self, key: str) -> bytes:
        self.reads[key] += 1
        return (self._folder / key.replace("/", "_")).read_bytes()

    def versions(self, prefix: str) -> Iterator[Version]:
        """See `EvidenceVersions.versions`."""
        self.listings[prefix] += 1
        with self._names.open("rb") as names:
            for number in range(-(-self._count // AN_HOUR)):
                hour = keys.hour_of(START + number * HOUR_MS)
                listed = names.read(AN_HOUR * (_DIGEST_BYTES + _NUMBER_BYTES))
                if f"ev/v1/aws_cloudtrail/h={hour}/".startswith(prefix):
                    yield from self._of_hour(hour, listed)
        for key, size in self._log:
            if key.startswith(prefix):
                yield Version(key, "v", self.now, size)

    def _of_hour(self, hour: str, listed: bytes) -> Iterator[Version]:
        for start in range(0, len(listed), _DIGEST_BYTES + _NUMBER_BYTES):
            digest = listed[start : start + _DIGEST_BYTES]
            number = int.from_bytes(listed[start + _DIGEST_BYTES :][:_NUMBER_BYTES])
            key = keys.evidence_key(source="aws_cloudtrail", hour=hour, body_sha256=digest)
            yield Version(key, f"v{number}", self.now, 1)

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.bodies`."""
        with self._bodies.open("rb", buffering=0) as bodies:
            for key, version in versions:
                if key.startswith(log.PREFIX):
                    yield self._read(key)
                else:
                    bodies.seek(int(version[1:]) * _BODY_BYTES)
                    stored = bodies.read(_BODY_BYTES)
                    size = int.from_bytes(stored[:_NUMBER_BYTES])
                    yield stored[_NUMBER_BYTES : _NUMBER_BYTES + size]

    def keys(self, prefix: str) -> Iterator[str]:
        """See `EvidenceReader.keys`."""
        for version in self.versions(prefix):
            yield version.key

    def get(self, key: str) -> bytes:
        """See `EvidenceReader.get`."""
        return self._read(key)

    def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.beginnings`."""
        wanted = list(versions)
        bodies = self.bodies((key, version) for key, version, _ in wanted)
        for (_, _, size), body in zip(wanted, bodies, strict=True):
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
    """Largest memory this process has held.

    By the kernel's account of this program: `getrusage` counts what stood before `exec` too, the
    memory of the process that started it.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (line,) = (each for each in status.read_text().splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Print what verifying stores of some sizes asks, the smallest first: a peak stays a peak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, nargs="+", default=[100_000])
    parser.add_argument("--parts", type=int, default=0)
    options = parser.parse_args()
    for versions in sorted(options.versions):
        sys.stdout.write(measured(versions, options.parts))


class Verified(msgspec.Struct):
    """What a process of its own came to."""

    report: Report
    listings: dict[str, int]
    reads: dict[str, int]
    seconds: float
    began_mb: float
    """Memory before it asked anything: the interpreter and the modules."""
    peak_mb: float


def verified(folder: Path, versions: int) -> Verified:
    """Verify a store as a process of its own does."""
    store = LargeStore(folder, versions)
    before = peak_megabytes()
    began = time.process_time()
    report = store.verify()
    seconds = time.process_time() - began
    return Verified(
        report, dict(store.listings), dict(store.reads), seconds, before, peak_megabytes()
    )


def measured(versions: int, parts: int) -> str:
    """Seal and verify a store of so many versions, and in parts; return what that took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.process_time()
        LargeStore(folder, versions).seal()
        sealing = time.process_time() - began
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn) as alone:
            done = alone.submit(verified, folder, versions).result()
        report, reads = done.report, done.reads
        again = {key: count for key, count in reads.items() if count > 1}
        lines = [
            f"versions        {versions:,}, {len(report.findings)} findings",
            f"counted         {', '.join(f'{name} {n:,}' for name, n in report.units.items())}",
            f"listings        {sum(done.listings.values())} {done.listings}",
            f"log reads       {sum(reads.values())} of {len(reads)} keys, again: {again}",
            (
                f"CPU             {sealing / versions * 1e6:.0f} us a version to seal, "
                f"{done.seconds / versions * 1e6:.0f} to verify"
            ),
            (
                f"peak memory     {done.peak_mb:.0f} MB of the process that verifies, "
                f"{done.began_mb:.0f} MB of it before it began"
            ),
        ]
        if parts:
            joined = LargeStore(folder, versions).join(parts)
            same = (joined.units, joined.records_counted, joined.objects, joined.findings) == (
                report.units, report.records_counted, report.objects, report.findings,
            )  # fmt: skip
            lines.append(f"{parts} parts joined  equal to the whole: {same}")
        return "\n".join(lines) + "\n\n"


if __name__ == "__main__":
    main()
