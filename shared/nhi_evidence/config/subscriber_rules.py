"""Consistency of subscribers: one per evidence bucket, each with a bucket of its own.

S3 does not accept two notifications of the same event and prefix, so a second subscriber must be
fed from the first one's bucket, not from the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.config import naming
from nhi_evidence.config.aws.web_trust import SENTINEL
from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File


def subscribers_fit(file: File) -> Iterator[tuple[Path, str]]:
    """Yield each subscriber without evidence, each second one, and each bucket already in use."""
    names = [one.name for one in file.evidence.buckets]
    taken = dict(_buckets(file))
    seen: dict[str, int] = {}
    for at, subscriber in enumerate(file.subscribers):
        path: Path = ("subscribers", at)
        if subscriber.evidence not in names:
            yield (
                (*path, "evidence"),
                f'"{subscriber.evidence}" is not an evidence bucket; there are: {", ".join(names)}',
            )
        first = seen.setdefault(subscriber.evidence, at + 1)
        if first != at + 1:
            yield (
                (*path, "evidence"),
                (
                    f'"{subscriber.evidence}" already has a subscriber, entry {first}: let its '
                    "bucket notify a topic that both subscribe to, or remove one"
                ),
            )
        if subscriber.bucket in taken:
            yield (
                (*path, "bucket"),
                (
                    f"is {taken[subscriber.bucket]}: the lines expire, and need a bucket of their "
                    "own; name another"
                ),
            )
        taken.setdefault(subscriber.bucket, f"that of entry {at + 1}")
        if not subscriber.principals:
            yield (*path, "principals"), "is empty: at least one is needed"
    yield from _sentinels(file)


def _sentinels(file: File) -> Iterator[tuple[Path, str]]:
    """Yield each Sentinel in a partition that it cannot access, and each second new provider."""
    regions = {one.name: one.region for one in file.evidence.buckets}
    makes: dict[str, int] = {}
    for at, subscriber in enumerate(file.subscribers):
        path: Path = ("subscribers", at, "sentinel")
        region = regions.get(subscriber.evidence)
        if subscriber.sentinel is None or region is None:
            continue
        partition = naming.partition(region)
        if partition not in SENTINEL:
            yield path, f"Microsoft Sentinel cannot access accounts in the partition {partition}"
        if subscriber.sentinel.provider == "new":
            first = makes.setdefault(partition, at + 1)
            if first != at + 1:
                yield (
                    (*path, "provider"),
                    f'is "new", as in entry {first}, but an account has one: write "existing"',
                )


def _buckets(file: File) -> Iterator[tuple[str, str]]:
    for bucket in file.evidence.buckets:
        yield bucket.bucket, "an evidence bucket"
        if bucket.replica is not None:
            yield bucket.replica.bucket, "a replica of the evidence"
        if bucket.athena is not None:
            yield bucket.athena.results, "for Athena's results"
    for trail in file.trails:
        yield trail.bucket, "a bucket that logs are delivered to"
    for entry in file.sources:
        if entry.files is not None:
            yield entry.files.bucket, "a bucket that logs are delivered to"
