"""Records a newer release would map differently are counted, those that cannot be mapped named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from nhi_evidence.evidence import frame, objects
from nhi_evidence.investigate.renormalize import Difference, Renormalizer
from nhi_evidence.pipeline.lock import lock_batch
from tests.cli import command
from tests.cli.sealed_copy import NAME
from tests.cli.sealing_case import make
from tests.memory_store import MemoryStore
from tests.proofs import sealed


def body(*, keep: bool = True) -> bytes:
    """Return an object of a CloudTrail file, as this release writes it."""
    store = MemoryStore()
    file, _, _ = sealed.deliveries(sealed.trail_file())
    lock_batch(sealed.mapper(keep=keep), [file], store)
    (key,) = store.keys("ev/")
    return store.get(key)


def edited(change: Callable[[bytes], bytes], *, keep: bool = True) -> bytes:
    """Return it with other lines, as an older release might have written them."""
    table, lines = objects.read_object(body(keep=keep))
    packed, _ = frame.pack([*table.lines, *map(change, lines)], table=len(table.lines))
    return packed


def difference(*bodies: bytes) -> Difference:
    renormalizer = Renormalizer()
    for number, each in enumerate(bodies):
        renormalizer.take(f"object-{number}", each)
    return renormalizer.difference


def test_this_release_reproduces_what_it_wrote() -> None:
    result = difference(body())
    assert result.records == result.same > 1
    assert not result.changes
    assert not result.unreadable


def test_an_attribute_that_would_change_is_counted_by_name_a_phase_by_its_values() -> None:
    def older(line: bytes) -> bytes:
        if b'"nhi_phase":"Data Access"' not in line:
            return line
        line = line.replace(b'"nhi_phase":"Data Access"', b'"nhi_phase":"Routine"')
        return line.replace(b'"activity_name":"', b'"activity_name":"old ')

    result = difference(edited(older))
    assert result.changed > 0
    assert result.changes["nhi_phase: Routine -> Data Access"].records == result.changed
    assert result.changes["activity_name"].records == result.changed
    assert len(result.changes["activity_name"].examples) <= 3


def test_a_rejected_record_that_would_now_be_kept_is_reported() -> None:
    def older(line: bytes) -> bytes:
        parsed = msgspec.json.decode(line)
        if "n" not in parsed:
            return line
        rejected = {"u": parsed["u"], "i": parsed["i"], "x": {"reason": "old"}, "r": parsed["r"]}
        return msgspec.json.encode(rejected)

    result = difference(edited(older))
    assert set(result.changes) == {"rejected (old) -> kept"}


def test_records_not_kept_are_counted_and_invalid_objects_named() -> None:
    result = difference(body(keep=False), b"no object", body())
    assert result.not_kept > 0
    assert len(result.unreadable) == 1
    assert result.unreadable[0].startswith("object-1: ")
    assert result.same == result.records > 0


def test_the_command_says_the_same_and_touches_nothing(tmp_path: Path) -> None:
    folder = tmp_path
    command.run("keys", "--new", "--key-file", folder / "log.pem", "--name", NAME)
    key, _ = make(folder, folder / "log.pem")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    result = command.run("renormalize", folder / "evidence", "--key", key)
    assert (result.code in {0, 2}, result.out[:8]) == (True, "THE SAME"), result.err
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for wrong, code, text in (
        (("--hour", "2026-03-02"), 64, "--hour 2026-03-02: not an hour of the form YYYYMMDDHH"),
        (("--source", "cloudtrail"), 4, "cloudtrail"),
    ):  # nothing was compared, and that was a success
        refused = command.run("renormalize", folder / "evidence", "--key", key, *wrong)
        assert (code, True) == (refused.code, text in refused.err)
    document = command.run("renormalize", folder / "evidence", "--key", key, "--json").json
    assert (document["schema"], document["changed"]) == ("nhi-evidence/renormalize/1", 0)
