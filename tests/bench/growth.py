"""How cost grows with size: microseconds a record and an object, at sizes far apart."""

from __future__ import annotations

import gc
import gzip
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from nhi_evidence.demo.story import bulk
from tests.bench import ours, sealed
from tests.memory_store import MemoryStore

RECORDS = (1, 10, 100, 1_000, 10_000, 30_000)
OBJECTS = (600, 6_000, 60_000)
_LEAST_RECORDS = 2_000
"""So many are mapped at least, so that small files are measured as well."""


def measured() -> dict[str, Any]:
    """Measure each size once; what is asked is whether a step stands out."""
    return {
        "line": {size: _line(size) for size in RECORDS},
        "store": {size: _store(size) for size in OBJECTS},
    }


def _line(records: int) -> float:
    body = gzip.compress(bulk(seed=5, records=records), 6)
    times = max(1, _LEAST_RECORDS // records)
    ours.full_line(body)
    return _seconds(lambda: [ours.full_line(body) for _ in range(times)]) / (times * records) * 1e6


def _store(objects: int) -> dict[str, float]:
    store = MemoryStore(now=lambda: sealed.NOW)
    for number in range(objects):
        body = b"%d" % number
        key = f"op/v1/custody/h={sealed.HOUR}/{sha256(body).hexdigest()}"
        store.put_new(key, body, metadata={})
    sealing = _seconds(lambda: sealed.seal(store))
    verifying = _seconds(lambda: sealed.verify(store))
    return {"seal": sealing / objects * 1e6, "verify": verifying / objects * 1e6}


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def text(figures: dict[str, Any]) -> list[str]:
    """Return the figures as lines of the table."""
    line = ", ".join(f"{int(size):,}: {us:.0f}" for size, us in figures["line"].items())
    rows = figures["store"].items()
    return [
        "growth",
        f"  line, us a record, by records of a file    {line}",
        *(
            f"  {step}, us an object, by objects{'':{12 - len(step)}}"
            + ", ".join(f"{int(size):,}: {row[step]:.0f}" for size, row in rows)
            for step in ("seal", "verify")
        ),
        "",
    ]
