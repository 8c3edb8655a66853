"""What sealing, verifying and proving cost, against hashing the same bytes.

Fast verification is measured on objects of the size a full batch makes, copied into a directory,
against reading and hashing the same files; deep verification on a smaller store in memory.
"""

from __future__ import annotations

import gc
import gzip
import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from nhi_evidence.adapters.processes import Processes
from nhi_evidence.adapters.store import copying
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.demo.story import bulk
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import frame, keys, note, objects, proof, search
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Options, Policy, Report, Verifier
from nhi_evidence.evidence.verify.chain import Chain
from nhi_evidence.evidence.verify.examining import Examined, Examiner, examine
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.stored import Description
from tests.memory_store import DAY_MS, MemoryStore
from tests.signing import LocalSigner

NOW = 1_790_000_000_000
HOUR = keys.hour_of(NOW)
NAME = "example.org/evidence"
SIGNER = LocalSigner("bench")
KEY = note.from_spki(NAME, SIGNER.public_key())
POLICY = Policy(name=NAME, keys=(KEY,), retention_ms=DAY_MS)
SEALED = 6_000
PROOFS = 50
"""Checked in a row: a single one, after other work, takes twice as long, due to the caches."""

BATCHES = {150: 500, 600: 200}
"""Files of a batch by the records of each: of small accounts, and of a busy one."""

IDLE_CORES = 1.8
"""Two jobs are timed where so much of two processors is free."""


def evidence(files: int, records: int, *, a_batch: int = 1) -> MemoryStore:
    """Return a sealed store of the evidence of so many files, so many to a batch."""
    store = MemoryStore(now=lambda: NOW)
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=False)
    deliveries = [
        Delivery(
            f"bucket/file{number:04}@1!h={HOUR}", gzip.compress(bulk(seed=number, records=records))
        )
        for number in range(files)
    ]
    for start in range(0, files, a_batch):
        lock_batch(mapper, deliveries[start : start + a_batch], store)
    seal(store)
    return store


def seal(store: MemoryStore) -> None:
    """Seal all of a store."""
    lock_policy = LockPolicy(retention_ms=DAY_MS)
    Sealer(store, [SIGNER], lambda: NOW, name=NAME, lock_policy=lock_policy).run(everything=True)


def verify(
    store: EvidenceVersions,
    *,
    deep: bool = False,
    sample: int | None = None,
    examiner: Examiner | None = None,
) -> Report:
    """Verify a store; nothing may be found."""
    options = Options(deep=deep, sample=sample, examiner=examiner)
    report = Verifier(store, POLICY, now=NOW + 1, options=options).run()
    assert [] == report.findings
    return report


def measured(rounds: int) -> dict[str, Any]:
    """Measure everything; each figure is a median over interleaved rounds, in CPU time."""
    store = evidence(files=160, records=150, a_batch=20)
    packed = [store.get(key) for key in store.keys("ev/")]
    inflated = [b"\n".join(frame.unpack(one, limit=1 << 30)) for one in packed]
    many = MemoryStore(now=lambda: NOW)
    for number in range(SEALED):
        body = b"%d" % number
        many.put_new(f"op/v1/custody/h={HOUR}/{sha256(body).hexdigest()}", body, metadata={})
    checked = a_proof(store)
    runs: dict[str, Callable[[], object]] = {
        "hash_inflated": lambda: [sha256(one).digest() for one in inflated],
        "inflate": lambda: [
            frame.unpack(store.get(key), limit=1 << 30) for key in store.keys("ev/")
        ],
        "deep": lambda: verify(store, deep=True),
        "seal": lambda: seal(many.copy()),
        "copy": many.copy,
        "proof": lambda: [checked() for _ in range(PROOFS)],
        "signature": lambda: SIGNER.sign(b"x" * 150),
    }
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            gc.collect()
            start = time.process_time()
            run()
            spent[name].append(time.process_time() - start)
    cost = {name: statistics.median(times) for name, times in spent.items()}
    seal(many)
    start = time.process_time()
    chain = Chain(many, NAME, (KEY,), now=NOW, seal_delay_ms=DAY_MS)
    leaves = sum(len(epoch.leaves) for epoch in chain.walk())
    log_only = time.process_time() - start
    start = time.process_time()
    verify(many)
    elapsed = time.process_time() - start
    report = verify(store, deep=True)
    return {
        "stored_mb": sum(map(len, packed)) / 1e6,
        "inflated_mb": sum(map(len, inflated)) / 1e6,
        "records": report.records,
        "sha256_mb_s": sum(map(len, inflated)) / 1e6 / cost["hash_inflated"],
        "fast": [fast(files, records, rounds) for records, files in BATCHES.items()],
        "deep": _ratio(spent, "deep", "hash_inflated", "inflate"),
        "objects": len(packed),
        "inflate": _ratio(spent, "inflate", "hash_inflated"),
        "records_s": report.records / cost["deep"],
        "seal_s": cost["seal"] - cost["copy"],
        "leaves_s": leaves / log_only,
        "object_us": elapsed / SEALED * 1e6,
        "proof_ms": cost["proof"] / PROOFS * 1e3,
        "serial": serial(store, min(rounds, 3)),
        "jobs": side_by_side(store, min(rounds, 3)) if idle_cores() >= IDLE_CORES else None,
        "load": os.getloadavg()[0],
        "memory_mb": {size: memory(size) for size in (500, 4_000)},
    }


