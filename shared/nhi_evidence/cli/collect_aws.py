"""`nhi-evidence collect aws`: read AWS's settings, for coverage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nhi_evidence.adapters import clock
from nhi_evidence.cli import config_file, reading_output
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.errors import SettingsError

EXAMPLES = """\b
Examples:
  nhi-evidence collect aws --out settings
  nhi-evidence coverage --config-dir settings

Exit codes: 0 read; 2 read, but some calls were refused or failed (named on standard
error); 4 could not be done; 64 wrong usage.
"""


def command(
    *,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Write the reading to this directory.")
    ],
    config: config_file.Option = config_file.DEFAULT,
    region: Annotated[
        str | None, typer.Option(help="Region to ask first; default: that of the first bucket.")
    ] = None,
    identity: Annotated[
        list[str] | None,
        typer.Option(help="Also read the state of this identity, for `offboarding`: an ARN."),
    ] = None,
    profile: options.Profile = None,
) -> None:
    """Read AWS's trails, selectors, buckets, rules, clusters and stages; change nothing.

    Keeps every answer, refusals included, for `coverage` to judge. Best run in the management
    account, or a delegated administrator's: only there the organization's trails and accounts are
    visible.
    """
    settings = config_file.load(config)
    # Imported late: listing commands must not load Amazon's library.
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from nhi_evidence.adapters.aws.settings_reader import read_settings  # noqa: PLC0415

    buckets = settings.evidence.buckets
    try:
        reading = read_settings(
            boto3.session.Session(profile_name=profile),
            region=region or buckets[0].region,
            at=clock.now(),
            deployment=reading_output.deployment(settings),
            evidence_buckets=[each.bucket for each in buckets],
            identities=identity or (),
        )
    except (BotoCoreError, ClientError) as error:  # before any answer: no credentials, no profile
        raise SettingsError(f"no access to AWS from this environment: {error}") from error
    reading_output.write(reading, out)
