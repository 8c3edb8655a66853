"""`nhi-evidence collect azure`: read Azure's and Entra's settings, for coverage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.azure import settings_reader
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.cli import config_file, reading_output

EXAMPLES = """\b
Examples:
  az account get-access-token --query accessToken -o tsv > arm.token
  nhi-evidence collect azure --token arm.token --out settings --event-hub NAMESPACE_ID

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
            metavar="FILE", help="File with a token for Resource Manager, or - for standard input."
        ),
    ],
    event_hub: Annotated[
        list[str],
        typer.Option(help="Resource ID of the Event Hub namespace that settings should name."),
    ],
    graph_token: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="File with a token for Microsoft Graph, to read licenses."
        ),
    ] = None,
    identity: Annotated[
        list[str] | None,
        typer.Option(help="Also read the state of this identity, for `offboarding`: an object id."),
    ] = None,
    config: config_file.Option = config_file.DEFAULT,
) -> None:
    """Read diagnostic settings of subscriptions, tenant and resources; change nothing.

    Without a Graph token licenses are not read, and what depends on them is unknown. Tokens go
    only to Microsoft's own hosts, over HTTPS, and are never written to a file.
    """
    own = reading_output.deployment(config_file.load(config))
    own = reading_output.with_doors(own, "azure_monitor", destinations=[], hubs=event_hub)
    tokens = {settings_reader.MANAGEMENT: reading_output.token(token)}
    if graph_token is not None:
        tokens[settings_reader.GRAPH] = reading_output.token(graph_token)
    reading = settings_reader.read_settings(
        RestReader(tokens), at=clock.now(), deployment=own, identities=identity or ()
    )
    reading_output.write(reading, out)
