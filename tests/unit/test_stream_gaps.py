"""What verification says of streams beyond the tamper matrix."""

from __future__ import annotations

import pytest

from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.verify import Options, Verifier
from nhi_evidence.evidence.verify.streams import Streams
from tests.tamper import stream_rows
from tests.tamper.sealed_store import SealedStore

HASH = "ab" * 32


@pytest.mark.parametrize(
    "options", [Options(), Options(deep=True, sample=3), Options(sample=3), Options(deep=True)]
)
def test_only_everything_inside_shows_a_gap(options: Options) -> None:
    """Of a part of the objects no gap is claimed, and the report says that it did not look."""
    world = SealedStore()
    stream_rows.gap(world)
    report = Verifier(world.store, world.policy, now=world.now, options=options).run()
    everything = options == Options(deep=True)
    assert everything == ("range_gap" in {one.code for one in report.findings})
    assert everything != any("the messages of a stream" in one for one in report.not_checked)


def test_messages_of_two_runs_are_told() -> None:
    """Three messages of the overlapping row came in two runs."""
    world = SealedStore()
    stream_rows.overlap(world)
    assert 3 == world.verify().units["duplicate messages"]


@pytest.mark.parametrize(
    ("expired", "gaps"),
    [
        ([], ["numbers 4 to 9"]),
        (["5-6"], ["number 4", "numbers 7 to 9"]),
        (["1-5", "4-7"], ["numbers 8 to 9"]),
        (["8-20"], ["numbers 4 to 7"]),
        (["20-30"], ["numbers 4 to 9"]),
        (["4-6", "7-9"], []),
    ],
)
def test_a_gap_is_what_did_not_expire(expired: list[str], gaps: list[str]) -> None:
    """Numbers whose objects expired are taken out of a gap, whatever their edges."""
    world = SealedStore()
    stream_rows.write_run(world, 1, 3)
    stream_rows.write_run(world, 10, 12)
    world.seal()
    verifier = Verifier(world.store, world.policy, now=world.now, options=Options(deep=True))
    for named in expired:
        verifier._streams.expired(_gone(named))
    assert gaps == [one.detail for one in verifier.run().findings]


def test_an_expired_unit_without_numbers_silences_gaps() -> None:
    """A key too long to spell its unit cannot say which numbers expired; the report says so."""
    world = SealedStore()
    stream_rows.gap(world)
    verifier = Verifier(world.store, world.policy, now=world.now, options=Options(deep=True))
    long = f"ev/v1/azure_monitor/h=2026010923/~{HASH[:40]}/{HASH}.ndjson.zst"
    verifier._streams.expired(_leaf(long))
    report = verifier.run()
    assert [] == report.findings
    assert any("gaps in streams of azure_monitor" in one for one in report.not_checked)


def test_what_is_no_stream_expires_silently() -> None:
    """Files have no numbers."""
    streams = Streams()
    streams.expired(_leaf(f"ev/v1/aws_cloudtrail/h=2026010923/a/b@v1/{HASH}.ndjson.zst"))
    streams.expired(_leaf(f"src/v1/azure_monitor/h=2026010923/~{HASH[:40]}/{HASH}"))
    assert (set(), []) == (streams.unnamed, list(streams.findings()))


def _gone(numbers: str) -> ObjectLeaf:
    stream = stream_rows.STREAM.replace("#", "%23")
    return _leaf(f"ev/v1/azure_monitor/h=2026010923/{stream}/{numbers}/{HASH}.ndjson.zst")


def _leaf(key: str) -> ObjectLeaf:
    return ObjectLeaf(key=key, vid="1", at=0, size=1, sha256=HASH, until=0, md={}, flags=())
