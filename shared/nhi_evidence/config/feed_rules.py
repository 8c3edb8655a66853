"""That files come from where they can come from: buckets, prefixes, keys and topics that fit.

S3 encrypts with keys of the bucket's own region, notifies topics of that region alone, and takes
no two notifications of one event whose prefixes overlap:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
"""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File, Files, Trail

_Feed = Trail | Files
_FOLDER = "AWSLogs/"
_PATTERN = frozenset("*?[]")


def feeds_fit(file: File) -> Iterator[tuple[Path, str]]:
    """Yield what no delivery could come of, or one that would come twice."""
    kept = {bucket.bucket: "an evidence bucket" for bucket in file.evidence.buckets}
    kept |= {
        bucket.replica.bucket: "a replica of the evidence"
        for bucket in file.evidence.buckets
        if bucket.replica is not None
    }
    kept |= {
        bucket.athena.results: "for the answers of Athena"
        for bucket in file.evidence.buckets
        if bucket.athena is not None
    }
    feeds = list(_feeds(file))
    for path, feed in feeds:
        if feed.bucket in kept:
            yield (
                (*path, "bucket"),
                (
                    f"is {kept[feed.bucket]}: what is delivered and what is kept never share one; "
                    "name the bucket that logs are delivered to"
                ),
            )
        yield from _prefix(path, feed)
        yield from _region(path, feed)
    yield from _overlaps(feeds)


def topics_fit(file: File, regions: set[str]) -> Iterator[tuple[Path, str]]:
    """Yield each alarm topic of a region that has no alarms, or that has a topic already.

    `regions` are those that have alarms.
    """
    taken: set[str] = set()
    for position, topic in enumerate(file.alarms.topics):
        region = topic.split(":")[3]
        path: Path = ("alarms", "topics", position)
        if region not in regions:
            known = ", ".join(sorted(regions))
            yield path, f"is in {region}, which has no alarms; alarms are in: {known}"
        elif region in taken:
            yield path, f"is the second of {region}: CloudWatch's alarms take one for each region"
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
            f"holds {_FOLDER}, which CloudTrail adds itself: leave it and what follows out",
        )
    if "//" in prefix:
        yield (*path, "prefix"), "has an empty folder (//), which no delivery has"
    if _PATTERN & set(prefix) or not prefix.isprintable():
        yield (*path, "prefix"), "is a literal prefix, not a pattern: write the beginning"


def _region(path: Path, feed: _Feed) -> Iterator[tuple[Path, str]]:
    is_new = isinstance(feed, Trail) and feed.kind == "new"  # takes no topic at all
    for key, arn, why in (
        ("kms_key", feed.kms_key, "S3 encrypts with keys of the bucket's region"),
        ("topic", None if is_new else feed.topic, "S3 notifies topics of the bucket's region"),
    ):
        if arn is not None and (region := arn.split(":")[3]) != feed.region:
            yield (
                (*path, key),
                f"is in {region}, and the bucket in {feed.region}: {why} alone; name one of it",
            )


def _overlaps(feeds: list[tuple[Path, _Feed]]) -> Iterator[tuple[Path, str]]:
    """Yield a feed whose notifications S3 would refuse beside those of an earlier one."""
    for number, (path, feed) in enumerate(feeds):
        for other_path, other in feeds[:number]:
            if feed.topic is not None or other.topic is not None or feed.bucket != other.bucket:
                continue
            if feed == other:  # one delivery for several evidence buckets
                continue
            if feed.prefix.startswith(other.prefix) or other.prefix.startswith(feed.prefix):
                entry = next(part for part in other_path if isinstance(part, int)) + 1
                yield (
                    (*path, "prefix"),
                    (
                        f'overlaps "{other.prefix}" of {other_path[0]} entry {entry}, in the same '
                        "bucket, and S3 takes no two notifications of one object: give each a "
                        "prefix of its own, or a topic"
                    ),
                )
