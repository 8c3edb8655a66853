"""`nhi-evidence collect vault`: read Vault's audit devices, for coverage."""

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
  nhi-evidence collect vault --token vault.token --out settings \\
      --address https://vault.example.com:8200

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
        typer.Option(metavar="FILE", help="File with a token, or - for standard input."),
    ],
    address: Annotated[str, typer.Option(help="Address of Vault: https://vault.example.com:8200.")],
    config: config_file.Option = config_file.DEFAULT,
) -> None:
    """Read the audit devices of a server, with their options; change nothing.

    The token's policy needs read and sudo on `sys/audit`, and nothing else. It goes only to that
    host, over HTTPS, and is never written to a file.
    """
    host = products.host_of(address)
    reader = RestReader({host: reading_output.token(token)})
    own = deployed.deployment(config_file.load(config))
    reading = products.read_vault(reader, host=host, at=clock.now(), deployment=own)
    reading_output.write(reading, out)
