"""The table of AWS partitions agrees with the SDK's own."""

from __future__ import annotations

import pytest
from botocore.session import Session

from nhi_evidence import partitions

SDK = {partition["id"]: partition for partition in Session().get_data("partitions")["partitions"]}


def test_every_partition_of_the_sdk_is_known() -> None:
    """Names and domains are those the SDK signs requests for."""
    assert {name: one["outputs"]["dnsSuffix"] for name, one in SDK.items()} == {
        one.name: one.dns_suffix for one in partitions.PARTITIONS
    }
    assert {name: one["outputs"]["dualStackDnsSuffix"] for name, one in SDK.items()} == {
        one.name: one.dual_stack_suffix for one in partitions.PARTITIONS
    }


@pytest.mark.parametrize("name", SDK)
def test_every_region_of_the_sdk_is_in_its_partition(name: str) -> None:
    """No region is assigned to another partition."""
    for region in SDK[name]["regions"]:
        if not region.endswith("-global"):
            partition = partitions.of_region(region)
            assert partition is not None, region
            assert partition.name == name


@pytest.mark.parametrize("region", ["", "westeurope", "xx-east-1", "global"])
def test_an_unknown_region_has_no_partition(region: str) -> None:
    """A name that does not start like a region is not one."""
    assert partitions.of_region(region) is None
