"""What is fuzzed: one input decoded and mapped, which never crashes and is always accounted for."""

from __future__ import annotations

import json

from nhi_evidence.event import Delivery, Limits, Undecodable
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import cases, read
from tests.memory_store import MemoryStore
from tests.reading import Unit

LIMITS = Limits(inflated_bytes=1 << 20, record_bytes=1 << 16)
MAPPER = Mapper("aws_cloudtrail", scope=Scope.ALL, limits=LIMITS, keep_out_of_scope_raw=True)
WHOLE_FILE, ONE_RECORD, ANY_FORM = range(3)


def one_input(data: bytes) -> None:
    """Run one input: its first byte says how the rest is delivered."""
    if not data:
        return
    way, body = data[0] % 3, data[1:]
    if way == ANY_FORM:
        decoded = MAPPER.source.unwrap(body, LIMITS)
        if not isinstance(decoded, Undecodable):
            for index in range(len(decoded.spans)):
                MAPPER.map(decoded.record(index).raw)
        return
    if way == ONE_RECORD:
        body = b'{"Records":[' + body + b"]}"
    store = MemoryStore()
    (done,) = lock_batch(MAPPER, [Delivery(unit="b/k@1", body=body)], store).objects
    unit = Unit(store)
    assert unit.seen == done.records == done.kept + done.rejected
    if unit.rejection is not None:
        assert b"".join(unit.raw()) == body


def seeds() -> dict[str, bytes]:
    """Return what fuzzing starts from, by name: the golden cases, in each way of delivery."""
    inputs = {
        "file": bytes([WHOLE_FILE]) + b'{"Records":[{"eventTime":"2026-03-02T08:15:30Z"} , {}]}'
    }
    for name, path in cases("aws_cloudtrail").items():
        record = json.dumps(read(path).record, separators=(",", ":")).encode()
        inputs[f"{name}-record"] = bytes([ONE_RECORD]) + record
        inputs[f"{name}-form"] = bytes([ANY_FORM]) + record
    return inputs
