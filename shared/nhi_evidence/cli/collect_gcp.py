"""`nhi-evidence collect gcp`: read Google Cloud's settings, for coverage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.gcp import settings_reader
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.cli import config_file, reading_output

EXAMPLES = """\b
Examples:
  gcloud auth print-access-token | nhi-evidence collect gcp --token - \\
      --out settings \\
      --destination pubsub.googleapis.com/projects/logs/topics/audit-log-entries

Exit codes: 0 read; 2 read, but some calls were refused or failed (named on standard
error); 4 could not be done; 64 wrong usage.
"""


def command(
    *,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Write the reading to this directory.")
    ],
    token: Annotated[
        str,
        typer.Option(metavar="FILE", help="File with an access token, or - for standard input."),
    ],
    destination: Annotated[
        list[str], typer.Option(help="Destination of the deployment's sink, as the sink states it.")
    ],
    identity: Annotated[
        list[str] | None,
        typer.Option(help="Also read the state of this identity, for `offboarding`: an address."),
    ] = None,
    config: config_file.Option = config_file.DEFAULT,
) -> None:
    """Read audit configurations, sinks and exempted groups of Google Cloud; change nothing.

    Asks every project the token may list, and everything above it, with read-only roles
    (docs/coverage.md). The token goes only to Google's own hosts, over HTTPS, and is never written
    to a file.
    """
    own = reading_output.deployment(config_file.load(config))
    own = reading_output.with_doors(own, "gcp_audit", destinations=destination, hubs=[])
    word = reading_output.token(token)
    reader = RestReader(dict.fromkeys(settings_reader.HOSTS, word))
    reading = settings_reader.read_settings(
        reader, at=clock.now(), deployment=own, identities=identity or ()
    )
    reading_output.write(reading, out)
