"""Reports of parts that were falsified: refused or found, never an exception."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.verify import Options, Part, Report, join, policy_sha256
from nhi_evidence.evidence.verify.report import Run
from nhi_evidence.terminal import verify_report
from tests.tamper import stream_rows
from tests.tamper.sealed_store import SealedStore


def reports(world: SealedStore) -> list[Report]:
    return [world.verify(part=Part(number, 2)) for number in (1, 2)]


def joined(world: SealedStore, parts: list[Report]) -> Report:
    verifier = world.verifier(Options())
    return join(parts, verifier.hashes_of, verifier.signs)


def test_unchanged_parts_join_cleanly() -> None:
    """There are no findings, and the report states that it trusts the parts."""
    world = SealedStore()
    report = joined(world, reports(world))
    assert [] == report.findings
    assert any("they are trusted" in line for line in report.not_checked)


def test_what_expiry_excuses_is_not_called_checked() -> None:
    """A gap in a stream that what has expired may have filled, in one piece and in parts."""
    world = SealedStore()
    stream_rows.expired_run(world)
    line = "V5: whether 3 messages that no run holds were ever received, since what was received "
    line += "then has expired"
    for report in (world.verify(), joined(world, reports(world))):
        assert report.findings == []
        assert line in report.not_checked


def test_parts_judge_by_one_policy_and_look_as_far() -> None:
    """A part with other keys, or a shallower check, does not belong to the same verification."""
    world = SealedStore()
    first, _ = reports(world)
    lenient = msgspec.structs.replace(world.policy, retention_ms=0)
    assert policy_sha256(lenient) != policy_sha256(world.policy)
    for other in (
        world.verify(part=Part(2, 2), policy=lenient),
        world.verify(part=Part(2, 2), deep=False),
    ):
        with pytest.raises(SettingsError, match="different policies or options"):
            joined(world, [first, other])


@pytest.mark.parametrize(
    "change",
    [{"size": 4}, {"root": "00" * 32}, {"head": "log/v1/2026/checkpoint/000000000009"}],
    ids=str,
)
def test_an_unsigned_head_is_found(change: dict[str, Any]) -> None:
    """Every part's head must be in the store, signed by a key in the policy."""
    world = SealedStore()
    parts = [msgspec.structs.replace(each, **change) for each in reports(world)]
    assert {"part_differs"} == {each.code for each in joined(world, parts).findings}


def test_a_missing_run_is_found() -> None:
    """Overlapping runs are read again; one with another table, or none, is a finding."""
    world = SealedStore()
    first, second = reports(world)
    runs = (
        Run("azure_monitor", "s", 1, last, "00" * 32, 1, key, "v", "s/1-9")
        for last, key in ((9, world.key_of("ev/")), (8, "../../etc/passwd"), (7, "x" * 9_000))
    )
    assert first.edges is not None
    first.edges.runs += runs
    assert {"object_altered"} == {each.code for each in joined(world, [first, second]).findings}


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["findings"].append({"code": "no_such", "key": "x"}),
        lambda document: document.update(edges=[]),
        lambda document: document.update(now="x"),
    ],
    ids=["code", "edges", "now"],
)
def test_a_malformed_document_is_refused(change: Callable[[Any], None]) -> None:
    """Reading it raises an error that says so."""
    document = json.loads(verify_report.as_document(reports(SealedStore())[0]))
    change(document)
    with pytest.raises(ValueError, match=r"no finding has the code|Expected"):
        verify_report.read_document(json.dumps(document).encode())
