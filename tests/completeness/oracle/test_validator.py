"""The AWS CLI's validator and ours judge the same trails, and agree on the invalid files.

Where they differ, the pinned validator has a defect, which is listed with its reason.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from nhi_evidence.completeness.statement import Scope
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from tests.cloudtrail_stub import CloudTrailStub
from tests.completeness import trail as world
from tests.completeness.oracle import validator
from tests.completeness.oracle.validator import Output
from tests.completeness.trail import BUCKET, HOUR, REGION, START, Trail, evidence_of

HOURS = 6
OURS = {"missing", "altered", "digest_missing", "digest_invalid", "key_unknown"}
"""Our reasons that correspond to the validator's INVALID."""

Act = Callable[[Trail, list[str]], None]


class Case(NamedTuple):
    """A change to a trail of six hours with two files each."""

    act: Act
    defect: str = ""
    """Why the pinned validator calls fewer files invalid, if it does; otherwise empty.
    """


def _gone(*numbers: int) -> Act:
    def act(trail: Trail, files: list[str]) -> None:
        for number in numbers:
            del trail.objects[files[number]]

    return act


def _digests_gone(*numbers: int) -> Act:
    def act(trail: Trail, _files: list[str]) -> None:
        for number in numbers:
            del trail.objects[trail.digests[number]]

    return act


def _both(*acts: Act) -> Act:
    def act(trail: Trail, files: list[str]) -> None:
        for each in acts:
            each(trail, files)

    return act


def _body(number: int, change: Callable[[bytes], bytes]) -> Act:
    def act(trail: Trail, files: list[str]) -> None:
        trail.objects[files[number]].body = change(trail.objects[files[number]].body)

    return act


def _digest_body(number: int, change: Callable[[bytes], bytes]) -> Act:
    def act(trail: Trail, _files: list[str]) -> None:
        stored = trail.objects[trail.digests[number]]
        stored.body = change(stored.body)

    return act


