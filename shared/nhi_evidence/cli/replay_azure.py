"""`nhi-evidence replay azure`: have the exporter read the hub again from its start."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from nhi_evidence.adapters.azure.checkpoints import Checkpoints
from nhi_evidence.cli import config_file
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.errors import SettingsError
from nhi_evidence.terminal.safe_text import neutralize, neutralize_json

EXAMPLES = """\b
Examples:
  nhi-evidence replay azure --dry-run
  nhi-evidence replay azure

\b
Exit codes: 0 rewound, or listed; 4 could not be done (said on standard error;
doing all of it again is safe); 64 wrong usage.
"""


class _Report(msgspec.Struct):
    site: str
    dry_run: bool
    checkpoints: list[str]


def command(
    *,
    config: config_file.Option = config_file.DEFAULT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the checkpoints; change nothing.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Have the exporter read everything again that the hub still keeps: seven days.

    Stops the function app, removes its checkpoints, and starts it. Run with the Azure command
    line (az) signed in as who may do that: Website Contributor on the app, and Storage Blob Data
    Contributor on its storage. A message that is locked already is counted once, however it is
    batched.
    """
    azure = config_file.load(config).azure
    if azure is None:
        raise SettingsError("the configuration has no [azure]: there is nothing to replay")
    checkpoints = Checkpoints(azure.home)
    names = checkpoints.names()
    if not dry_run:
        _rewind(checkpoints, names)
    report = _Report(checkpoints.site, dry_run, names)
    if as_json:
        typer.echo(neutralize_json(msgspec.json.encode(report)))
        return
    for name in names:
        typer.echo(f"{'would remove' if dry_run else 'removed'} {neutralize(name)}")
    typer.echo(f"app    {report.site}{'' if dry_run else ', stopped and started'}")
    typer.echo(f"checkpoints  {len(names)}")


def _rewind(checkpoints: Checkpoints, names: list[str]) -> None:
    """Remove checkpoints while the app stands still; start it again whatever happens."""
    checkpoints.stop()
    try:
        for name in names:
            checkpoints.remove(name)
    finally:
        checkpoints.start()
