"""The partitions of AWS: how each begins its ARNs and regions, and the domains of its services.

One table for what reads records and what deploys.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
"""

from __future__ import annotations

import msgspec


class Partition(msgspec.Struct, frozen=True):
    """One partition of AWS."""

    name: str
    """As ARNs begin: `arn:<name>:...`."""
    region_prefixes: tuple[str, ...]
    """How the names of its regions begin; of two that match, the longer counts."""
    dns_suffix: str
    """Domain of its services, without a leading dot."""
    dual_stack_suffix: str
    """Domain of its dual-stack endpoints, without a leading dot."""


PARTITIONS = (
    Partition(
        "aws",
        ("us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-"),
        "amazonaws.com",
        "api.aws",
    ),
    Partition("aws-cn", ("cn-",), "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    Partition("aws-us-gov", ("us-gov-",), "amazonaws.com", "api.aws"),
    Partition("aws-eusc", ("eusc-",), "amazonaws.eu", "api.amazonwebservices.eu"),
    Partition("aws-iso", ("us-iso-",), "c2s.ic.gov", "api.aws.ic.gov"),
    Partition("aws-iso-b", ("us-isob-",), "sc2s.sgov.gov", "api.aws.scloud"),
    Partition("aws-iso-e", ("eu-isoe-",), "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    Partition("aws-iso-f", ("us-isof-",), "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
)
"""Every partition known; a region of none of them is no AWS region."""

DNS_SUFFIXES = tuple(dict.fromkeys(partition.dns_suffix for partition in PARTITIONS))
"""Domains of AWS services, each once."""

DUAL_STACK_SUFFIXES = tuple(dict.fromkeys(partition.dual_stack_suffix for partition in PARTITIONS))
"""Domains of dual-stack endpoints, each once."""


def of_region(region: str) -> Partition | None:
    """Return the partition a region belongs to, or None when it is no AWS region."""
    matches = [
        (len(prefix), partition)
        for partition in PARTITIONS
        for prefix in partition.region_prefixes
        if region.startswith(prefix)
    ]
    return max(matches, key=lambda match: match[0])[1] if matches else None
