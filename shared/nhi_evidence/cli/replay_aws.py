"""`nhi-evidence replay aws`: send the delivered files of a window to the exporter again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, TypeVar

import boto3
import msgspec
import typer
from botocore.exceptions import BotoCoreError

from nhi_evidence import sources
from nhi_evidence.adapters.aws import s3_notification
from nhi_evidence.adapters.aws.sqs_queue import Queue
from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.adapters.store.s3_listing import S3Listing
from nhi_evidence.cli import config_file, json_output, screen
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli.progress import Steps
from nhi_evidence.config import naming
from nhi_evidence.errors import SettingsError
from nhi_evidence.pipeline import replay
from nhi_evidence.pipeline.replay import File, Sending
from nhi_evidence.pipeline.standing import Standing
from nhi_evidence.terminal.safe_text import neutralize

if TYPE_CHECKING:
    from nhi_evidence.config import Config
    from nhi_evidence.config.tables import SourceEntry

EXAMPLES = """\b
Examples:
  nhi-evidence replay aws --from 2026-03-02T08 --to 2026-03-02T10 --dry-run
  nhi-evidence replay aws --from 2026-03-02 --to 2026-03-03 --only-missing \\
      --evidence s3://nhi-evidence-222233334444 --role-arn ARN --external-id ID

Exit codes: 0 sent, or listed; 4 could not be listed or sent (said on standard
error; sending everything again is safe); 64 wrong usage.
"""


class _Feed(msgspec.Struct, frozen=True):
    """Where the files of an entry are, and which exporter takes them."""

    account: str
    region: str
    bucket: str
    owner: str
    prefix: str
    exporter: str


class _File(msgspec.Struct):
    bucket: str
    key: str
    version: str | None
    size: int
    hour: str
    standing: Standing


class _Summary(msgspec.Struct):
    begins: str
    """First hour, as ISO 8601."""
    ends: str
    """Hour after the last, as ISO 8601."""
    source: str
    """Whose files are sent again."""
    queue: str
    """Name of the exporter's queue."""
    dry_run: bool
    """Whether nothing was to be sent."""
    found: int
    """Files of the window."""
    sent: int
    """Messages that the queue took."""
    files: list[_File]
    """The files chosen, with --evidence each with its standing there."""


def command(
    *,
    begins: Annotated[str, typer.Option("--from", help="First hour, UTC: 2026-03-02T08.")],
    ends: Annotated[str, typer.Option("--to", help="End hour, exclusive, UTC: 2026-03-02T10.")],
    config: config_file.Option = config_file.DEFAULT,
    source: Annotated[str, typer.Option(help="Source to replay.")] = "aws_cloudtrail",
    trail: Annotated[str | None, typer.Option(help="Trail, if the source has several.")] = None,
    evidence: Annotated[
        str | None,
        typer.Option(help="Evidence store, to see what is missing or contested: s3://bucket."),
    ] = None,
    only_missing: Annotated[
        bool, typer.Option("--only-missing", help="Send only what is missing or contested.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be sent; send nothing.")
    ] = False,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Send the delivered files of a window through the exporter's queue again.

    Run with credentials of the account the files are in; --role-arn and --external-id are for the
    evidence. What is already locked still counts once, whatever batch it comes in again.
    """
    when = replay.window(begins, ends)
    if only_missing and evidence is None:
        raise SettingsError("--only-missing needs --evidence, which shows what is missing")
    loaded = config_file.load(config)
    entry = _entry(loaded, source, trail)
    feed, pack = _feed(loaded, entry), sources.load(entry.source)
    try:
        session = boto3.session.Session(profile_name=profile, region_name=feed.region)
    except BotoCoreError as error:
        raise SettingsError(f"no access to AWS from this environment: {error}") from error
    queue = Queue(session.client("sqs"), feed.exporter, account=feed.account)
    listing = S3Listing(session.client("s3"), feed.bucket, owner=feed.owner)
    with Steps("looking") as steps:
        files = _counted(listing.files(feed.prefix, when), steps, "files")
        sendings = list(replay.chosen(files, pack, when))
        if evidence is not None:
            access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
            sendings = list(replay.judged(sendings, open_log(evidence, access), pack, steps.say))
    wanted = [
        sending
        for sending in sendings
        if not only_missing or sending.standing is not Standing.PRESENT
    ]
    messages = [s3_notification.again(_ref(sending.file)) for sending in wanted]
    sent = 0 if dry_run else queue.send(messages)
    summary = _Summary(
        begins=when.begins.isoformat(),
        ends=when.ends.isoformat(),
        source=entry.source,
        queue=feed.exporter,
        dry_run=dry_run,
        found=len(sendings),
        sent=sent,
        files=[_file_of(sending) for sending in wanted],
    )
    if as_json:
        json_output.write("replay aws", summary)
    else:
        _say(summary)


def _entry(loaded: Config, source: str, trail: str | None) -> SourceEntry:
    entries = [
        entry
        for entry in loaded.sources
        if entry.source == source
        and (entry.trail is not None or entry.files is not None)
        and trail in {None, entry.trail}
    ]
    if len(entries) == 1:
        return entries[0]
    feed = f"{source} from trail {trail}" if trail else source
    if not entries:
        delivered = {entry.source for entry in loaded.sources if entry.trail or entry.files}
        known = ", ".join(sorted(delivered))
        raise SettingsError(f"the configuration has no files from {feed}; it has: {known}")
    trails = ", ".join(sorted(entry.trail or "" for entry in entries))
    raise SettingsError(f"{feed} has several feeds: choose one with --trail: {trails}")


def _feed(loaded: Config, entry: SourceEntry) -> _Feed:
    account, store = loaded.log_archive.account, loaded.bucket(entry.evidence).id
    if entry.trail is not None:
        trail = loaded.trail(entry.trail)
        return _Feed(
            account,
            trail.region,
            trail.bucket,
            account,
            f"{trail.prefix}AWSLogs/{loaded.organization.id}/",
            naming.exporter(store, entry.source, trail.name),
        )
    files = entry.files
    assert files is not None, "an entry of files has a trail or files"  # noqa: S101 by _entry
    name = naming.exporter(store, entry.source, files.bucket)
    return _Feed(account, files.region, files.bucket, files.account, files.prefix, name)


_T = TypeVar("_T")


def _counted(items: Iterable[_T], steps: Steps, what: str) -> Iterator[_T]:
    for number, item in enumerate(items, start=1):
        steps.say(what, number)
        yield item


def _ref(file: File) -> s3_notification.ObjectRef:
    return s3_notification.ObjectRef(file.bucket, file.key, file.version, file.size)


def _file_of(sending: Sending) -> _File:
    file = sending.file
    return _File(file.bucket, file.key, file.version, file.size, sending.hour, sending.standing)


def _say(summary: _Summary) -> None:
    for file in summary.files:
        version = f" version {file.version}" if file.version else ""
        name = neutralize(f"s3://{file.bucket}/{file.key}{version}")
        screen.say(f"{'would send' if summary.dry_run else 'sent'} {name} ({file.standing})")
    screen.say(f"window {summary.begins} to {summary.ends}, {summary.source}")
    screen.say(
        f"files  {summary.found} in the window, {len(summary.files)} chosen, {summary.sent} sent"
    )
    screen.say(f"queue  {summary.queue}")