def fast(files: int, records: int, rounds: int) -> dict[str, float]:
    """Measure fast verification of a copy on disk of one full batch; CPU time, interleaved."""
    with tempfile.TemporaryDirectory() as folder:
        store = evidence(files=files, records=records, a_batch=files)
        copied = DirectoryStore(Path(folder))
        assert all(one.state == "copied" for one in copying.copy(store, copied))
        del store
        tables = {
            Path(folder) / key: int(entry.metadata["table"])
            for key, entry in described(copied).items()
        }
        paths = list(tables)
        ratios, extra, native = [], [], []
        for _ in range(rounds):
            gc.collect()
            began = time.process_time()
            for path in paths:
                sha256(path.read_bytes()).hexdigest()
            hashed = time.process_time() - began
            began = time.process_time()
            verify(copied)
            verified = time.process_time() - began
            began = time.process_time()
            for path, table in tables.items():
                native_calls(path.read_bytes(), table)
            native.append((time.process_time() - began) / hashed)
            ratios.append(verified / hashed)
            extra.append((verified - hashed) / files * 1e6)
        size = sum(path.stat().st_size for path in paths)
    return {
        "records": records,
        "objects": len(paths),
        "mb": size / len(paths) / 1e6,
        "ratio": statistics.median(ratios),
        "native": statistics.median(native),
        "unit_us": statistics.median(extra),
    }


def described(store: EvidenceVersions) -> dict[str, Description]:
    """Return what a store says of each evidence object."""
    versions = list(store.versions("ev/"))
    return {
        version.key: description
        for version, description in zip(versions, store.describe(versions), strict=True)
        if description is not None
    }


def native_calls(body: bytes, table: int) -> None:
    """Make the calls into C that no fast verification of an object goes without, and no others.

    Its hash, its table inflated, decoded and written again, a hash of each line and name, the tree.
    """
    sha256(body).hexdigest()
    head, *written = frame.unpack_table(body[:table], limit=1 << 30)
    text = b"\n".join((*written, b""))
    units = objects.decode_units(text)
    assert text == objects.encode_lines(units)
    for unit in units:
        sha256(unit.unit.encode()).hexdigest()
    objects.table_root([head, *written])


def idle_cores() -> float:
    """Return how many processors had nothing to do while this process slept for a second."""
    before = _idle_seconds()
    time.sleep(1)
    return _idle_seconds() - before


def _idle_seconds() -> float:
    stat = Path("/proc/stat")
    if not stat.exists():
        return time.monotonic() * (os.cpu_count() or 1)
    idle = stat.read_text().split(maxsplit=5)[4]
    return int(idle) / os.sysconf("SC_CLK_TCK")


def _ratio(spent: dict[str, list[float]], name: str, *others: str) -> float:
    """Return one as a multiple of others together."""
    bases = map(sum, zip(*(spent[other] for other in others), strict=True))
    return statistics.median(mine / base for mine, base in zip(spent[name], bases, strict=True))


