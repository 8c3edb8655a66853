"""Delivered S3 objects: the names of units, their metadata, and how far ahead they are read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from nhi_evidence import sources
from nhi_evidence.adapters.aws import fetch_ahead, s3_notification, s3_source
from nhi_evidence.adapters.aws.fetch_ahead import FetchAhead
from nhi_evidence.adapters.aws.s3_notification import ObjectRef
from nhi_evidence.adapters.aws.s3_source import AnnouncedObject, S3Source, SourceBucket
from nhi_evidence.errors import DeliveryRefusedError, SourceUnavailableError
from nhi_evidence.event import Delivery, Kind

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ACCOUNT = "123456789012"
PACK = sources.load("aws_cloudtrail")
_DAY = "us-east-1/2026/03/02/111122223333"
HOURLY = f"AWSLogs/111122223333/CloudTrail/{_DAY}_CloudTrail_us-east-1_20260302T0815Z_x.json"
DIGEST = (
    f"AWSLogs/111122223333/CloudTrail-Digest/{_DAY}_CloudTrail-Digest_us-east-1_t_us-east-1_"
    "20260302T081530Z.json.gz"
)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Client]:
    """A versioned bucket `new`, and one that never was versioned, `old`."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        for bucket in ("new", "old"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="new", VersioningConfiguration={"Status": "Enabled"})
        yield s3


def source(client: Any) -> S3Source:
    return S3Source(client, (SourceBucket("new", ACCOUNT), SourceBucket("old", ACCOUNT)), PACK)


class Silent:
    """A client without any method: using it fails the test."""


def test_a_complete_notification_needs_no_request() -> None:
    """It states version and hour, so the unit is named before anything is read."""
    announced = source(Silent()).announce(ObjectRef("new", HOURLY, "v1", 7))
    assert (f"new/{HOURLY}@v1", 7) == (announced.unit, announced.size)


def test_without_a_version_the_etag_names_the_content(client: S3Client) -> None:
    """Exactly that content is read, or none: whatever overwrote it has its own notification."""
    etag = client.put_object(Bucket="old", Key=HOURLY, Body=b"one")["ETag"].strip('"')
    announced = source(client).announce(ObjectRef("old", HOURLY))
    assert (f"old/{HOURLY}@{etag}", 3) == (announced.unit, announced.size)
    assert b"one" == source(client).fetch(announced).body
    client.put_object(Bucket="old", Key=HOURLY, Body=b"other")
    with pytest.raises(SourceUnavailableError, match=r"PreconditionFailed|412"):
        source(client).fetch(announced)


@pytest.mark.parametrize("bucket", ["new", "old"])
def test_without_an_hour_in_the_name_the_storing_time_decides(
    client: S3Client, bucket: str
) -> None:
    """It is the store's own time, and the same every time."""
    answer = client.put_object(Bucket=bucket, Key="some.json", Body=b"x")
    version = answer.get("VersionId")
    modified = client.head_object(Bucket=bucket, Key="some.json")["LastModified"]
    names = {
        source(client).announce(ObjectRef(bucket, "some.json", version)).unit for _ in range(2)
    }
    name = version or answer["ETag"].strip('"')
    assert {f"{bucket}/some.json@{name}!h={modified:%Y%m%d%H}"} == names


def test_source_metadata_is_kept_if_it_never_changes(client: S3Client) -> None:
    """Owner, content type and user metadata, such as a digest's signature; not what may change."""
    version = client.put_object(
        Bucket="new",
        Key=DIGEST,
        Body=b"{}",
        ContentType="application/json",
        ContentEncoding="gzip",
        Metadata={"signature": "ab", "signature-algorithm": "SHA256withRSA"},
    )["VersionId"]
    announced = source(client).announce(ObjectRef("new", DIGEST, version))
    first = source(client).fetch(announced)
    assert Kind.COMPANION is first.kind
    expected = {
        "owner": ACCOUNT,
        "content_type": "application/json",
        "content_encoding": "gzip",
        "meta.signature": "ab",
        "meta.signature-algorithm": "SHA256withRSA",
    }
    assert expected == {
        name: value
        for name, value in first.source_metadata.items()
        if name not in {"etag", "last_modified"}
    }
    client.put_object_tagging(
        Bucket="new", Key=DIGEST, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    )
    assert first == source(client).fetch(announced)


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        (ObjectRef("elsewhere", HOURLY, "1"), "bucket is not a configured source"),
        (ObjectRef("new", "else/x", "1"), "key is outside 'AWSLogs/'"),
        (ObjectRef("new", "AWSLogs/999999999999/x", "1"), "account is not configured"),
        (ObjectRef("new", "AWSLogs/x", "1"), "account is not configured"),
    ],
)
def test_an_unaccepted_object_is_refused_before_any_request(ref: ObjectRef, reason: str) -> None:
    """Whoever can send a message can name any object."""
    place = SourceBucket("new", ACCOUNT, prefix="AWSLogs/", accounts=("111122223333",))
    with pytest.raises(DeliveryRefusedError, match=reason):
        S3Source(Silent(), (place,), PACK).announce(ref)  # type: ignore[arg-type]


