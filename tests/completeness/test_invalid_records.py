"""Objects that a writer put under a key of evidence, and that cannot be read record by record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest

from nhi_evidence.adapters.aws import reconciler
from nhi_evidence.adapters.listing import hours as listed_hours
from nhi_evidence.completeness import records
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.reconcile import Sealed
from nhi_evidence.completeness.statement import Log
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import frame, keys
from nhi_evidence.evidence.objects import read_object
from nhi_evidence.evidence.verify.sorting import MemorySorter
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope
from tests.completeness import test_api_hours as apis
from tests.completeness.api_server import ApiServer
from tests.memory_store import MemoryStore

Put = tuple[bytes, Mapping[str, str]]
"""Bytes and user metadata of an object."""


def object_with(line: dict[str, Any] | bytes, file: str = "file", **stated: str) -> Put:
    """An object whose table is valid, with this in the place of its record.

    `stated` replaces values of its metadata.
    """
    raw = json.dumps(apis.OF_HOUR[0]).encode() + b"\n"
    mapper = Mapper("gcp_audit", scope=Scope.ALL, keep_out_of_scope_raw=True)
    delivery = Delivery(f"bucket/{file}@1!h={apis.NAMED_HOUR}", raw)
    (packed,) = mapper.packer.pack(mapper.units(delivery))
    table, (kept, *rest) = read_object(packed.body)
    own = line if isinstance(line, bytes) else json.dumps({**json.loads(kept), **line}).encode()
    body, _ = frame.pack([*table.lines, own, *rest], table=len(table.lines))
    return body, {**packed.metadata, **stated}


INVALID = {
    "no frame": (b"not a frame", {}),
    "no table": (frame.pack([b"{}"])[0], {"table": "1"}),
    "metadata that contradicts the table": object_with({}, "other", records="2"),
    "a line that is not JSON": object_with(b"{"),
    "a record without a time": object_with({"n": {}}),
    "base64 that is none": object_with(b'{"u":"0","i":0,"x":{"reason":"","detail":""},"r64":"?"}'),
    "a hash that is none": object_with(b'{"u":"0","k":"out_of_scope_ids","h":["?"]}'),
    "brackets beyond any depth": object_with(b'{"u":"0","x":' + b"[" * 100_000),
    "nothing": object_with(b'{"u":"0"}'),
}


def seal(store: MemoryStore, *objects: Put) -> apis.Sealed:
    """Put objects under keys of evidence."""
    for body, metadata in objects:
        digest = sha256(body).digest()
        key = keys.evidence_key(source="gcp_audit", hour=apis.NAMED_HOUR, body_sha256=digest)
        store.put_new(key, body, metadata=metadata)
    return apis.sealed(store)


def test_what_is_changed_is_valid_otherwise() -> None:
    """Else the cases below would show nothing."""
    ((line, _),) = records.read(*seal(MemoryStore(), object_with({}))[0])
    assert "kept" == line.form


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_object_is_named_so(name: str) -> None:
    """By one kind of error, before any record of it is taken."""
    with pytest.raises(ValueError, match=r"."):
        records.read(*seal(MemoryStore(), INVALID[name])[0])


@pytest.mark.parametrize("name", INVALID)
def test_the_deployed_function_passes_over_it(name: str) -> None:
    """One such object does not keep it from judging the hour by the others."""
    store = MemoryStore()
    objects = seal(store, INVALID[name], object_with({}))
    entries = [(place, entry) for place, (entry, _) in enumerate(objects)]
    sealed = Sealed(Log("log/2026", len(entries), "0" * 64, 0), entries)
    with ApiServer() as server:
        server.entries = [dict(apis.OF_HOUR[0])]
        (hour,), _ = listed_hours.ask(
            apis.google(server), [apis.NAMED_HOUR], lambda _audience: "identity", MemorySorter, 1
        )
    reconciler._see(SimpleNamespace(store=store), sealed, [hour])  # type: ignore[arg-type]
    statement = hour.conclude(lambda operation: operation.key)
    assert (Verdict.RECONCILED, 1) == (statement.verdict, statement.found)
