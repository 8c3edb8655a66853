"""The command line, one file per command. Not shipped to functions.

Exit codes are the same for every command; see `exit_codes`.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from nhi_evidence import __version__
from nhi_evidence.adapters.own_name import NAME
from nhi_evidence.cli import exit_codes, loading
from nhi_evidence.errors import EvidenceError
from nhi_evidence.terminal import safe_text

app = typer.Typer(
    name=NAME,
    help="Locked, verifiable audit evidence of what non-human identities did.",
    cls=loading.Group,
    no_args_is_help=True,
    epilog="Exit codes: 0 done and well; 1 found wrong; 2 found incomplete; 3 not as the policy "
    "asks; 4 could not be done; 64 wrong usage.",
    **{**loading.SETTINGS, "add_completion": True},
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
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where an error came from; anywhere on the line.")
    ] = False,
) -> None:
    """Locked, verifiable audit evidence of what non-human identities did."""


# Completeness has exit code 2, which is what a wrong command line has where nobody says otherwise.
_usage_error = next(one for one in typer.BadParameter.mro() if one.__name__ == "UsageError")
_usage_error.exit_code = exit_codes.USAGE  # type: ignore[attr-defined]


def main() -> None:
    """Run the command line: an error becomes one line on standard error, never a traceback.

    Exit 1 is a finding and nothing else, so whatever goes wrong otherwise is FAILED; `--debug`
    shows where.
    """
    debug = "--debug" in sys.argv[1:]
    try:
        words = [word for word in sys.argv[1:] if word != "--debug"]
        app(args=words, prog_name=NAME)
    except SystemExit as ended:
        # Typer itself ends with 1 where a pipe is broken, which here would be a finding.
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        _end_quietly()
    except EvidenceError as error:
        _fail(error, error.lines(), debug=debug)
    except BrokenPipeError:
        _end_quietly()
    except OSError as error:
        _fail(
            error,
            [f"{error.filename}: {error.strerror}" if error.filename else str(error)],
            debug=debug,
        )
    except Exception as error:  # an error nobody foresaw: one line, and never a finding
        text = f"{type(error).__name__}: {error}; a fault of this program, --debug shows where"
        _fail(error, [text], debug=debug)


def _end_quietly() -> NoReturn:
    """Whoever read the output has gone; what is still buffered must not fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(exit_codes.FAILED) from None


def _fail(error: BaseException, lines: Sequence[str], *, debug: bool) -> NoReturn:
    for line in lines:
        sys.stderr.write(f"nhi-evidence: {safe_text.neutralize(line)}\n")
    if debug:
        traceback.print_exception(error)
    raise SystemExit(exit_codes.FAILED) from error
