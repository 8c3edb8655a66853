"""The example in other partitions of AWS."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.infra.aws.conftest import EXAMPLE
from tests.infra.aws.estate import Estate
from tests.infra.aws.linting import complaints
from tests.infra.aws.test_app import synthesized

PARTITIONS = {
    "us-gov-west-1": "aws-us-gov",
    "cn-north-1": "aws-cn",
    "eusc-de-east-1": "aws-eusc",
}
"""A region to the partition it is in."""


def in_region(region: str, out: Path) -> Estate:
    """Return the example for a region of another partition."""
    text = EXAMPLE.replace("eu-central-1", region)
    return synthesized(text.replace("arn:aws:", f"arn:{PARTITIONS[region]}:"), out)


@pytest.mark.parametrize("region", PARTITIONS)
def test_another_partition(region: str, tmp_path: Path) -> None:
    """Every ARN has the partition."""
    written = json.dumps(in_region(region, tmp_path).templates)
    assert {PARTITIONS[region]} == set(re.findall(r"arn:(aws[a-z-]*):", written))


@pytest.mark.slow
@pytest.mark.parametrize("region", PARTITIONS)
def test_every_resource_exists_in_a_region_of_another_partition(
    region: str, tmp_path: Path
) -> None:
    """According to the linter."""
    in_region(region, tmp_path)
    # The linter knows the services of every region, but not the newest partition's ARN prefix.
    new = ("arn:aws-eusc:", "arn:aws:")
    assert [] == complaints(tmp_path / "cdk.out", read_as=new)
