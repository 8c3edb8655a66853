"""`nhi-evidence collect okta`: read Okta's log streams, for coverage."""

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
  nhi-evidence collect okta --token okta.token --out settings \\
      --address https://example.okta.com

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
            metavar="FILE",
            help="File with an access token (okta.logs.read, okta.logStreams.read), or -.",
        ),
    ],
    address: Annotated[str, typer.Option(help="Address of Okta: https://example.okta.com.")],
    config: config_file.Option = config_file.DEFAULT,
) -> None:
    """Read the log streams of an organization, and whether it has a log; change nothing.

    No log event is read: people's are among them. The token goes only to that host, over HTTPS,
    and is never written to a file.
    """
    host = products.host_of(address)
    reader = RestReader({host: reading_output.token(token)})
    own = deployed.deployment(config_file.load(config))
    reading = products.read_okta(reader, host=host, at=clock.now(), deployment=own)
    reading_output.write(reading, out)
