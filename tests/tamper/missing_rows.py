"""Rows of the matrix: what a writer says is missing from a unit, and why nobody can map it again.

Each is of a unit that nothing else claims, as the only exporter of its source could lock it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import msgspec

from nhi_evidence.event import Delivery, Undecodable
from nhi_evidence.evidence.leaf import ObjectLeaf
from tests.tamper.editing import EditedObject, EditedUnit
from tests.tamper.forged_epochs import forge_epoch
from tests.tamper.object_rows import records_of
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import HOUR, SealedStore, mapper

Change = Callable[[EditedObject, EditedUnit], None]


def _alone(world: SealedStore, change: Change, has: bytes = b'"n":') -> str:
    """Seal an object of one changed unit, under a name of its own; return its key.

    The unit is the first one with a line that has `has`.
    """
    like, edited, unit = next(
        (key, edited, unit)
        for key in world.store.keys("ev/")
        for edited in [world.edit(key)]
        for unit in [records_of(edited)]
        if has in b"".join(unit.lines)
    )
    edited.units[:] = [unit]
    unit.rename(f"trail/alone.json.gz@v1!h={HOUR}")
    change(edited, unit)
    edited.reroot()
    key = world.put(edited, like)
    world.seal()
    return key


def _moved(line: bytes, place: int) -> bytes:
    return msgspec.json.encode({**json.loads(line), "i": place})


def _kept_place(unit: EditedUnit) -> int:
    return next(i for i, line in enumerate(unit.lines) if b'"n":' in line)


@row("a record removed from a unit said to lack bytes, though every raw text is kept, sealed")
def lacks_bytes_though_kept(world: SealedStore) -> Done:
    def change(_edited: EditedObject, unit: EditedUnit) -> None:
        del unit.lines[_kept_place(unit)]
        unit.lines[:] = [_moved(line, place) for place, line in enumerate(unit.lines)]
        unit.line["kept"] -= 1
        unit.line["records"] -= 1
        unit.line["gaps"][1][0] -= 1
        unit.line["rebuild"] = "no"

    return Done({("arithmetic", _alone(world, change, has=b'"o":"human"'))})


@row("records removed from a unit said to lack bytes, though none is out of scope, sealed")
def lacks_bytes_of_nothing(world: SealedStore) -> Done:
    def change(edited: EditedObject, unit: EditedUnit) -> None:
        edited.header["settings"]["keep_out_of_scope_raw"] = False
        unit.lines[:] = [_moved(unit.lines[_kept_place(unit)], 0)]
        unit.line |= {"records": 1, "kept": 1, "out_of_scope": {}}
        unit.line |= {"gaps": [[2, ","]], "rebuild": "no"}

    return Done({("arithmetic", _alone(world, change))})


@row("more records said to be out of scope than any delivery has, sealed")
def more_than_any_delivery(world: SealedStore) -> Done:
    def change(edited: EditedObject, unit: EditedUnit) -> None:
        many = 1 << 52
        edited.header["settings"]["keep_out_of_scope_raw"] = False
        unit.lines.clear()
        unit.line |= {"raw_size": many, "span": [0, many], "gaps": [[many + 1, ""]]}
        unit.line |= {"records": many, "kept": 0, "out_of_scope": {"human": many}}
        unit.line["rebuild"] = "no"

    return Done({("arithmetic", _alone(world, change))})


@row("a record said to be cut whole, of a source that declares no cuts, sealed")
def cut_whole_as_rejected(world: SealedStore) -> Done:
    def change(_edited: EditedObject, unit: EditedUnit) -> None:
        reason = {"x": {"reason": "malformed_json", "detail": ""}}
        _cut_whole(unit, reason, "unreadable")
        unit.line["kept"] -= 1
        unit.line["rejected"] += 1

    return Done({("not_reproduced", _alone(world, change))})


@row("a record said to be of a refused category, of a source that refuses none, sealed")
def cut_whole_as_refused(world: SealedStore) -> Done:
    def change(_edited: EditedObject, unit: EditedUnit) -> None:
        _cut_whole(unit, {"o": "refused_chat"}, "refused")
        unit.line["kept"] -= 1
        unit.line["out_of_scope"]["refused_chat"] = 1

    return Done({("not_reproduced", _alone(world, change))})


@row("a kept record whose whole raw text is said to be cut, sealed")
def cut_whole_but_kept(world: SealedStore) -> Done:
    def change(_edited: EditedObject, unit: EditedUnit) -> None:
        normalized = json.loads(unit.lines[_kept_place(unit)])["n"]
        _cut_whole(unit, {"n": {**normalized, "activity_name": "Nothing"}}, "refused")

    return Done({("not_reproduced", _alone(world, change))})


@row("a rejected delivery said to be cut whole, of a source that declares no cuts, sealed")
def rejection_cut_whole(world: SealedStore) -> Done:
    unit = f"trail/torn.json.gz@v1!h={HOUR}"
    parts = mapper().reject_delivery(Delivery(unit, b"{"), Undecodable("malformed_json", ""))
    (packed,) = mapper().packer.pack(parts)
    edited = EditedObject(packed.body)
    (rejected,) = edited.units
    line = json.loads(rejected.lines[0])
    cuts = [["unreadable", 0, rejected.line["raw_size"], "ab" * 32]]
    rejected.lines[0] = msgspec.json.encode({**line, "r": "", "c": cuts})
    rejected.line["rebuild"] = "cut"
    edited.reroot()
    key = world.put(edited, packed.key)
    world.seal()
    return Done({("not_reproduced", key)})


@row("a delivery that can be decoded, rejected as if it were an Avro file, sealed")
def rejection_as_avro(world: SealedStore) -> Done:
    unit = f"trail/whole.json.gz@v1!h={HOUR}"
    parts = mapper().reject_delivery(
        Delivery(unit, b'{"Records":[]}'), Undecodable("avro_file", "")
    )
    (packed,) = mapper().packer.pack(parts)
    world.store.add(packed.key, packed.body, packed.metadata)
    world.seal()
    return Done({("not_reproduced", packed.key)})


@row("a false normalized record in an object whose stated scope does not exist, sealed")
def no_such_scope(world: SealedStore) -> Done:
    def change(edited: EditedObject, unit: EditedUnit) -> None:
        place = _kept_place(unit)
        unit.lines[place] = unit.lines[place].replace(b'"severity_id":0', b'"severity_id":1', 1)
        edited.header["settings"]["scope"] = "some"

    return Done({("table_invalid", _alone(world, change))})


@row("a leaf with an empty key")
def empty_key(world: SealedStore) -> Done:
    forge_epoch(world, [ObjectLeaf("", "v", world.now, 1)])
    return Done({("leaf_false", ""), ("object_missing", ""), ("short_lock", "")})


def _cut_whole(unit: EditedUnit, middle: Mapping[str, object], rule: str) -> None:
    """Replace the first kept record by a line that keeps none of its text."""
    place = _kept_place(unit)
    line = json.loads(unit.lines[place])
    cuts = [[rule, 0, len(line["r"].encode()), "ab" * 32]]
    unit.lines[place] = msgspec.json.encode(
        {"u": line["u"], "i": line["i"], **middle, "r": "", "c": cuts}
    )
    unit.line["rebuild"] = "cut"
