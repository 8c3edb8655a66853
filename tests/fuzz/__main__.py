"""Fuzz decode and map: no crash, always accounted for. Bounded by time; prints executions.

python -m tests.fuzz --seconds 600
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import atheris

# Only what is imported in here is instrumented, so nothing of ours may be imported before.
with atheris.instrument_imports(include=["nhi_evidence"]):
    from nhi_evidence.event import Delivery, Limits, Undecodable
    from nhi_evidence.pipeline.export import Mapper
    from nhi_evidence.pipeline.lock import lock
    from nhi_evidence.pipeline.scope import Scope

from tests.cases.reader import cases, read
from tests.memory_store import MemoryStore
from tests.reading import Unit

LIMITS = Limits(inflated_bytes=1 << 20, record_bytes=1 << 16)
MAPPER = Mapper("aws_cloudtrail", scope=Scope.ALL, limits=LIMITS)
WHOLE_FILE, ONE_RECORD, ANY_FORM = range(3)


def one_input(data: bytes) -> None:
    """Run one input: its first byte says how the rest is delivered."""
    if not data:
        return
    way, body = data[0] % 3, data[1:]
    if way == ANY_FORM:
        found = MAPPER.source.unwrap(body, LIMITS)
        if not isinstance(found, Undecodable):
            for index in range(len(found.spans)):
                MAPPER.map(found.record(index).raw)
        return
    if way == ONE_RECORD:
        body = b'{"Records":[' + body + b"]}"
    store = MemoryStore()
    done = lock(MAPPER, Delivery(unit="b/k@1", body=body), store)
    unit = Unit(store)
    assert unit.seen == done.seen == done.kept + done.rejected
    if unit.rejection is not None:
        assert b"".join(unit.raw()) == body


def seeds(folder: Path) -> None:
    """Start from the golden cases, in each way of delivery."""
    for name, path in cases("aws_cloudtrail").items():
        record = json.dumps(read(path).record, separators=(",", ":")).encode()
        (folder / f"{name}-record").write_bytes(bytes([ONE_RECORD]) + record)
        (folder / f"{name}-form").write_bytes(bytes([ANY_FORM]) + record)
    document = b'{"Records":[{"eventTime":"2026-03-02T08:15:30Z"} , {}]}'
    (folder / "file").write_bytes(bytes([WHOLE_FILE]) + document)


def main() -> None:
    """Fuzz for the time asked for; libFuzzer closes with the number of executions."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        seeds(Path(folder))
        options = [f"-max_total_time={seconds}", "-max_len=4096", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *options, folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
