"""`nhi-evidence replay gcp`: announce the batched files of a window to the exporter again."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from nhi_evidence.adapters.gcp.staged_files import StagedFile, StagedFiles
from nhi_evidence.cli import config_file
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.config import gcp_names
from nhi_evidence.errors import SettingsError
from nhi_evidence.pipeline import replay
from nhi_evidence.terminal.safe_text import neutralize, neutralize_json

EXAMPLES = """\b
Examples:
  nhi-evidence replay gcp --from 2026-03-02T08 --to 2026-03-02T10 --dry-run
  nhi-evidence replay gcp --from 2026-03-02 --to 2026-03-03

\b
Exit codes: 0 announced, or listed; 4 could not be listed or announced (said on
standard error; doing all of it again is safe); 64 wrong usage.
"""


class _File(msgspec.Struct):
    bucket: str
    name: str
    generation: str
    size: int
    finished: str


class _Report(msgspec.Struct):
    begins: str
    ends: str
    topic: str
    dry_run: bool
    announced: int
    files: list[_File]


def command(
    *,
    begins: Annotated[str, typer.Option("--from", help="First hour, UTC: 2026-03-02T08.")],
    ends: Annotated[str, typer.Option("--to", help="Hour to stop before, UTC: 2026-03-02T10.")],
    config: config_file.Option = config_file.DEFAULT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be announced; announce nothing.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Announce the files that were finished in a window to the exporter once more.

    For as long as the staging bucket keeps them: fourteen days. Run with Google credentials that
    may list that bucket and publish to its topic. A file that is locked already is the same unit
    again, and is counted once.
    """
    when = replay.window(begins, ends)
    gcp = config_file.load(config).gcp
    if gcp is None:
        raise SettingsError("the configuration has no [gcp]: there is nothing to replay")
    if gcp.delivery != "files":
        raise SettingsError(
            'gcp.delivery is "direct": no files are kept; seek the subscription nhi-evidence-export'
        )
    staged = StagedFiles()
    bucket = gcp_names.staging_bucket(gcp.project)
    files = sorted(
        staged.files(bucket, gcp_names.PREFIX, when.begins, when.ends),
        key=lambda file: (file.finished, file.ref.name),
    )
    topic = gcp_names.topic_path(gcp.project, gcp_names.FILES_TOPIC)
    announced = 0 if dry_run else staged.announce(topic, [file.ref for file in files])
    report = _Report(
        begins=when.begins.isoformat(),
        ends=when.ends.isoformat(),
        topic=topic,
        dry_run=dry_run,
        announced=announced,
        files=[_shown(file) for file in files],
    )
    if as_json:
        typer.echo(neutralize_json(msgspec.json.encode(report)))
    else:
        _print(report)


def _shown(file: StagedFile) -> _File:
    ref = file.ref
    return _File(ref.bucket, ref.name, ref.generation, file.size, file.finished.isoformat())


def _print(report: _Report) -> None:
    done = "would announce" if report.dry_run else "announced"
    for file in report.files:
        typer.echo(f"{done} {neutralize(f'gs://{file.bucket}/{file.name}@{file.generation}')}")
    typer.echo(f"window {report.begins} to {report.ends}")
    typer.echo(f"files  {len(report.files)} in the window, {report.announced} announced")
    typer.echo(f"topic  {report.topic}")
