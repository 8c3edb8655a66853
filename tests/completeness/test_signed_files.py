"""AWS: an hour is proven exactly if the signed lists equal what is counted."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhi_evidence.completeness import withheld
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.statement import Statement
from nhi_evidence.evidence.lines import unit_id
from nhi_evidence.sources.aws_cloudtrail import digest_chain
from tests.completeness import trail as world
from tests.completeness.spoiled_trails import DIGESTS, FILES, SPOILED, alter, genuine
from tests.completeness.trail import (
    BUCKET,
    HOUR,
    SCOPE,
    START,
    Stored,
    Trail,
    evidence_of,
)

FIRST, SECOND, THIRD = "2026030208", "2026030209", "2026030210"


def named(statement: Statement) -> list[tuple[str, str]]:
    return [(each.reason, each.name) for each in statement.named]


def test_everything_named_and_counted_is_proven() -> None:
    """Each hour separately; the statement names each counted unit and its object."""
    trail = Trail()
    files = trail.hours(3, files=2)
    evidence = evidence_of(trail)
    for number, hour in enumerate((FIRST, SECOND, THIRD)):
        statement = evidence.on(hour)
        assert (Verdict.PROVEN, (), 2, 2) == (
            statement.verdict,
            statement.reasons,
            statement.expected,
            statement.found,
        )
        counted = {each.u for each in statement.counts}
        assert {
            unit_id(f"{BUCKET}/{key}@v1") for key in files[2 * number : 2 * number + 2]
        } <= counted
        assert all(each.key in evidence.store.objects and each.vid for each in statement.counts)


def test_a_quiet_hour_is_proven_too() -> None:
    """A digest without files states that there were none."""
    trail = Trail()
    trail.hours(1)
    trail.digest(START + 2 * HOUR, [])
    trail.digest(START + 3 * HOUR, [])
    statement = evidence_of(trail).on(SECOND)
    assert (Verdict.PROVEN, 0, 0) == (statement.verdict, statement.expected, statement.found)


def test_digest_hours_need_not_be_clock_hours() -> None:
    """A trail started at twenty to the hour has digests until then: two cover each hour."""
    trail = Trail()
    start = START + timedelta(minutes=39, seconds=41)
    for number in range(3):
        begins = start + number * HOUR
        own = [trail.file(begins + timedelta(minutes=minute)) for minute in (5, 55)]
        trail.digest(begins + HOUR, own)
    evidence = evidence_of(trail)
    assert Verdict.PROVEN is evidence.on(SECOND).verdict
    assert 2 == evidence.on(SECOND).found
    first = evidence.on(FIRST)
    assert ("uncovered",) == first.reasons, "before the trail began"


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("signature", ["", "00", "ff" * 256])
def test_a_version_of_a_list_without_its_signature_disproves_nothing(
    signature: str, *, is_first: bool
) -> None:
    """Somebody copied the file over itself: the list is the same, and one version shows who signed
    it.
    """
    trail = genuine()
    deliveries = trail.deliveries()
    again = [
        msgspec.structs.replace(
            each,
            unit=each.unit.replace("@v1", "@v2"),
            source_metadata={"meta.signature": signature},
        )
        for each in deliveries
        if trail.digests[1] in each.unit
    ]
    assert again
    evidence = world.Evidence(START + 72 * HOUR)
    for batch in (again, deliveries) if is_first else (deliveries, again):
        evidence.lock(batch)
        evidence.seal()
    for hour in (SECOND, THIRD):
        statement = evidence.on(hour)
        assert (Verdict.PROVEN, []) == (statement.verdict, named(statement))


@pytest.mark.parametrize("name", SPOILED)
def test_each_negative_is_named(name: str) -> None:
    """The hour concerned is not proven and names the cause; later hours are proven."""
    spoil, expected = SPOILED[name]
    trail = genuine()
    spoil(trail)
    evidence = evidence_of(trail)
    statement = evidence.on(SECOND)
    assert Verdict.UNPROVABLE is statement.verdict
    assert statement.is_incomplete
    assert set(expected) <= set(named(statement)), named(statement)
    assert Verdict.PROVEN is evidence.on("2026030211").verdict


def test_two_adjacent_missing_digests_are_both_named() -> None:
    """The later one by the following digest, the earlier one by its time."""
    trail = genuine()
    for key in DIGESTS[1:3]:
        del trail.objects[key]
    evidence = evidence_of(trail)
    for hour in (SECOND, THIRD):
        missing = [name for reason, name in named(evidence.on(hour)) if reason == "digest_missing"]
        assert [f"{BUCKET}/{key}" for key in DIGESTS[1:3]] == sorted(missing), hour
    assert Verdict.PROVEN is evidence.on(FIRST).verdict


def test_a_backfill_digest_replaces_one_that_failed() -> None:
    """It covers the gap in the chain with a chain of its own."""
    trail = Trail()
    trail.hours(1)
    late = trail.file(START + HOUR + timedelta(minutes=5), "late")
    trail.hours(1, start=START + 2 * HOUR)
    del trail.objects[trail.digests[1]]
    trail.digests.pop()
    trail.digest(START + 3 * HOUR, [], first=True)
    trail.objects.pop(next(key for key in trail.objects if "T1005Z" in key))
    assert "uncovered" in evidence_of(trail).on(SECOND).reasons
    trail.digest(START + 2 * HOUR, [late], backfill=True, first=True)
    statement = evidence_of(trail).on(SECOND)
    assert (Verdict.PROVEN, 1) == (statement.verdict, statement.found)


def test_a_file_may_be_named_late() -> None:
    """For two days it waits; any later digest of the chain may name it."""
    trail = Trail()
    trail.hours(1)
    late = trail.file(START + timedelta(minutes=50), "late")
    for number in range(2, 5):
        trail.digest(START + number * HOUR, [late] if number == 4 else [])
    assert Verdict.PROVEN is evidence_of(trail).on(FIRST).verdict
    waiting = genuine()
    waiting.file(START + HOUR + timedelta(minutes=7), "extra")
    statement = evidence_of(waiting, START + 6 * HOUR).on(SECOND)
    assert (("waiting",), False) == (statement.reasons, statement.is_incomplete)
    assert int((START + 50 * HOUR).timestamp() * 1000) == statement.open_until


def test_the_newest_hour_is_open() -> None:
    """Its digest does not exist yet, so nothing is called missing."""
    trail = Trail()
    trail.hours(2)
    trail.file(START + 2 * HOUR + timedelta(minutes=5))
    statement = evidence_of(trail, START + 3 * HOUR).on(THIRD)
    assert (("open", "waiting"), False) == (statement.reasons, statement.is_incomplete)


def test_without_the_key_nothing_is_proven_nor_missing() -> None:
    """The signer was not checked, which is reported and not a finding."""
    statement = evidence_of(genuine()).on(SECOND, keys={})
    assert (("key_unknown",), False) == (statement.reasons, statement.is_incomplete)
    assert (1, 1) == (statement.expected, statement.found)


def test_without_digests_nothing_can_be_said() -> None:
    """A trail without validation is unprovable, and nothing is unbacked."""
    trail = Trail()
    trail.file(START + timedelta(minutes=5))
    statement = evidence_of(trail).on(FIRST)
    assert (("no_list",), None, False) == (
        statement.reasons,
        statement.expected,
        statement.is_incomplete,
    )


def test_an_unreadable_file_counts_as_delivered() -> None:
    """A file the provider signed is evidence even if nobody can parse it."""
    trail = Trail()
    trail.hours(1)
    broken = trail.file(START + HOUR + timedelta(minutes=5))
    trail.objects[broken] = Stored(gzip.compress(b'{"Records":[{', mtime=0))
    trail.digest(START + 2 * HOUR, [broken])
    trail.digest(START + 3 * HOUR, [])
    assert Verdict.PROVEN is evidence_of(trail).on(SECOND).verdict


def test_the_same_file_twice_counts_once_and_is_proven() -> None:
    """It was redelivered in another batch."""
    trail = genuine()
    evidence = evidence_of(trail)
    evidence.lock([one for one in trail.deliveries() if FILES[1] in one.unit])
    evidence.seal()
    statement = evidence.on(SECOND)
    assert (Verdict.PROVEN, 1) == (statement.verdict, statement.found)
    assert 1 == sum(each.u == unit_id(f"{BUCKET}/{FILES[1]}@v1") for each in statement.counts)


def test_a_contested_file_is_not_counted() -> None:
    """For one version with different bytes neither wins, and the hour says so."""
    trail = genuine()
    evidence = evidence_of(trail)
    alter(FILES[1], lambda text: text.replace(b"ListBuckets", b"GetBuckets!"))(trail)
    evidence.lock([one for one in trail.deliveries() if FILES[1] in one.unit])
    evidence.seal()
    statement = evidence.on(SECOND)
    assert [("contested", f"{BUCKET}/{FILES[1]}")] == named(statement)


def test_accounts_and_regions_are_judged_apart() -> None:
    """A file withheld in one region leaves the other region's hour proven."""
    here, there = genuine(), Trail(region="eu-central-1")
    lost = there.hours(5)[1]
    evidence = evidence_of(here)
    evidence.lock([one for one in there.deliveries() if lost not in one.unit])
    evidence.seal()
    assert Verdict.PROVEN is evidence.on(SECOND).verdict
    other = evidence.on(SECOND, scope=type(SCOPE)("111122223333", "eu-central-1", SCOPE.stream))
    assert [("missing", f"{BUCKET}/{lost}")] == named(other)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["both", "digest alone", "file alone"]), min_size=1, max_size=6),
    st.booleans(),
)
def test_proven_exactly_when_the_sets_are_equal(kinds: list[str], has_key: bool) -> None:
    """For any hour with files that are named, delivered, or both."""
    trail = Trail()
    trail.hours(1)
    files = [
        trail.file(START + HOUR + timedelta(minutes=5), f"f{number}")
        for number in range(len(kinds))
    ]
    stated = [file for file, kind in zip(files, kinds, strict=True) if kind != "file alone"]
    trail.digest(START + 2 * HOUR, stated)
    trail.digest(START + 3 * HOUR, [])
    for file, kind in zip(files, kinds, strict=True):
        if kind == "digest alone":
            del trail.objects[file]
    keys = world.public_keys() if has_key else {}
    statement = evidence_of(trail).on(SECOND, keys=keys)
    assert (set(kinds) == {"both"} and has_key) is (statement.verdict is Verdict.PROVEN)
    assert (len(stated), kinds.count("both")) == (statement.expected, statement.found)
    assert kinds.count("digest alone") == statement.totals.get("missing", 0)
    assert kinds.count("file alone") == statement.totals.get("unbacked", 0)


