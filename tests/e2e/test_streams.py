"""A stream as in its template: records put into it become files that the source reads.

The emulator's Firehose writes each record at once, unchanged: it does not buffer, compress or join,
and has no subscriptions or partners. The test shows that AWS's API accepts the stream, and that its
keys state the hour.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from nhi_evidence import sources
from nhi_evidence.event import Decoded, Limits
from tests.cases.reader import FOLDER
from tests.e2e.emulator import Emulator
from tests.infra.aws import stream_estate as templates
from tests.infra.aws.estate import ARCHIVE, Estate

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    return Estate(templates.synthesized(tmp_path_factory.mktemp("streams")))


def subscribed() -> bytes:
    """Return a subscription's envelopes, compressed as CloudWatch Logs compresses each."""
    return gzip.compress((FOLDER / "k8s_audit/leaks/eks-subscription.json").read_bytes(), mtime=0)


@pytest.fixture(scope="module")
def services(aws: Emulator, streamed: Estate) -> Iterator[Any]:
    """The templates' streams, and their buckets."""
    s3, firehose = aws.client("s3", ARCHIVE), aws.client("firehose", ARCHIVE)
    for bucket in ("eks-audit", "okta-log"):
        s3.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws.region}
        )
    for name in (templates.PROD, templates.OKTA):
        properties = templates.stream(streamed, name)
        # By the names of the API, which are those of CloudFormation.
        destination = {
            **properties["ExtendedS3DestinationConfiguration"],
            "RoleARN": f"arn:aws:iam::{ARCHIVE}:role/{name}",
        }
        destination.pop("CloudWatchLoggingOptions")
        firehose.create_delivery_stream(
            DeliveryStreamName=name,
            DeliveryStreamType=properties["DeliveryStreamType"],
            ExtendedS3DestinationConfiguration=destination,
        )
    yield s3, firehose


@pytest.mark.parametrize(
    ("name", "source", "bucket", "body"),
    [
        (templates.PROD, "k8s_audit", "eks-audit", subscribed()),
        (templates.OKTA, "okta_system", "okta-log", b'{"detail":{"eventType":"a"}}'),
    ],
)
def test_records_put_come_out_as_files_of_the_source(
    services: Any, name: str, source: str, bucket: str, body: bytes
) -> None:
    """Under the stream's prefix, with an hour in the key, in a form the source reads."""
    s3, firehose = services
    put = firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": body}])
    assert 0 == put["FailedPutCount"]
    (delivered,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    loaded = sources.load(source)
    hour = loaded.hour_of(delivered["Key"])
    assert hour is not None
    assert f"{delivered['LastModified']:%Y%m%d}" == hour[:8]
    text = s3.get_object(Bucket=bucket, Key=delivered["Key"])["Body"].read()
    decoded = loaded.decode(text, Limits())
    assert isinstance(decoded, Decoded)
    assert decoded.spans
