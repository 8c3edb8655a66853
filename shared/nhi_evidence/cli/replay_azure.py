"""`nhi-evidence replay azure`: have the exporter read the hub again from the start."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from nhi_evidence import sources
from nhi_evidence.adapters import clock
from nhi_evidence.adapters.azure.checkpoints import Checkpoint, Checkpoints
from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.cli import config_file, json_output, screen
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.config.tables import AZURE_SOURCE
from nhi_evidence.errors import SettingsError
from nhi_evidence.pipeline import hub_gaps, replay

EXAMPLES = """\b
Examples:
  nhi-evidence replay azure --dry-run
  nhi-evidence replay azure --only-missing --from 2026-03-02 \\
      --evidence s3://nhi-evidence-222233334444 --role-arn ARN --external-id ID

Exit codes: 0 rewound, or listed; 4 could not be done (reason on standard error;
repeating all of it is safe); 64 wrong usage.
"""


class _Partition(msgspec.Struct):
    partition: str
    checkpoint: str
    read: int | None
    first_missing: int | None


class _Report(msgspec.Struct):
    site: str
    """The function app."""
    dry_run: bool
    """Whether no checkpoint was to be removed."""
    found: int
    """Checkpoints of its consumer group."""
    rewound: list[_Partition]
    """The partitions chosen: to read again from the hub's oldest message."""


def command(
    *,
    config: config_file.Option = config_file.DEFAULT,
    begins: Annotated[
        str | None,
        typer.Option("--from", help="With --only-missing: first hour to look at, UTC."),
    ] = None,
    evidence: Annotated[
        str | None, typer.Option(help="Evidence store, to see what is missing: s3://bucket.")
    ] = None,
    only_missing: Annotated[
        bool,
        typer.Option("--only-missing", help="Only partitions with a missing message."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the partitions; change nothing.")
    ] = False,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Have the exporter read again everything the hub still keeps: seven days.

    Stops the function app, removes its checkpoints, and starts it again. Needs the Azure CLI (az)
    signed in with Website Contributor on the app and Storage Blob Data Contributor on its storage;
    --role-arn and --external-id are for the evidence. A message that is already locked still
    counts once, however it is batched.
    """
    azure = config_file.load(config).azure
    if azure is None:
        raise SettingsError("the configuration has no [azure], so there is nothing to replay")
    if only_missing and (evidence is None or begins is None):
        raise SettingsError("--only-missing needs --evidence and --from")
    checkpoints = Checkpoints(azure.home)
    existing = checkpoints.all()
    wanted: dict[str, int | None] = {one.partition: None for one in existing}
    if only_missing and evidence is not None and begins is not None:
        access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
        wanted = _lacking(checkpoints, existing, begins, evidence, access)
    chosen = [one for one in existing if one.partition in wanted]
    if chosen and not dry_run:
        _rewind(checkpoints, chosen)
    report = _Report(
        checkpoints.site,
        dry_run,
        len(existing),
        [_Partition(one.partition, one.name, one.read, wanted[one.partition]) for one in chosen],
    )
    if as_json:
        json_output.write("replay azure", report)
    else:
        _print(report)


def _lacking(
    checkpoints: Checkpoints, existing: list[Checkpoint], begins: str, evidence: str, access: Access
) -> dict[str, int | None]:
    """Return the partitions with a message missing in the evidence, from an hour until now."""
    when = replay.window(begins, clock.utc_now())
    source = sources.load(AZURE_SOURCE)
    numbers = hub_gaps.counted(open_log(evidence, access), source, when.hours(), checkpoints.hub)
    return hub_gaps.lacking(numbers, {one.partition: one.read for one in existing})


def _print(report: _Report) -> None:
    for partition in report.rewound:
        since = (
            "" if partition.first_missing is None else f" ({partition.first_missing} is missing)"
        )
        screen.say(
            f"{'would remove' if report.dry_run else 'removed'} {partition.checkpoint}{since}"
        )
    changed = bool(report.rewound) and not report.dry_run
    screen.say(f"app    {report.site}{', stopped and started' if changed else ''}")
    screen.say(f"checkpoints  {report.found}, {len(report.rewound)} chosen")


def _rewind(checkpoints: Checkpoints, chosen: list[Checkpoint]) -> None:
    """Remove checkpoints while the app is stopped; start it again whatever happens."""
    checkpoints.stop()
    try:
        for partition in chosen:
            checkpoints.remove(partition.name)
    finally:
        checkpoints.start()