def _text(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda body: gzip.compress(change(gzip.decompress(body)), mtime=0)


def _signed(number: int, by: int) -> Act:
    def act(trail: Trail, _files: list[str]) -> None:
        stored = trail.objects[trail.digests[number]]
        stored.metadata["signature"] = world.sign(gzip.decompress(stored.body), by)

    return act


def _unsigned(number: int) -> Act:
    return lambda trail, _files: trail.objects[trail.digests[number]].metadata.clear()


def _moved(number: int) -> Act:
    def act(trail: Trail, _files: list[str]) -> None:
        key = trail.digests[number]
        trail.objects[key] = trail.objects[trail.digests[number - 1]]

    return act


def _swapped(trail: Trail, files: list[str]) -> None:
    first, two = files[2:4]
    trail.objects[first], trail.objects[two] = trail.objects[two], trail.objects[first]


def _rewritten(number: int) -> Act:
    """A digest without one file, signed again by the provider's own key."""

    def act(trail: Trail, _files: list[str]) -> None:
        stored = trail.objects[trail.digests[number]]
        content = json.loads(gzip.decompress(stored.body))
        content["logFiles"] = content["logFiles"][:1]
        text = json.dumps(content).encode()
        stored.body = gzip.compress(text, mtime=0)
        stored.metadata["signature"] = world.sign(text)

    return act


def _restarted(trail: Trail, _files: list[str]) -> None:
    """Validation is disabled for two hours, so the chain starts over."""
    start = START + (HOURS + 2) * HOUR
    file = trail.file(start + timedelta(minutes=5))
    trail.digest(start + HOUR, [file], first=True)


def _backfill(trail: Trail, _files: list[str]) -> None:
    late = trail.file(START + 2 * HOUR + timedelta(minutes=30), "late")
    trail.digest(START + 3 * HOUR, [late], backfill=True)


def _backfill_without_file(trail: Trail, files: list[str]) -> None:
    _backfill(trail, files)
    del trail.objects[next(key for key in trail.objects if key.endswith("_late.json.gz"))]


def _backfill_altered(trail: Trail, files: list[str]) -> None:
    _backfill(trail, files)
    stored = trail.objects[trail.digests[-1]]
    stored.body = _text(lambda text: text + b" ")(stored.body)


def _two_members(body: bytes) -> bytes:
    text = gzip.decompress(body)
    return gzip.compress(text[:9], mtime=0) + gzip.compress(text[9:], mtime=0)


def _flip(body: bytes) -> bytes:
    return body[:-9] + bytes([body[-9] ^ 1]) + body[-8:]


def _nothing(_trail: Trail, _files: list[str]) -> None:
    """The clean trail."""


CHAIN = "a digest that is not there hides the one before it: the validator goes on by the listing"
LINK = (
    "the digest that follows states its hash and signature; the validator compares neither with "
    "the digest that is there"
)
TAIL = "zlib.decompress leaves out what follows the gzip stream of a digest"
MEMBERS = (
    "a gzip file of two members (RFC 1952 section 2.2) with the bytes that were signed is what was "
    "signed; the validator takes the second for appended bytes"
)
CASES: dict[str, Case] = {
    "clean": Case(_nothing),
    "first file gone": Case(_gone(0)),
    "a file gone": Case(_gone(5)),
    "last file gone": Case(_gone(11)),
    "both files of an hour gone": Case(_gone(4, 5)),
    "every file gone": Case(_gone(*range(12))),
    "a file altered": Case(_body(3, _text(lambda text: text.replace(b"List", b"Gets")))),
    "a file longer by a space": Case(_body(3, _text(lambda text: text + b" "))),
    "a file shorter": Case(_body(3, _text(lambda text: text[:-1]))),
    "a file empty inside": Case(_body(3, lambda _body: gzip.compress(b"", mtime=0))),
    "a file that is no gzip": Case(_body(3, lambda _body: b"not gzip")),
    "a file cut off": Case(_body(3, lambda body: body[: len(body) // 2])),
    "a file with a damaged byte": Case(_body(3, _flip)),
    "bytes after a file": Case(_body(3, lambda body: body + b"appended")),
    "a file compressed again": Case(_body(3, _text(lambda text: text))),
    "two files swapped": Case(_swapped),
    "a file in two gzip members": Case(_body(3, _two_members), MEMBERS),
    "a digest gone": Case(_digests_gone(2)),
    "two digests apart gone": Case(_digests_gone(1, 3)),
    "two adjacent digests gone": Case(_digests_gone(2, 3), CHAIN),
    "three adjacent digests gone": Case(_digests_gone(1, 2, 3), CHAIN),
    "a digest and a file gone": Case(_both(_digests_gone(2), _gone(8))),
    "a digest altered": Case(_digest_body(2, _text(lambda text: text + b" "))),
    "a digest that is no gzip": Case(_digest_body(2, lambda _body: b"not gzip")),
    "bytes after a digest": Case(_digest_body(2, lambda body: body + b"appended"), TAIL),
    "a digest signed by another key": Case(_signed(2, 1)),
    "a digest without its signature": Case(_unsigned(2)),
    "a digest in the place of another": Case(_moved(2)),
    "a digest rewritten and signed again": Case(_rewritten(2), LINK),
    "validation off for two hours": Case(_restarted),
    "a backfill digest": Case(_backfill),
    "a file of a backfill digest gone": Case(_backfill_without_file),
    "a backfill digest altered": Case(_backfill_altered),
}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A separate emulated S3."""
    with EmbeddedStore(tmp_path_factory.mktemp("validated"), sources=()) as running:
        yield running


@pytest.fixture(scope="module")
def trails() -> dict[str, Trail]:
    """Each case's trail, in a separate account."""
    by_name: dict[str, Trail] = {}
    for number, (name, case) in enumerate(CASES.items(), start=1):
        trail = Trail(account=f"{123_456_000_000 + number}")
        files = trail.hours(HOURS, files=2)
        case.act(trail, files)
        by_name[name] = trail
    return by_name


@pytest.fixture(scope="module")
def validated(
    bucket: EmbeddedStore, trails: dict[str, Trail], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Output]:
    """The validator's verdicts on each, all from one bucket."""
    client = bucket.client(bucket.admin)
    client.create_bucket(Bucket=BUCKET)
    for trail in trails.values():
        for key, stored in trail.objects.items():
            client.put_object(Bucket=BUCKET, Key=key, Body=stored.body, Metadata=stored.metadata)
    with CloudTrailStub(world.public_keys()) as cloudtrail:
        calls = [
            [
                *("--trail-arn", f"arn:aws:cloudtrail:{REGION}:{trail.account}:trail/trail"),
                *("--start-time", f"{START:%Y-%m-%dT%H:%M:%SZ}"),
                *("--end-time", f"{START + 12 * HOUR:%Y-%m-%dT%H:%M:%SZ}"),
                *("--s3-bucket", BUCKET, "--account-id", trail.account),
            ]
            for trail in trails.values()
        ]
        variables = {
            **bucket.environment(bucket.admin),
            "AWS_ENDPOINT_URL_CLOUDTRAIL": cloudtrail.endpoint_url,
            "HOME": str(tmp_path_factory.mktemp("home")),
            "PATH": "/usr/bin:/bin",
        }
        outputs = validator.validate(calls, variables)
    return dict(zip(trails, outputs, strict=True))


def not_valid(trail: Trail) -> set[str]:
    """Return what we call invalid in a trail: digests and files, by place."""
    evidence = evidence_of(trail)
    scope = Scope(trail.account, REGION, f"{BUCKET}/AWSLogs/")
    return {
        named.name
        for held in evidence.statements()
        for each in held.statements
        if each.scope == scope
        for named in each.named
        if named.reason in OURS
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_both_validators_call_the_same_files_invalid(
    trails: dict[str, Trail], validated: dict[str, Output], name: str
) -> None:
    """By name, except what the validator misses or wrongly reports because of listed defects."""
    ours, theirs = not_valid(trails[name]), set(validated[name].invalid)
    if not CASES[name].defect:
        assert ours == theirs, validated[name]
        assert bool(ours) == bool(validated[name].code)
    elif CASES[name].defect == MEMBERS:
        assert not ours
        assert 1 == len(theirs)
    else:
        assert theirs < ours, validated[name]


@pytest.mark.slow
def test_the_validator_read_every_valid_file(validated: dict[str, Output]) -> None:
    """The validator does not just agree: it read every digest and file of the clean trail."""
    clean = validated["clean"]
    assert (0, 3 * HOURS, {}) == (clean.code, len(clean.valid), clean.invalid)


def test_there_are_thirty_cases_and_four_defects() -> None:
    """As stated on the page."""
    assert len(CASES) >= 30
    assert {CHAIN, LINK, TAIL, MEMBERS} == {case.defect for case in CASES.values()} - {""}


def test_a_key_that_is_not_listed_is_not_valid_to_either(tmp_path: Path) -> None:
    """Without the provider's key nothing is proven."""
    del tmp_path
    trail = Trail()
    trail.hours(HOURS)
    evidence = evidence_of(trail)
    assert {f"{BUCKET}/{digest}" for digest in trail.digests} == {
        named.name
        for held in evidence.statements({})
        for each in held.statements
        for named in each.named
        if named.reason == "key_unknown"
    }
