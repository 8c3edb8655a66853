"""Consistency of where files come from: buckets, prefixes, keys and topics.

S3 only encrypts with keys in the bucket's own region, only notifies topics in that region, and does
not accept two notifications of the same event with overlapping prefixes:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
"""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.config import naming
from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File, Files, Trail

_Feed = Trail | Files
_FOLDER = "AWSLogs/"
_PATTERN = frozenset("*?[]")


def feeds_fit(file: File) -> Iterator[tuple[Path, str]]:
    """Yield what would prevent a delivery, or deliver twice."""
    kept = {bucket.bucket: "an evidence bucket" for bucket in file.evidence.buckets}
    kept |= {
        bucket.replica.bucket: "a replica of the evidence"
        for bucket in file.evidence.buckets
        if bucket.replica is not None
    }
    kept |= {
        bucket.athena.results: "for Athena's results"
        for bucket in file.evidence.buckets
        if bucket.athena is not None
    }
    feeds = list(_feeds(file))
    for path, feed in feeds:
        if feed.bucket in kept:
            yield (
                (*path, "bucket"),
                (
                    f"is {kept[feed.bucket]}: what is delivered and what is kept must not share "
                    "one; name the bucket that logs are delivered to"
                ),
            )
        yield from _prefix(path, feed)
        yield from _region(path, feed)
    yield from _overlaps(feeds)
    yield from _exporters(file)


def topics_fit(file: File, regions: set[str]) -> Iterator[tuple[Path, str]]:
    """Yield each alarm topic in a region without alarms, or with another topic already.

    `regions` are those with alarms.
    """
    taken: set[str] = set()
    for position, topic in enumerate(file.alarms.topics):
        region = topic.split(":")[3]
        path: Path = ("alarms", "topics", position)
        if region not in regions:
            known = ", ".join(sorted(regions))
            yield path, f"is in {region}, which has no alarms; alarms are in: {known}"
        elif region in taken:
            yield path, f"is the second topic in {region}: CloudWatch alarms use one per region"
        taken.add(region)


def _feeds(file: File) -> Iterator[tuple[Path, _Feed]]:
    for at, trail in enumerate(file.trails):
        yield ("trails", at), trail
    for at, entry in enumerate(file.sources):
        if entry.files is not None:
            yield ("sources", at, "files"), entry.files


def _prefix(path: Path, feed: _Feed) -> Iterator[tuple[Path, str]]:
    prefix = feed.prefix
    if isinstance(feed, Trail) and _FOLDER in prefix:
        yield (
            (*path, "prefix"),
            f"contains {_FOLDER}, which CloudTrail adds itself: remove it and what follows",
        )
    if "//" in prefix:
        yield (*path, "prefix"), "has an empty folder (//), which no delivery has"
    if _PATTERN & set(prefix) or not prefix.isprintable():
        yield (*path, "prefix"), "is a literal prefix, not a pattern: write the beginning"


def _region(path: Path, feed: _Feed) -> Iterator[tuple[Path, str]]:
    is_new = isinstance(feed, Trail) and feed.kind == "new"  # takes no topic at all
    for key, arn, why in (
        ("kms_key", feed.kms_key, "S3 only encrypts with keys in the bucket's region"),
        ("topic", None if is_new else feed.topic, "S3 only notifies topics in the bucket's region"),
    ):
        if arn is not None and (region := arn.split(":")[3]) != feed.region:
            yield (
                (*path, key),
                f"is in {region}, but the bucket is in {feed.region}: {why}; name one there",
            )


def _exporters(file: File) -> Iterator[tuple[Path, str]]:
    """Yield each feed whose exporter would have the name of an earlier one's.

    If their prefixes overlap, that is what has to be resolved first.
    """
    ids = {one.name: naming.deployment(one.name, one.log) for one in file.evidence.buckets}
    seen: dict[str, tuple[int, str | Files]] = {}
    for at, entry in enumerate(file.sources):
        feed = entry.trail or entry.files
        if feed is None:
            continue
        name = feed if isinstance(feed, str) else naming.feed_of_bucket(feed.bucket)
        exporter = naming.exporter(ids.get(entry.evidence, entry.evidence), entry.source, name)
        first, other = seen.setdefault(exporter, (at, feed))
        if isinstance(feed, Files) and isinstance(other, Files) and _overlap(feed, other):
            continue
        if other != feed:
            yield (
                ("sources", at, "trail" if entry.trail else "files"),
                (
                    f"has an exporter of the same name as entry {first + 1}, {exporter}: a bucket "
                    "feeds a source and an evidence bucket once; name a prefix that covers both"
                ),
            )


def _overlap(feed: _Feed, other: _Feed) -> bool:
    """Whether S3 would have to announce some objects twice, and so refuses."""
    if feed.topic is not None or other.topic is not None or feed.bucket != other.bucket:
        return False
    if feed == other:  # one delivery for several evidence buckets
        return False
    return feed.prefix.startswith(other.prefix) or other.prefix.startswith(feed.prefix)


def _overlaps(feeds: list[tuple[Path, _Feed]]) -> Iterator[tuple[Path, str]]:
    """Yield each feed whose notifications S3 would refuse because of an earlier feed's."""
    for number, (path, feed) in enumerate(feeds):
        for other_path, other in feeds[:number]:
            if _overlap(feed, other):
                entry = next(part for part in other_path if isinstance(part, int)) + 1
                yield (
                    (*path, "prefix"),
                    (
                        f'overlaps "{other.prefix}" of {other_path[0]} entry {entry} in the same '
                        "bucket, but S3 accepts only one notification per object: give each its "
                        "own prefix, or a topic"
                    ),
                )
