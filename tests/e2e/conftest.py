"""One emulator, and one deployment in it, for all of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.deployment import LOGS, TRAIL, Deployment
from tests.e2e.emulator import Emulator


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A running emulator, with nothing in it."""
    with Emulator(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(scope="session")
def deployed(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Everything deployed, from the example configuration and an existing trail bucket."""
    one = Deployment(aws, tmp_path_factory.mktemp("deployment"))
    one.synthesize()
    one.bootstrap()
    s3 = aws.client("s3", LOGS)
    s3.create_bucket(
        Bucket=TRAIL.bucket, CreateBucketConfiguration={"LocationConstraint": aws.region}
    )
    s3.put_bucket_versioning(Bucket=TRAIL.bucket, VersioningConfiguration={"Status": "Enabled"})
    one.deploy()
    one.lock()
    return one
