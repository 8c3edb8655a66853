"""`nhi-evidence replay gcp`: announce the batched files of a window to the exporter again."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from nhi_evidence import sources
from nhi_evidence.adapters.gcp.cloud_event import ObjectRef
from nhi_evidence.adapters.gcp.staged_files import StagedFile, StagedFiles
from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.cli import config_file, json_output, screen
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli.progress import Steps
from nhi_evidence.config import gcp_names
from nhi_evidence.config.tables import GCP_SOURCE
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import keys
from nhi_evidence.pipeline import replay
from nhi_evidence.pipeline.replay import File, Sending
from nhi_evidence.pipeline.standing import Standing
from nhi_evidence.sources import Source
from nhi_evidence.terminal.safe_text import neutralize

EXAMPLES = """\b
Examples:
  nhi-evidence replay gcp --from 2026-03-02T08 --to 2026-03-02T10 --dry-run
  nhi-evidence replay gcp --from 2026-03-02 --to 2026-03-03 --only-missing \\
      --evidence s3://nhi-evidence-222233334444 --role-arn ARN --external-id ID

Exit codes: 0 announced, or listed; 4 could not be listed or announced (said on
standard error; repeating all of it is safe); 64 wrong usage.
"""


class _File(msgspec.Struct):
    bucket: str
    name: str
    generation: str
    size: int
    finished: str
    standing: Standing


class _Report(msgspec.Struct):
    begins: str
    """First hour, as ISO 8601."""
    ends: str
    """Hour after the last, as ISO 8601."""
    topic: str
    """Topic that announces files to the exporter."""
    dry_run: bool
    """Whether nothing was to be announced."""
    found: int
    """Files of the window."""
    announced: int
    """Messages that the topic took."""
    files: list[_File]
    """The files chosen, with --evidence each with its standing there."""


def command(
    *,
    begins: Annotated[str, typer.Option("--from", help="First hour, UTC: 2026-03-02T08.")],
    ends: Annotated[str, typer.Option("--to", help="End hour, exclusive, UTC: 2026-03-02T10.")],
    config: config_file.Option = config_file.DEFAULT,
    evidence: Annotated[
        str | None,
        typer.Option(help="Evidence store, to see what is missing or contested: s3://bucket."),
    ] = None,
    only_missing: Annotated[
        bool, typer.Option("--only-missing", help="Announce only what is missing or contested.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be announced; announce nothing.")
    ] = False,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Announce the files that were finished in a window to the exporter again.

    Works for as long as the staging bucket keeps them: fourteen days. Run with Google credentials
    that may list that bucket and publish to its topic; --role-arn and --external-id are for the
    evidence. A file that is already locked is the same unit again, and counts once.
    """
    when = replay.window(begins, ends)
    if only_missing and evidence is None:
        raise SettingsError("--only-missing needs --evidence, which shows what is missing")
    gcp = config_file.load(config).gcp
    if gcp is None:
        raise SettingsError("the configuration has no [gcp], so there is nothing to replay")
    if gcp.delivery != "files":
        raise SettingsError(
            'gcp.delivery is "direct": no files are kept; seek the subscription nhi-evidence-export'
        )
    staged, pack = StagedFiles(), sources.load(GCP_SOURCE)
    bucket = gcp_names.staging_bucket(gcp.project)
    with Steps("looking") as steps:
        files = staged.files(bucket, gcp_names.PREFIX, when.begins, when.ends)
        sendings = [_sending(file, pack) for file in files]
        if evidence is not None:
            access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
            sendings = list(replay.judged(sendings, open_log(evidence, access), pack, steps.say))
    wanted = [
        sending
        for sending in sorted(sendings, key=lambda sending: (sending.file.stored, sending.file.key))
        if not only_missing or sending.standing is not Standing.PRESENT
    ]
    topic = gcp_names.topic_path(gcp.project, gcp_names.FILES_TOPIC)
    announced = 0 if dry_run else staged.announce(topic, [_ref(sending) for sending in wanted])
    report = _Report(
        begins=when.begins.isoformat(),
        ends=when.ends.isoformat(),
        topic=topic,
        dry_run=dry_run,
        found=len(sendings),
        announced=announced,
        files=[_file_of(sending) for sending in wanted],
    )
    if as_json:
        json_output.write("replay gcp", report)
    else:
        _print(report)


def _sending(file: StagedFile, pack: Source) -> Sending:
    """Return a staged file with its unit, named as the function names it."""
    ref = file.ref
    unit = keys.file_unit(
        bucket=ref.bucket,
        key=ref.name,
        version=ref.generation,
        hour_of=pack.hour_of,
        modified=file.finished,
    )
    listed = File(ref.bucket, ref.name, ref.generation, "", file.size, file.finished)
    return Sending(listed, unit, keys.unit_hour(unit, pack.hour_of))


def _ref(sending: Sending) -> ObjectRef:
    file = sending.file
    return ObjectRef(file.bucket, file.key, file.version or "")


def _file_of(sending: Sending) -> _File:
    ref, file = _ref(sending), sending.file
    finished = file.stored.isoformat()
    return _File(ref.bucket, ref.name, ref.generation, file.size, finished, sending.standing)


def _print(report: _Report) -> None:
    done = "would announce" if report.dry_run else "announced"
    for file in report.files:
        name = neutralize(f"gs://{file.bucket}/{file.name}@{file.generation}")
        screen.say(f"{done} {name} ({file.standing})")
    screen.say(f"window {report.begins} to {report.ends}")
    chosen = f"{len(report.files)} chosen, {report.announced} announced"
    screen.say(f"files  {report.found} in the window, {chosen}")
    screen.say(f"topic  {report.topic}")
