"""Rows of the matrix about what is inside an evidence object, and what a writer may claim."""

from __future__ import annotations

from backports import zstd

from nhi_evidence.evidence import frame
from tests.tamper.editing import EditedObject, EditedUnit
from tests.tamper.rows import Done, flip, row
from tests.tamper.sealed_store import HOUR, SealedStore

OTHER_MAPPER = {"version": "9.0.0", "digest": "cd" * 32}


NEXT_HOUR = "2026030209"


def records_of(edited: EditedObject) -> EditedUnit:
    """A unit of the object that holds records, more than one of them kept."""
    return next(
        unit for unit in edited.units if unit.line["kind"] == "records" and unit.line["kept"] > 1
    )


@row("one bit of an evidence object flipped")
def flip_evidence(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    flip(world, key)
    return Done({("object_altered", key)})


@row("two evidence objects swapped")
def swap(world: SealedStore) -> Done:
    key, other = world.key_of("ev/", 0), world.key_of("ev/", 1)
    first, second = world.store.get(key), world.store.get(other)
    world.rewrite(key, second)
    world.rewrite(other, first)
    return Done({("object_altered", key), ("object_altered", other)})


@row("bytes appended after the frame of a sealed object")
def append(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.rewrite(key, world.store.get(key) + b"hidden")
    return Done({("object_altered", key)})


@row("the same lines compressed again, with other settings")
def recompress(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 28)
    world.rewrite(key, zstd.compress(b"\n".join([*lines, b""]), 19))
    return Done({("object_altered", key)})


@row("an object with bytes after its frame, written and sealed")
def sealed_with_tail(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    body = world.store.get(key) + b"hidden"
    forged = world.put_body(body, key, dict(world.store.first(key).metadata))
    world.seal()
    return Done({("frame_invalid", forged)})


@row("an object with two frames, written and sealed")
def two_frames(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    edited = world.edit(key)
    table = edited.table()
    first, _ = frame.pack(table, table=len(table))
    second, _ = frame.pack([line for unit in edited.units for line in unit.lines])
    forged = world.put_body(first + second, key, edited.metadata() | {"table": str(len(first))})
    world.seal()
    return Done({("frame_invalid", forged)})


@row("an object that is one frame of junk, written and sealed")
def junk(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    body, size = frame.pack([b"junk"], table=1)
    forged = world.put_body(body, key, {"table": str(size), "root": "00" * 32})
    world.seal()
    return Done({("table_invalid", forged)})


@row("an object without the metadata of an evidence object, written and sealed")
def no_metadata(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    edited = world.edit(key)
    edited.header["codec"] = "other"
    forged = world.put_body(edited.body(), key, {})
    world.seal()
    return Done({("frame_invalid", forged)})


@row("an object whose metadata states another root than its table has, sealed")
def wrong_table_root(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    forged = world.forge(key, lambda edited: edited.header.update(codec="other"), root="00" * 32)
    return Done({("table_root", forged)})


@row("an object whose metadata states more records than its table, sealed")
def wrong_sum(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    forged = world.forge(key, lambda edited: edited.header.update(codec="other"), records="999")
    return Done({("table_mismatch", forged)})


@row("an object whose header names another hour than its key, sealed")
def other_hour_inside(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    forged = world.forge(key, lambda edited: edited.header.update(hour=NEXT_HOUR))
    return Done({("table_mismatch", forged)})


@row("units of one hour in an object of another hour, sealed: their claims are void")
def other_hour(world: SealedStore) -> Done:
    key = world.key_of("ev/").replace(HOUR, NEXT_HOUR)
    edited = world.edit(world.key_of("ev/"))
    edited.header["hour"] = NEXT_HOUR
    forged = world.put(edited, key)
    world.seal()
    return Done({("unit_hour", forged)})


@row("an object of another source under the prefix of this one, sealed")
def other_source(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    forged = world.forge(key, lambda edited: edited.header.update(source="gcp_audit"))
    return Done({("table_mismatch", forged)})


@row("a unit line that is in its object twice, sealed")
def doubled(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    forged = world.forge(key, lambda edited: edited.units.insert(1, edited.units[0]))
    return Done({("table_invalid", forged)})


@row("unit lines in another order, sealed")
def moved(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    forged = world.forge(key, lambda edited: edited.units.reverse())
    return Done({("table_invalid", forged)})


@row("a unit line with its fields in another order, sealed")
def other_spelling(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        edited.units[0].line = dict(sorted(edited.units[0].line.items()))

    return Done({("table_invalid", world.forge(key, change))})


@row("a unit line that counts fewer records than its lines, sealed")
def lower_count(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        line = records_of(edited).line
        line["kept"] -= 1

    return Done({("arithmetic", world.forge(key, change))})


@row("a unit line with a negative count, sealed")
def negative(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        line = records_of(edited).line
        line["rejected"], line["kept"] = -1, line["kept"] + 1

    return Done({("arithmetic", world.forge(key, change))})


@row("a unit line with the id of another unit, sealed")
def other_id(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    forged = world.forge(key, lambda edited: edited.units[0].line.update(u="0" * 16))
    return Done({("arithmetic", forged)})
