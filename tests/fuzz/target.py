"""What is fuzzed: one input decoded and mapped, which never crashes and is always accounted for."""

from __future__ import annotations

import json

from nhi_evidence import sources
from nhi_evidence.event import Delivery, Limits, Undecodable
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import cases, read
from tests.memory_store import MemoryStore
from tests.reading import Unit

LIMITS = Limits(inflated_bytes=1 << 20, record_bytes=1 << 16)
MAPPERS = tuple(
    Mapper(name, scope=Scope.ALL, limits=LIMITS, keep_out_of_scope_raw=True)
    for name in sources.names()
)
"""Of every source there is, found by discovery."""
WHOLE_FILE, ONE_RECORD, ANY_FORM = range(3)
_WAYS = 3


def one_input(data: bytes) -> None:
    """Run one input: its first byte says of which source it is and how the rest is delivered."""
    if not data:
        return
    number, way = divmod(data[0] % (len(MAPPERS) * _WAYS), _WAYS)
    mapper, body = MAPPERS[number], data[1:]
    if way == ANY_FORM:
        decoded = mapper.source.unwrap(body, LIMITS)
        if not isinstance(decoded, Undecodable):
            for index in range(len(decoded.spans)):
                mapper.map(decoded.record(index).raw)
        return
    if way == ONE_RECORD and mapper.source.NAME == "aws_cloudtrail":
        body = b'{"Records":[' + body + b"]}"
    store = MemoryStore()
    outcome = lock_batch(mapper, [Delivery(unit="b/k@1", body=body)], store)
    assert {} == outcome.unmapped
    (done,) = outcome.objects
    unit = Unit(store)
    out_of_scope = sum(done.out_of_scope.values())
    assert unit.seen == done.records == done.kept + done.rejected + out_of_scope
    if unit.rejection is not None:
        is_cut = unit.headers[0]["rebuild"] == "cut"
        assert unit.size_with_cuts() == len(body)
        assert is_cut or b"".join(unit.raw()) == body


def seeds() -> dict[str, bytes]:
    """Return what fuzzing starts from, by name: the golden cases, in each way of delivery."""
    inputs = {}
    for number, mapper in enumerate(MAPPERS):
        source = mapper.source.NAME
        if source == "aws_cloudtrail":
            body = b'{"Records":[{"eventTime":"2026-03-02T08:15:30Z"} , {}]}'
            inputs["file"] = _prefixed(number, WHOLE_FILE, body)
        for name, path in cases(source).items():
            record = json.dumps(read(path).record, separators=(",", ":")).encode()
            inputs[f"{source}-{name}-record"] = _prefixed(number, ONE_RECORD, record)
            inputs[f"{source}-{name}-form"] = _prefixed(number, ANY_FORM, record)
    return inputs


def _prefixed(number: int, way: int, body: bytes) -> bytes:
    return bytes([number * _WAYS + way]) + body
