"""What is stored is made hostile, at every layer, and verified: findings, never an exception.

python -m tests.fuzz.hostile --seconds 600
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from nhi_evidence.errors import EvidenceError
from nhi_evidence.evidence import frame, log
from nhi_evidence.evidence.verify import Report
from tests.tamper.editing import EditedObject
from tests.tamper.sealed_store import SealedStore

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 53, 1 << 64, 1e308, 0.5, "", "x", "\x00", "\x1b[31m", "\u202e",
    "9" * 400, "x" * 100_000, [], {}, [[]], [0, ""], {"a": 1}, [1] * 5_000, "é" * 50, "=" * 64,
    "ab" * 32, "2026139925", "trail/x@1!h=2026030208", "ns/hub#1/0/1-99999999999",
)  # fmt: skip

MOST_MEGABYTES = 1_000


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


def bytes_anywhere(world: SealedStore, chance: random.Random) -> None:
    """Overwrite, cut, double or lengthen stored bytes in place."""
    key = chance.choice(list(world.store.keys("")))
    body = bytearray(world.store.get(key))
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
    world.rewrite(key, bytes(body))


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
    put_and_seal(world, edited, key, chance)


def put_and_seal(world: SealedStore, edited: EditedObject, key: str, chance: random.Random) -> None:
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
    lines = chance.choice(([b"0" * (300 << 20)], [b""] * 8_000_000))
    body, table = frame.pack(lines, table=1)
    world.put_body(body, key, {"table": str(table), "root": "00" * 32})
    world.seal()


def log_of(world: SealedStore, chance: random.Random) -> None:
    """Change the JSON of a plan in place, or the text of a checkpoint."""
    epoch = chance.randrange(1, 4)
    if chance.random() < 0.5:
        text = world.store.get(world.checkpoint(epoch)).decode()
        lines = text.split("\n")
        lines[chance.randrange(len(lines))] = str(chance.choice(ODD))[:1_000]
        world.rewrite(world.checkpoint(epoch), "\n".join(lines).encode(errors="replace"))
        return
    entries = [json.loads(entry) for entry in world.entries(epoch)]
    change_json(entries, chance)
    try:
        written = [msgspec.json.encode(entry) for entry in entries]
    except (TypeError, msgspec.MsgspecError):
        return
    world.rewrite(world.plan(epoch), log.write_plan(written))


def metadata_of(world: SealedStore, chance: random.Random) -> None:
    """State odd things in the metadata of an object, and have them sealed."""
    key = world.key_of("ev/")
    edited = world.edit(key)
    edited.header["codec"] = str(chance.random())
    metadata = edited.metadata()
    metadata[chance.choice([*metadata, "other"])] = str(chance.choice(ODD))[:1_000]
    world.put_body(edited.body(), key, metadata)
    world.seal()


ACTS: tuple[tuple[Callable[[SealedStore, random.Random], None], int], ...] = (
    (structure, 60), (bytes_anywhere, 25), (log_of, 20), (metadata_of, 10), (bomb, 1),
)  # fmt: skip


def attack(seed: int) -> Report:
    """Make a store hostile, and verify it; whatever was done, this is no exception."""
    chance = random.Random(seed)  # noqa: S311 attacks, repeatable by their seed
    world = SealedStore()
    acts = [act for act, weight in ACTS for _ in range(weight)]
    for _ in range(chance.randrange(1, 3)):
        try:
            chance.choice(acts)(world, chance)
        except (EvidenceError, ValueError):
            continue  # an earlier act left nothing to act on, or a log no sealer goes on with
    return world.verify(deep=chance.random() < 0.8)


def main() -> None:
    """Attack for so many seconds; print how often what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    until = time.monotonic() + options.seconds
    found: Counter[str] = Counter()
    number = clean = 0
    while time.monotonic() < until:
        try:
            report = attack(options.seed + number)
        except BaseException as error:
            error.add_note(f"seed {options.seed + number}")
            raise
        number += 1
        clean += not report.findings
        found.update({finding.code for finding in report.findings})
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{number} attacks, 0 exceptions, {clean} without a finding, "
        f"{megabytes:.0f} MB at most\n{dict(found.most_common())}\n"
    )
    if megabytes > MOST_MEGABYTES:
        sys.exit(f"more than {MOST_MEGABYTES} MB")


if __name__ == "__main__":
    main()
