"""Consistency of AWS partitions: everything must be in the same one, as no role reaches across."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nhi_evidence import partitions
from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File, Files, Trail


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
    for path, arn in _single(file):
        if arn is not None:
            yield path, arn
    for path, arns in _listed(file):
        for position, arn in enumerate(arns):
            if arn.startswith("arn:"):  # identities may be of other clouds
                yield (*path, position), arn


def _single(file: File) -> Iterator[tuple[Path, str | None]]:
    yield ("evidence", "legal_role"), file.evidence.legal_role
    feeds: list[tuple[Path, Trail | Files | None]] = [
        *((("trails", at), trail) for at, trail in enumerate(file.trails)),
        *((("sources", at, "files"), entry.files) for at, entry in enumerate(file.sources)),
    ]
    for path, feed in feeds:
        if feed is not None:
            yield (*path, "kms_key"), feed.kms_key
            yield (*path, "topic"), feed.topic


def _listed(file: File) -> Iterator[tuple[Path, Sequence[str]]]:
    for at, auditor in enumerate(file.auditors):
        yield ("auditors", at, "principals"), auditor.principals
    for at, subscriber in enumerate(file.subscribers):
        yield ("subscribers", at, "principals"), subscriber.principals
    yield ("alarms", "topics"), file.alarms.topics
    if file.coverage is not None:
        yield ("coverage", "identities"), file.coverage.identities
    if file.guardrails is not None:
        yield ("guardrails", "pipeline_roles"), file.guardrails.pipeline_roles
        yield ("guardrails", "pipeline_principals"), file.guardrails.pipeline_principals
