"""Hostile acts on a sealed store, at random: of who writes, who seals, who holds a copy."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from nhi_evidence.evidence import frame, log
from nhi_evidence.evidence.stored_log import StoredLog
from tests.tamper.editing import EditedObject
from tests.tamper.forged_epochs import finish_epoch
from tests.tamper.sealed_store import NAME, SealedStore

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 53, 1 << 64, 1e308, 0.5, "", "x", "\x00", "\x1b[31m", "\u202e",
    "9" * 400, "x" * 100_000, [], {}, [[]], [0, ""], {"a": 1}, [1] * 5_000, "é" * 50, "=" * 64,
    "ab" * 32, "2026139925", "trail/x@1!h=2026030208", "ns/hub#1/0/1-99999999999", 10**30, "²",
)  # fmt: skip

PLACES = (
    *("log/v1/2026/plan/", "log/v1/2026/anchor/000000000003/", "log/v1/", "ev/", ""),
    *("ev/v1/aws_cloudtrail/h=2026030208/", "op/v1/recon/"),
)

Act = Callable[[SealedStore, random.Random], None]


def nested(levels: int) -> Any:
    """A list of lists of lists."""
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


def change_json(value: Any, chance: random.Random) -> Any:
    """Put something odd somewhere into a JSON value."""
    inside = value
    while True:
        if not isinstance(inside, dict | list) or not inside:
            return value
        place = chance.choice(list(inside) if isinstance(inside, dict) else range(len(inside)))
        deeper = inside[place]
        if isinstance(deeper, dict | list) and deeper and chance.random() < 0.6:
            inside = deeper
            continue
        act = chance.randrange(4)
        if act == 0 and isinstance(inside, dict):
            del inside[place]
        elif act == 1 and isinstance(inside, dict):
            inside[chance.choice(("extra", "k", "u", "i", "n", "x", "o", "r", "r64"))] = deeper
        elif act == 2:
            inside[place] = nested(chance.choice((5, 200, 900)))
        else:
            inside[place] = chance.choice(ODD)
        return value


def change_bytes(data: bytes, chance: random.Random) -> bytes:
    """Overwrite, cut, double or lengthen bytes."""
    body = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(body) + 1)
        act = chance.randrange(4)
        if act == 0 and at < len(body):
            body[at] = chance.randrange(256)
        elif act == 1:
            del body[at : at + chance.randrange(1, 40)]
        elif act == 2:
            body[at:at] = chance.randbytes(chance.randrange(1, 40))
        else:
            body[at:at] = body[: chance.randrange(len(body) + 1)]
    return bytes(body)


def bytes_anywhere(world: SealedStore, chance: random.Random) -> None:
    """Change stored bytes in place."""
    key = chance.choice(list(world.store.keys("")))
    world.rewrite(key, change_bytes(world.store.get(key), chance))


def structure(world: SealedStore, chance: random.Random) -> None:
    """Change the JSON of an object, make its roots anew, and have it sealed as it is."""
    key = chance.choice(list(world.store.keys("ev/")))
    edited = world.edit(key)
    for _ in range(chance.randrange(1, 4)):
        unit = chance.choice(edited.units)
        act = chance.randrange(4)
        if act == 0:
            change_json(edited.header, chance)
        elif act == 1:
            change_json(unit.line, chance)
        elif unit.lines:
            place = chance.randrange(len(unit.lines))
            line = change_json(json.loads(unit.lines[place]), chance)
            unit.lines[place] = json.dumps(line, ensure_ascii=chance.random() < 0.5).encode()
    _put_and_seal(world, edited, key, chance)


def _put_and_seal(
    world: SealedStore, edited: EditedObject, key: str, chance: random.Random
) -> None:
    """Write a changed object as its writer could, and seal it."""
    if chance.random() < 0.8:
        edited.reroot()
    try:
        body, metadata = edited.body(), edited.metadata()
    except (KeyError, TypeError, ValueError):
        return  # what even a writer could not write
    world.put_body(body, key, metadata)
    world.seal()


def bomb(world: SealedStore, chance: random.Random) -> None:
    """A small object that inflates to much, or to very many lines."""
    key = world.key_of("ev/")
    lines = chance.choice(([b"0" * (300 << 20)], [b""] * 4_000_000))
    body, table = frame.pack(lines, table=1)
    world.put_body(body, key, {"table": str(table), "root": "00" * 32})
    world.seal()


def log_in_place(world: SealedStore, chance: random.Random) -> None:
    """Change the JSON of a plan in place, or the text of a checkpoint."""
    epoch = chance.randrange(1, 4)
    if chance.random() < 0.5:
        text = world.store.get(world.checkpoint(epoch)).decode()
        lines = text.split("\n")
        lines[chance.randrange(len(lines))] = str(chance.choice(ODD))[:1_000]
        world.rewrite(world.checkpoint(epoch), "\n".join(lines).encode(errors="replace"))
        return
    entries = [json.loads(entry) for entry in world.entries(epoch)]
    written = _written(change_json(entries, chance))
    if written:
        world.rewrite(world.plan(epoch), log.write_plan(written))


def signed_epoch(world: SealedStore, chance: random.Random) -> None:
    """Seal something anew, with odd things in its leaves or its plan, and sign that."""
    edited = world.edit(world.key_of("ev/"))
    edited.header["codec"] = str(chance.random())
    world.put(edited, world.key_of("ev/"))
    world.seal()
    epoch = StoredLog(world.store, NAME, [world.key]).newest_epoch("2026")
    entries = [json.loads(entry) for entry in world.entries(epoch)]
    size = world.size(epoch)
    for key in (world.plan(epoch), world.checkpoint(epoch)):
        world.store.remove(key)
    for kind in ("0", "entries"):
        world.store.remove(log.tile_key("2026", f"tile/{kind}/000.p/{size}"))
    for _ in range(chance.randrange(1, 3)):
        change_json(entries, chance)
    written = _written(entries)
    if not written:
        return
    stored = StoredLog(world.store, NAME, [world.key])
    before = stored.position(stored.genesis("2026"), epoch - 1)
    finish_epoch(world, before, written)


def _written(entries: Any) -> list[bytes]:
    """Encode entries as a sealer writes them; none where they cannot be."""
    if not isinstance(entries, list):
        return []
    try:
        return [msgspec.json.encode(entry, order="deterministic") for entry in entries]
    except (TypeError, msgspec.MsgspecError):
        return []


def metadata_of(world: SealedStore, chance: random.Random) -> None:
    """State odd things in the metadata of an object, and have them sealed."""
    key = world.key_of("ev/")
    edited = world.edit(key)
    edited.header["codec"] = str(chance.random())
    metadata = edited.metadata()
    metadata[chance.choice([*metadata, "other"])] = str(chance.choice(ODD))[:1_000]
    world.put_body(edited.body(), key, metadata)
    world.seal()


def stray_keys(world: SealedStore, chance: random.Random) -> None:
    """Put something under an odd key, anywhere; sometimes sealed."""
    place = chance.choice(PLACES)
    odd = str(chance.choice(ODD))[:200] or "x"
    world.store.add(place + odd, chance.randbytes(30))
    if chance.random() < 0.7:
        world.seal()


ACTS: tuple[tuple[Act, int], ...] = (
    (structure, 50), (bytes_anywhere, 20), (log_in_place, 15), (signed_epoch, 25),
    (metadata_of, 10), (stray_keys, 8), (bomb, 1),
)  # fmt: skip


def spoil_copy(folder: Path, chance: random.Random) -> tuple[str, str]:
    """Do to a directory copy what its holder can; say what, and to which key's bytes, if any."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = chance.choice(files)
    act = chance.choice(("beside", "bytes", "gone", "link", "pipe", "sparse", "folder", "odd"))
    if act == "beside":
        path = chance.choice([each for each in files if ".metadata" in each.parts])
        value = change_json(json.loads(path.read_bytes()), chance)
        content = msgspec.json.encode(value)
    else:
        content = change_bytes(path.read_bytes(), chance)
    is_same = act == "bytes" and content == path.read_bytes()
    path.chmod(0o644)
    path.unlink()
    if act in {"beside", "bytes"}:
        path.write_bytes(content)
    elif act == "link":
        path.symlink_to(chance.choice(("/dev/zero", "/etc/passwd", path.name, "..")))
    elif act == "pipe":
        os.mkfifo(path)
    elif act == "sparse":
        with path.open("wb") as file:
            file.truncate(1 << 42)
    elif act == "folder":
        path.mkdir()
    elif act == "odd":
        Path(os.fsdecode(os.fsencode(path.parent) + b"/\xff\x1b[2J")).write_bytes(b"x")
    key = path.relative_to(folder).as_posix()
    return act, "" if key.startswith(".metadata/") or is_same else key
