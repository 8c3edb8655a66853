"""The command line, one file per command. Not shipped to functions.

Exit codes, the same for every command: 0 done and everything accounted for, 1 the work could
not be done (said on standard error), 2 the command line is wrong.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nhi_evidence import __version__
from nhi_evidence.cli import demo, normalize, safe_text
from nhi_evidence.errors import EvidenceError

EXIT_FAILED = 1

app = typer.Typer(
    name="nhi-evidence",
    help="Locked, verifiable audit evidence of what non-human identities did.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, everything accounted for; 1 could not be done; 2 wrong usage.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nhi-evidence {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Locked, verifiable audit evidence of what non-human identities did."""


app.command("normalize", epilog=normalize.EXAMPLES)(normalize.command)
app.command("demo", epilog=demo.EXAMPLES)(demo.command)


def main() -> None:
    """Run the command line; an error on purpose becomes one line on standard error."""
    try:
        app()
    except EvidenceError as error:
        sys.stderr.write(f"nhi-evidence: {safe_text.neutralise(str(error))}\n")
        raise SystemExit(EXIT_FAILED) from error