def test_documents_that_are_not_digests_prove_nothing() -> None:
    """A bad companion affects only its own hour, and is named."""
    trail = genuine()
    trail.objects[DIGESTS[1]] = Stored(gzip.compress(json.dumps({"a": 1}).encode()), {})
    evidence = evidence_of(trail)
    assert ("digest_invalid", f"{BUCKET}/{DIGESTS[1]}") in named(evidence.on(THIRD))
    assert "digest_missing" in evidence.on(SECOND).reasons
    assert Verdict.PROVEN is evidence.on("2026030211").verdict


@pytest.mark.parametrize(
    "member",
    [
        *("digestS3Object", "digestEndTime", "digestPublicKeyFingerprint"),
        *("previousDigestS3Bucket", "previousDigestS3Object"),
        *("previousDigestHashValue", "previousDigestSignature"),
    ],
)
def test_a_digest_with_a_text_longer_than_any_states_nothing(member: str) -> None:
    """It would be kept once for each hour that the digest has to do with."""
    stated = {
        "digestStartTime": "2026-03-02T08:00:00Z",
        "digestEndTime": "2026-03-02T09:00:00Z",
        "digestS3Bucket": BUCKET,
        "digestS3Object": "AWSLogs/x",
        "digestPublicKeyFingerprint": "ab",
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": BUCKET,
        "previousDigestS3Object": "AWSLogs/w",
        "previousDigestHashValue": "ab",
        "previousDigestHashAlgorithm": "SHA-256",
        "previousDigestSignature": "ab",
        "logFiles": [],
    }
    assert f"{BUCKET}/AWSLogs/x" == digest_chain.signed_list(json.dumps(stated).encode()).place
    long = "2026-03-02T09:00:00.%sZ" % ("0" * 5000) if "Time" in member else "a" * 5000
    with pytest.raises(ValueError, match="longer than any bucket, key or signature"):
        digest_chain.signed_list(json.dumps(stated | {member: long}).encode())


def test_a_small_store_names_what_it_lacks() -> None:
    """It names the one withheld file, as in a demonstration."""
    trail = genuine()
    del trail.objects[FILES[3]]
    evidence = evidence_of(trail)
    stated = withheld.statements(
        evidence.store, world.NAME, [evidence.key], world.public_keys(), now=evidence.now
    )
    assert [("missing", f"{BUCKET}/{FILES[3]}")] == [
        (each.reason, each.name) for each in withheld.lacking(stated)
    ]
