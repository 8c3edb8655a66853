"""Why nothing had to be found of an attack: it changed nothing that counts.

Judged by what is stored, against the store as it was, and not by what verification says.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import leaf, log, note
from nhi_evidence.evidence.leaf import EpochLeaf, ObjectLeaf
from nhi_evidence.evidence.stored_log import StoredLog
from tests.tamper.editing import EditedObject, EditedUnit
from tests.tamper.forged_epochs import true_leaf
from tests.tamper.sealed_store import NAME, SealedStore

SAYS_NOTHING = {"codec", "units"}
"""Members of a header that change nothing: how its frame was made, and the number of its units."""


@cache
def _before() -> dict[str, bytes]:
    world = SealedStore()
    return {key: world.store.get(key) for key in world.store.keys("")}


@cache
def _units() -> dict[str, EditedUnit]:
    objects = (EditedObject(body) for key, body in _before().items() if key.startswith("ev/"))
    return {str(unit.line["unit"]): unit for one in objects for unit in one.units}


def why_harmless(world: SealedStore) -> str | None:
    """Return what an attack came to, where nothing had to be found; None where something had."""
    after = {key: world.store.get(key) for key in world.store.keys("")}
    changed = [key for key, body in _before().items() if after.get(key) != body]
    added = [key for key in after if key not in _before()]
    reasons = {_in_place(world, key, after.get(key)) for key in changed}
    reasons |= {_of_new(world, key) for key in added if not key.startswith("log/")}
    reasons |= {_of_epoch(world, key) for key in added if "/plan/" in key}
    if None in reasons:
        return None
    return "; ".join(sorted(filter(None, reasons))) or "nothing was changed"


def is_of_nobody(world: SealedStore, key: str) -> bool:
    """Whether a key is that of a plan no valid checkpoint covers: it adds nothing to the log."""
    if "/plan/" not in key:
        return False
    stored = StoredLog(world.store, NAME, [world.key])
    try:
        return all(
            stored.checkpoint("2026", epoch) is None
            for epoch in range(int(key[-12:]), stored.newest_epoch("2026") + 1)
        )
    except LogError:
        return False


def _in_place(world: SealedStore, key: str, body: bytes | None) -> str | None:
    before = _before()[key]
    if body is None:
        return None
    if "/checkpoint/" in key:
        stored = StoredLog(world.store, NAME, [world.key])
        try:
            signed = stored.checkpoint("2026", int(key.rpartition("/")[2]))
        except LogError:
            return None
        is_same = signed is not None and signed.text == note.split(before)[0]
        return "in place: signature lines beside the log's own" if is_same else None
    if "/plan/" in key and log.entries_of(body) == log.entries_of(before):
        return "in place: the newest plan, packed otherwise"
    return None


def _of_new(world: SealedStore, key: str) -> str | None:
    """An object that repeats what is there, in another header or a unit less."""
    plans = (world.store.get(each) for each in world.store.keys("log/") if "/plan/" in each)
    if all(key != sealed for plan in plans for sealed, _ in log.versions_in(plan)):
        return "put: not sealed yet, and not overdue"
    try:
        edited = world.edit(key)
    except ValueError:
        return None
    genuine = EditedObject(next(b for k, b in _before().items() if k.startswith("ev/"))).header
    header = {name for name in genuine if edited.header.get(name) != genuine[name]}
    if not header <= SAYS_NOTHING | {"mapper"} or not _is_same_release(edited.header, genuine):
        return None
    for unit in edited.units:
        known = _units().get(str(unit.line["unit"]))
        if known is None or unit.lines != known.lines or _comparable(unit) != _comparable(known):
            return None
    return "written: the same units again, under another header or other metadata"


def _is_same_release(header: dict[str, Any], genuine: dict[str, Any]) -> bool:
    """The digest counts; the version beside it says nothing that does."""
    return bool(header["mapper"]["digest"] == genuine["mapper"]["digest"])


def _comparable(unit: EditedUnit) -> dict[str, Any]:
    """A unit line, what the source says of a delivered file aside: it is no claim."""
    line = dict(unit.line)
    if line["kind"] != "companion":
        line.pop("source_metadata", None)
    return line


def _of_epoch(world: SealedStore, key: str) -> str | None:
    """An epoch whose leaves are those an honest sealer would have made."""
    tells_run = False
    for entry in log.entries_of(world.store.get(key)):
        stated = leaf.decode(entry)
        if isinstance(stated, EpochLeaf):
            tells_run = tells_run or bool(
                json.loads(entry).keys() & {"swept", "more", "until", "cursors"}
            )
        elif isinstance(stated, ObjectLeaf):
            honest = true_leaf(world, stated.key)
            late = {"late"} & set(stated.flags) ^ {"late"} & set(honest.flags)
            if not late and stated != honest:
                return None
    return "sealed: leaves as they are, and what the run says of its own listing"