def test_a_too_large_object_is_refused_whatever_was_announced(
    client: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3's own size decides, before the body is read."""
    monkeypatch.setattr(s3_source, "MAX_DELIVERED_BYTES", 9)
    version = client.put_object(Bucket="new", Key=HOURLY, Body=b"x" * 10)["VersionId"]
    announced = source(client).announce(ObjectRef("new", HOURLY, version, 1))
    with pytest.raises(DeliveryRefusedError, match="10 bytes, more than 9"):
        source(client).fetch(announced)


def test_a_notification_survives_being_sent_again() -> None:
    """Key, version and size survive, whatever is in the name."""
    for ref in (ObjectRef("b", "a key/ü+%20.json", "v", 7), ObjectRef("b", "k")):
        assert (ref,) == s3_notification.objects(s3_notification.again(ref))


MB = 1 << 20


class Slow:
    """A source that counts objects read but not consumed yet."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.read: list[str] = []
        self.real: dict[str, int] = {}

    def fetch(self, stored: AnnouncedObject, *, at_most: int | None = None) -> Delivery:
        size = self.real.get(stored.unit, stored.size or 0)
        if at_most is not None and size > at_most:
            raise s3_source.LargerThanAnnouncedError("larger")
        with self.lock:
            self.read.append(stored.unit)
        return Delivery(stored.unit, b"")


def announced(sizes: list[int | None]) -> list[AnnouncedObject]:
    return [
        AnnouncedObject(f"u{n}", "b", "k", ACCOUNT, "v", None, size) for n, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    "sizes",
    [
        [1] * 50,
        [10 * MB] * 30,
        [100 * MB, 1, 2 * MB, 100 * MB, 63 * MB, 63 * MB, 1],
        [None, 1, None, 10 * MB, None, None],
        [],
    ],
)
def test_reading_ahead_is_bounded_in_number_and_bytes(sizes: list[int | None]) -> None:
    """Every object is read once, in time, and never more is held than the bounds allow."""
    slow, objects = Slow(), announced(sizes)
    by_name = {stored.unit: stored.size or 0 for stored in objects}
    with ThreadPoolExecutor(8) as executor:
        deliveries = FetchAhead(slow, objects, executor).announced()  # type: ignore[arg-type]
        for place, delivery in enumerate(deliveries):
            assert delivery.unit == delivery.fetch().unit
            time.sleep(0.005)  # mapping, while others are read
            with slow.lock:
                ahead = set(slow.read) - {stored.unit for stored in objects[: place + 1]}
            assert len(ahead) <= fetch_ahead.MAX_OBJECTS
            assert sum(map(by_name.__getitem__, ahead)) <= fetch_ahead.MAX_BYTES
    assert sorted(by_name) == sorted(slow.read)


def test_an_object_larger_than_announced_is_read_in_its_turn() -> None:
    """A forged size only affects how far ahead is read."""
    slow, objects = Slow(), announced([1, 1, 1])
    slow.real["u1"] = 50 * MB
    with ThreadPoolExecutor(8) as executor:
        deliveries = FetchAhead(slow, objects, executor).announced()  # type: ignore[arg-type]
        assert ["u0", "u1", "u2"] == [delivery.fetch().unit for delivery in deliveries]
    assert 1 == slow.read.count("u1")


def test_nothing_is_read_before_it_is_wanted() -> None:
    """A batch that is out of time at once reads nothing."""
    slow = Slow()
    with ThreadPoolExecutor(8) as executor:
        FetchAhead(slow, announced([1] * 9), executor).announced()  # type: ignore[arg-type]
    assert [] == slow.read
