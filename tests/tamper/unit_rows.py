"""Rows of the matrix: units inside a sealed object, and their records."""

from __future__ import annotations

import json
from functools import partial

import msgspec

from nhi_evidence.event import Delivery, Undecodable
from nhi_evidence.evidence import frame
from tests.tamper.editing import EditedObject
from tests.tamper.object_rows import OTHER_MAPPER, records_of
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import HOUR, SealedStore, mapper


@row("a record removed and declared out of scope, its raw text kept, sealed")
def declared_out_of_scope(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        unit = records_of(edited)
        place = next(i for i, line in enumerate(unit.lines) if b'"n":' in line)
        parsed = json.loads(unit.lines[place])
        unit.lines[place] = msgspec.json.encode(
            {"u": parsed["u"], "i": parsed["i"], "o": "human", "r": parsed["r"]}
        )
        line = unit.line
        line["kept"] -= 1
        line["out_of_scope"]["human"] = line["out_of_scope"].get("human", 0) + 1

    forged = world.forge(key, change)
    return Done({("not_reproduced", forged)})


@row("a false normalized record beside its genuine raw text, sealed")
def false_record(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        unit = records_of(edited)
        place = next(i for i, line in enumerate(unit.lines) if b'"status_id":' in line)
        unit.lines[place] = unit.lines[place].replace(b'"severity_id":0', b'"severity_id":1', 1)

    return Done({("not_reproduced", world.forge(key, change))})


@row("a record removed, the counts lowered, every root recomputed, sealed")
def removed_record(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        unit = records_of(edited)
        place = next(i for i, line in enumerate(unit.lines) if b'"n":' in line)
        del unit.lines[place]
        unit.line["kept"] -= 1
        unit.line["records"] -= 1

    return Done({("arithmetic", world.forge(key, change))})


@row("a record removed with one of the gaps around it, sealed")
def removed_with_gap(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        unit = records_of(edited)
        del unit.lines[-1]
        unit.line["kept"] -= 1
        unit.line["records"] -= 1
        unit.line["gaps"][1][0] -= 1

    forged = world.forge(key, change)
    return Done({("rebuild_mismatch", forged)} | _last_was_kept(world, key, forged))


def _last_was_kept(world: SealedStore, key: str, forged: str) -> set[tuple[str, str]]:
    last = records_of(world.edit(key)).lines[-1]
    return set() if b'"n":' in last else {("arithmetic", forged)}


@row("two records merged into one, with the comma between them, sealed")
def merged_records(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    edited = world.edit(key)
    unit = records_of(edited)
    index = next(
        i for i in range(len(unit.lines) - 1) if b'"n":' in unit.lines[i] + unit.lines[i + 1]
    )
    first, second = (json.loads(line)["r"] for line in unit.lines[index : index + 2])
    u = unit.line["u"]
    rejected = {"u": u, "i": index, "x": {"reason": "malformed_json", "detail": ""}}
    kinds = [("n" if b'"n":' in line else "o") for line in unit.lines[index : index + 2]]
    unit.lines[index : index + 2] = [msgspec.json.encode({**rejected, "r": f"{first}, {second}"})]
    unit.lines[index + 1 :] = [
        line.replace(b'"i":%d' % i, b'"i":%d' % (i - 1), 1)
        for i, line in enumerate(unit.lines[index + 1 :], start=index + 2)
    ]
    line = unit.line
    line["records"] -= 1
    line["rejected"] += 1
    line["kept"] -= kinds.count("n")
    if kinds.count("o"):
        line["out_of_scope"]["human"] -= kinds.count("o")
    line["gaps"][1][0] -= 1
    edited.reroot()
    forged = world.put(edited, key)
    world.seal()
    return Done({("split_mismatch", forged)})


@row("a raw text altered, its hash and every root recomputed, sealed")
def altered_raw(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        unit = records_of(edited)
        place = next(i for i, line in enumerate(unit.lines) if b'"n":' in line)
        unit.lines[place] = unit.lines[place].replace(b"eventVersion", b"EventVersion", 1)

    return Done({("raw_hash", world.forge(key, change))})


@row("a record stated to be cut, with no hash as that of its original, sealed")
def no_hash_of_a_cut_record(world: SealedStore) -> Done:
    def change(edited: EditedObject) -> None:
        unit = records_of(edited)
        size = unit.line["raw_size"] + 1
        unit.line |= {"rebuild": "cut", "raw_size": size, "span": [0, size]}
        place = next(i for i, line in enumerate(unit.lines) if b'"uid":' in line)
        parsed = json.loads(unit.lines[place]) | {"c": [["KA-C1", 0, 1, "ab"]]}
        parsed["n"]["raw_data_hash"]["value"] = "not a hash"
        parsed["n"]["raw_data_size"] += 1
        unit.lines[place] = msgspec.json.encode(parsed)

    return Done({("raw_hash", world.forge(world.key_of("ev/"), change))})


@row("a line of another unit among those of one, sealed")
def foreign_line(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        unit = records_of(edited)
        unit.lines[0] = unit.lines[0].replace(unit.line["u"].encode(), b"0" * 16, 1)

    return Done({("line_invalid", world.forge(key, change))})


@row("a line of no permitted form, sealed")
def formless(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        records_of(edited).lines[0] = b"{}"

    return Done({("line_invalid", world.forge(key, change))})


@row("a line nested deeper than any reader accepts, sealed")
def deep_line(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        records_of(edited).lines[0] = b'{"u":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    return Done({("line_invalid", world.forge(key, change))})


@row("a unit line whose root is not that of its lines, sealed")
def wrong_unit_root(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    edited = world.edit(key)
    edited.units[0].line["root"] = "00" * 32
    forged = world.put(edited, key)
    world.seal()
    return Done({("unit_root", forged)})


@row("a gap altered, so that the delivered bytes differ, sealed")
def altered_gap(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        records_of(edited).line["gaps"][0][1] = '{"records":['

    return Done({("rebuild_mismatch", world.forge(key, change))})


@row("a companion altered, every root recomputed, sealed")
def altered_companion(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        unit = next(unit for unit in edited.units if unit.line["kind"] == "companion")
        unit.lines[0] = unit.lines[0].replace(b"digest", b"DIGEST")

    return Done({("rebuild_mismatch", world.forge(key, change))})


@row("a unit in two objects, with equal lines")
def regrouped(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        edited.units.pop()

    world.forge(key, change)
    return Done(set())


@row("a unit in two objects, of different bytes, each sound in itself")
def two_contents(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    unit = world.edit(key).units[0].line["unit"]
    edited = mapped_again(unit, b'{"Records":[]}')
    world.put(edited, key)
    world.seal()
    return Done({("unit_contested", f"aws_cloudtrail: {unit}")})


def mapped_again(unit: str, body: bytes) -> EditedObject:
    (packed,) = mapper().packer.pack(mapper().units(Delivery(unit, body)))
    return EditedObject(packed.body)


@row("the same unit again by a release the policy does not list: it never wins")
def unlisted(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    forged = world.forge(key, lambda edited: edited.header.update(mapper=OTHER_MAPPER))
    return Done({("mapper_unlisted", forged)})


@row("the same unit again by a later release the policy lists: it wins, the other repeats it")
def later_release(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.forge(key, lambda edited: edited.header.update(mapper=OTHER_MAPPER))
    listed = (*world.policy.mappers, str(OTHER_MAPPER["digest"]))
    return Done(set(), policy=msgspec.structs.replace(world.policy, mappers=listed))


@row("one of two parts of a unit, sealed")
def half_a_unit(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    unit = f"trail/parts.json.gz@v1!h={HOUR}"

    def change(edited: EditedObject) -> None:
        part = edited.units[0]
        edited.units[:] = [part]
        part.rename(unit)
        size = part.line["raw_size"]
        part.line |= {"parts": 2, "raw_size": size + 10}

    world.forge(key, change)
    return Done({("unit_incomplete", f"aws_cloudtrail: {unit}")})


@row("the halves of a unit by two releases")
def mixed_parts(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    unit = f"trail/parts.json.gz@v1!h={HOUR}"
    digests = (world.policy.mappers[0], str(OTHER_MAPPER["digest"]))

    def change(edited: EditedObject, *, number: int) -> None:
        part = edited.units[0]
        edited.units[:] = [part]
        part.rename(unit)
        size = part.line["raw_size"]
        span = (0, size) if number == 1 else (size, 2 * size)
        first = 0 if number == 1 else part.line["records"]
        if first:
            part.lines = [
                line.replace(b'"i":%d' % i, b'"i":%d' % (i + first), 1)
                for i, line in enumerate(part.lines)
            ]
        part.line |= {
            "part": number, "parts": 2, "raw_size": 2 * size, "span": span, "first": first,
        }  # fmt: skip
        edited.header["mapper"] = {"version": "1", "digest": digests[number - 1]}

    for number in (1, 2):
        world.forge(key, partial(change, number=number))
    policy = msgspec.structs.replace(world.policy, mappers=digests)
    return Done({("unit_incomplete", f"aws_cloudtrail: {unit}")}, policy=policy)


@row("a table whose block is not closed where the metadata states, sealed")
def open_block(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    edited = world.edit(key)
    edited.header["codec"] = "other"
    table = edited.table()
    lines = [line for unit in edited.units for line in unit.lines]
    body, _ = frame.pack([*table, *lines])
    forged = world.put_body(body, key, edited.metadata())
    world.seal()
    return Done({("frame_invalid", forged)})


@row("an object of a source this release does not know, sealed")
def unknown_source(world: SealedStore) -> Done:
    key = world.key_of("ev/").replace("aws_cloudtrail", "elsewhere")
    edited = world.edit(world.key_of("ev/"))
    edited.header["source"] = "elsewhere"
    forged = world.put(edited, key)
    world.seal()
    return Done({("source_unknown", forged)})


@row("a unit line that counts more records than fit into its bytes, sealed")
def inflated_count(world: SealedStore) -> Done:
    key = world.key_of("ev/")

    def change(edited: EditedObject) -> None:
        line = records_of(edited).line
        line["out_of_scope"] = {"human": 1 << 40}
        line["records"] = line["kept"] + line["rejected"] + (1 << 40)
        line["gaps"] = [[line["records"] + 1, ""]]

    return Done({("arithmetic", world.forge(key, change))})


@row("the provider's signature of a companion altered, sealed beside the genuine one")
def other_signature(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    name = ""

    def change(edited: EditedObject) -> None:
        nonlocal name
        unit = next(unit for unit in edited.units if unit.line["kind"] == "companion")
        unit.line["source_metadata"] = {"meta.signature": "00"}
        edited.units[:] = [unit]
        name = unit.line["unit"]

    world.forge(key, change)
    return Done({("unit_contested", f"aws_cloudtrail: {name}")})


@row("a delivery that can be decoded, rejected as if it could not, sealed")
def false_rejection(world: SealedStore) -> Done:
    unit = f"trail/false@1!h={HOUR}"
    parts = mapper().reject_delivery(
        Delivery(unit, b'{"Records":[]}'), Undecodable("malformed_json", "")
    )
    (packed,) = mapper().packer.pack(parts)
    world.store.add(packed.key, packed.body, packed.metadata)
    world.seal()
    return Done({("not_reproduced", packed.key)})
