"""Consistency of AWS partitions: everything must be in the same one, as no role reaches across."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence import partitions
from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File


def in_one_partition(file: File) -> Iterator[tuple[Path, str]]:
    """Yield each region of no known partition, and each region or ARN of a different partition."""
    regions = [(path, region, partitions.of_region(region)) for path, region in _regions(file)]
    yield from (
        (path, f'"{region}" is in no known AWS partition: check its spelling')
        for path, region, partition in regions
        if partition is None
    )
    first = next((partition for _, _, partition in regions if partition is not None), None)
    if first is None:
        return
    for path, region, partition in regions:
        if partition is not None and partition != first:
            yield (
                path,
                (
                    f"is in {partition.name}, but the evidence is in {first.name}: no role reaches "
                    f"from one into the other; name a region of {first.name}, not {region}"
                ),
            )
    for path, arn in _arns(file):
        if arn.split(":")[1] != first.name:
            yield path, f"is not in the evidence's partition: it must begin with arn:{first.name}:"


def _regions(file: File) -> Iterator[tuple[Path, str]]:
    for at, bucket in enumerate(file.evidence.buckets):
        yield ("evidence", "buckets", at, "region"), bucket.region
        if bucket.replica is not None:
            yield ("evidence", "buckets", at, "replica", "region"), bucket.replica.region
    for at, trail in enumerate(file.trails):
        yield ("trails", at, "region"), trail.region
    for at, entry in enumerate(file.sources):
        if entry.files is not None:
            yield ("sources", at, "files", "region"), entry.files.region


def _arns(file: File) -> Iterator[tuple[Path, str]]:
    if file.evidence.legal_role is not None:
        yield ("evidence", "legal_role"), file.evidence.legal_role
    for at, trail in enumerate(file.trails):
        for key, arn in (("kms_key", trail.kms_key), ("topic", trail.topic)):
            if arn is not None:
                yield ("trails", at, key), arn
    for at, auditor in enumerate(file.auditors):
        for position, arn in enumerate(auditor.principals):
            yield ("auditors", at, "principals", position), arn
    for at, subscriber in enumerate(file.subscribers):
        for position, arn in enumerate(subscriber.principals):
            yield ("subscribers", at, "principals", position), arn
    for position, arn in enumerate(file.alarms.topics):
        yield ("alarms", "topics", position), arn
    if file.guardrails is not None:
        for key in ("pipeline_roles", "pipeline_principals"):
            for position, arn in enumerate(getattr(file.guardrails, key)):
                yield ("guardrails", key, position), arn
