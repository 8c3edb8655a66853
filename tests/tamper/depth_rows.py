"""Rows of the matrix: what no reader can follow, or hold. It ends no check of anything else."""

from __future__ import annotations

from hashlib import sha256

from nhi_evidence.event import Delivery, Undecodable
from nhi_evidence.evidence import log
from tests.tamper.editing import EditedObject
from tests.tamper.object_rows import records_of
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import HOUR, SealedStore, mapper

DEEP = b"[" * 100_000 + b"]" * 100_000


@row("a plan nested deeper than any reader accepts")
def deep_plan(world: SealedStore) -> Done:
    world.store.add(world.plan(4), log.write_plan([b'{"k":"epoch","other":%b}' % DEEP]))
    return Done({("plan_void", world.plan(4))})


@row("an entry of a plan nested deeper than any reader accepts")
def deep_entry(world: SealedStore) -> Done:
    entries = [world.entries(3)[0], b'{"k":"obj","more":%b}' % DEEP]
    world.store.add(world.plan(4), log.write_plan(entries))
    return Done({("plan_void", world.plan(4))})


@row("a line of a rejection nested deeper than any reader accepts, sealed")
def deep_rejection(world: SealedStore) -> Done:
    """Its claim contests no other: with the lines, the unit has another root."""
    unit = f"trail/torn.json.gz@v1!h={HOUR}"
    parts = mapper().reject_delivery(Delivery(unit, b"{"), Undecodable("malformed_json", ""))
    (packed,) = mapper().packer.pack(parts)
    world.store.add(packed.key, packed.body, packed.metadata)

    def change(edited: EditedObject) -> None:
        edited.units[0].lines[0] = b'{"u":"","n":%b}' % DEEP

    return Done({("line_invalid", world.forge(packed.key, change))})


@row("a provider's public keys nested deeper than any reader accepts, sealed")
def deep_keys(world: SealedStore) -> Done:
    body = b'{"PublicKeyList":[],"other":%b}' % DEEP
    key = f"op/v1/recon/h={HOUR}/{sha256(body).hexdigest()}.keys.json"
    world.store.put_new(key, body, metadata={})
    world.seal()
    return Done({("statement_invalid", key)})


@row("a unit whose gaps repeat a text until no memory could hold the delivery, sealed")
def endless_gaps(world: SealedStore) -> Done:
    many, text = 20_000, " " * (1 << 20)

    def change(edited: EditedObject) -> None:
        unit = records_of(edited)
        unit.lines = [
            b'{"u":"%b","i":%d,"x":{"reason":"malformed_json","detail":""},"r":""}'
            % (unit.line["u"].encode(), index)
            for index in range(many)
        ]
        size = (many + 1) * len(text)
        unit.line |= {"raw_size": size, "span": [0, size], "gaps": [[many + 1, text]]}
        unit.line |= {"records": many, "kept": 0, "rejected": many, "out_of_scope": {}}

    return Done({("rebuild_mismatch", world.forge(world.key_of("ev/"), change))})
