"""`nhi-evidence collect github`: read whether GitHub streams its audit log, for coverage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.collecting import products
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.cli import config_file, reading_output
from nhi_evidence.coverage import deployed

EXAMPLES = """\b
Examples:
  gh auth token | nhi-evidence collect github --token - --out settings \\
      --enterprise example --api-requests

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
        typer.Option(
            metavar="FILE", help="File with a token that reads audit logs, or - for standard input."
        ),
    ],
    enterprise: Annotated[str, typer.Option(help="Name of the enterprise, as in its URL.")],
    api_requests: Annotated[
        bool | None,
        typer.Option(help="Whether its settings page shows API requests in the stream."),
    ] = None,
    config: config_file.Option = config_file.DEFAULT,
) -> None:
    """Read the audit log streams of an enterprise; change nothing.

    No API shows whether API requests are streamed: state what the settings page shows, and it is
    kept as somebody's observation; without it the cells that depend on it are unknown. The token
    goes only to GitHub's own host, over HTTPS, and is never written to a file.
    """
    reader = RestReader({products.GITHUB: reading_output.token(token)})
    reading = products.read_github(
        reader,
        enterprise=enterprise,
        api_requests=api_requests,
        at=clock.now(),
        deployment=deployed.deployment(config_file.load(config)),
    )
    reading_output.write(reading, out)
