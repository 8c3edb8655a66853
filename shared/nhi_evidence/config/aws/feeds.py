"""Every feed of files in the configuration: what is read where, and how it is announced."""

from __future__ import annotations

from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws.feed import Feed, Notifies
from nhi_evidence.config.tables import Files, SourceEntry, Trail


def feeds(config: Config) -> tuple[tuple[Feed, SourceEntry], ...]:
    """Return every feed of files, with its entry in the configuration."""
    return tuple(
        (_feed(config, entry), entry)
        for entry in config.sources
        if entry.trail is not None or entry.files is not None
    )


def _feed(config: Config, entry: SourceEntry) -> Feed:
    if entry.trail is not None:
        return _trail_feed(config, entry, config.trail(entry.trail))
    if entry.files is not None:
        return _files_feed(config, entry, entry.files)
    raise ValueError(f"{entry.source} comes neither from a trail nor as files")


def _trail_feed(config: Config, entry: SourceEntry, trail: Trail) -> Feed:
    here = config.log_archive.account
    notifies: Notifies = "new-bucket" if trail.kind == "new" else "existing-bucket"
    return Feed(
        source=entry.source,
        store=config.bucket(entry.evidence).id,
        name=trail.name,
        account=here,
        region=trail.region,
        bucket=trail.bucket,
        owner=here,
        # Files of an organization trail are under the organization's id: no others are read.
        prefix=f"{trail.prefix}AWSLogs/{config.organization.id}/",
        accounts=trail.accounts,
        kms_key=trail.kms_key,
        topic=trail.topic,
        notifies=notifies if trail.topic is None else "topic",
    )


def _files_feed(config: Config, entry: SourceEntry, files: Files) -> Feed:
    here = config.log_archive.account
    owned: Notifies = "existing-bucket" if files.account == here else "elsewhere"
    if entry.streams:
        owned = "new-bucket"
    return Feed(
        source=entry.source,
        store=config.bucket(entry.evidence).id,
        name=naming.feed_of_bucket(files.bucket),
        account=here,
        region=files.region,
        bucket=files.bucket,
        owner=files.account,
        prefix=files.prefix,
        kms_key=files.kms_key,
        topic=files.topic,
        notifies=owned if files.topic is None else "topic",
    )