def side_by_side(store: MemoryStore, rounds: int) -> float:
    """Return the wall time of two processes as a part of that of one, both started already."""
    ratios = []
    with Processes(2, deep=True, reproduce=False) as examiner:
        # They are started by the bytes of more than one verification of so small a store.
        for number in range(-2, rounds):
            start = time.perf_counter()
            verify(store, deep=True)
            alone = time.perf_counter() - start
            start = time.perf_counter()
            verify(store, deep=True, examiner=examiner)
            ratios += [(time.perf_counter() - start) / alone] if number >= 0 else []
    return statistics.median(ratios)


def serial(store: MemoryStore, rounds: int) -> float:
    """Return which part of a deep verification no other process can take: CPU time.

    Listing, the log, what is counted over all objects: what is left where each is looked into
    already. With `n` processes no more than `part + (1 - part) / n` of the time of one is reached.
    """
    examined: dict[str, Examined] = {}

    def at_once(entry: ObjectLeaf, body: bytes) -> Callable[[], Examined]:
        if entry.key not in examined:
            examined[entry.key] = examine(entry, body, deep=True, reproduce=None)
        return lambda: examined[entry.key]

    parts = []
    verify(store, deep=True, examiner=at_once)
    for _ in range(rounds):
        began = time.process_time()
        verify(store, deep=True)
        alone = time.process_time() - began
        began = time.process_time()
        verify(store, deep=True, examiner=at_once)
        parts.append((time.process_time() - began) / alone)
    return statistics.median(parts)


def a_proof(store: MemoryStore) -> Callable[[], object]:
    """Return the check of one record's proof bundle."""
    key = next(iter(store.keys("ev/")))
    _, lines = objects.read_object(store.get(key))
    uid = proof.uid_of(lines[0])
    assert uid is not None
    looking = search.Search(store, StoredLog(store, NAME, (KEY,)))
    record = looking.find(uid, search.Where())
    assert record is not None
    files = looking.bundle(record, (KEY,))
    return lambda: proof.check(files, (KEY,), NAME)


def memory(versions: int) -> float:
    """Return the peak of what verifying so many objects allocates, in MB."""
    store = MemoryStore(now=lambda: NOW)
    for number in range(versions):
        body = b"%d" % number
        store.put_new(f"op/v1/custody/h={HOUR}/{sha256(body).hexdigest()}", body, metadata={})
    seal(store)
    gc.collect()
    tracemalloc.start()
    verify(store)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def text(figures: dict[str, Any]) -> list[str]:
    """Return the figures as lines of the table."""
    small, large = sorted(figures["memory_mb"].items())
    rows = {
        **{
            f"verify, fast {each['records']}": (
                f"{each['ratio']:.2f} x reading and hashing the stored files: "
                f"{each['objects']} objects of {each['mb']:.1f} MB, files of "
                f"{each['records']} records; {each['unit_us']:.0f} us a file beside them; "
                f"its native calls alone {each['native']:.2f} x"
            )
            for each in figures["fast"]
        },
        "smallest objects": f"{figures['object_us']:.0f} us an object of a few bytes",
        "verify, deep": (
            f"{figures['deep']:.2f} x inflating and hashing; "
            f"inflating is {figures['inflate']:.2f} x hashing; {figures['records_s']:.0f} records/s"
        ),
        "two jobs, deep": (
            f"not measured: cores are busy (load {figures['load']:.1f})"
            if figures["jobs"] is None
            else f"{figures['jobs']:.2f} of the wall time of one"
        ),
        "of it serial": (
            f"{figures['serial']:.2f} of one job's time; so two come to "
            f"{figures['serial'] + (1 - figures['serial']) / 2:.2f} at best"
        ),
        "log alone": f"{figures['leaves_s']:.0f} leaves/s",
        "seal": f"{figures['seal_s']:.3f} s for {SEALED} objects",
        "check a proof": f"{figures['proof_ms']:.2f} ms, signature included; of {PROOFS} in a row",
        "memory": f"{small[1]:.1f} MB over {small[0]} objects, {large[1]:.1f} over {large[0]}",
    }
    opening = (
        f"sealed log: {figures['records']} records, {figures['objects']} objects, "
        f"{figures['stored_mb']:.1f} MB stored, "
        f"{figures['inflated_mb']:.1f} MB inflated; SHA-256 {figures['sha256_mb_s']:.0f} MB/s"
    )
    return [opening, *(f"  {name:18}{text}" for name, text in rows.items()), ""]
