"""The command line, one file per command. Not shipped to functions.

Exit codes are the same for every command; see `exit_codes`.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer

from nhi_evidence import __version__
from nhi_evidence.adapters.own_name import NAME
from nhi_evidence.cli import exit_codes, loading, screen
from nhi_evidence.errors import EvidenceError

app = typer.Typer(
    name=NAME,
    help="Locked, verifiable audit evidence of what non-human identities did.",
    cls=loading.Group,
    no_args_is_help=True,
    epilog="Exit codes: 0 success; 1 a check failed; 2 incomplete; 3 policy not met; "
    "4 could not be done; 64 wrong usage.",
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
        bool,
        typer.Option(
            "--debug", help="Show the traceback of an error; may stand anywhere on the line."
        ),
    ] = False,
) -> None:
    """Locked, verifiable audit evidence of what non-human identities did."""


# Exit code 2 means incomplete here; by default a wrong command line would use it, too.
_usage_error = next(one for one in typer.BadParameter.mro() if one.__name__ == "UsageError")
_usage_error.exit_code = exit_codes.USAGE  # type: ignore[attr-defined]


def _show(error: Any, file: object = None) -> None:  # noqa: ARG001 the library's signature
    """Print a usage error as any other text: inert, and wrapped. A file may have any name."""
    if error.ctx is not None:
        usage = error.ctx.get_usage().splitlines()
        screen.say(*usage, f"Try '{error.ctx.command_path} -h' for help.", "", err=True)
    screen.say(f"Error: {error.format_message().replace('Value error, ', '')}", err=True)


_usage_error.show = _show  # type: ignore[attr-defined]


def main() -> None:
    """Run the command line: an error becomes one line on standard error, never a traceback.

    Exit 1 is a finding and nothing else, so every other failure is FAILED; `--debug` shows the
    traceback.
    """
    debug = "--debug" in sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may not know every character
            stream.reconfigure(errors="backslashreplace")
    try:
        words = [word for word in sys.argv[1:] if word != "--debug"]
        app(args=words, prog_name=NAME)
    except SystemExit as ended:
        # On a broken pipe Typer itself exits with 1, which here would be a finding.
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
    except Exception as error:  # an unforeseen error: one line, and never a finding
        text = (
            f"{type(error).__name__}: {error}; a bug in this program, --debug shows the traceback"
        )
        _fail(error, [text], debug=debug)


def _is_interrupted(error: BaseException | None) -> bool:
    """Whether an error is what became of an interrupt: DuckDB's own, or one while cleaning up."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt) or str(error) == "Query interrupted":
            return True
        error = error.__context__
    return False


def _end_quietly() -> NoReturn:
    """The reader of the output is gone; flushing what is still buffered must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(exit_codes.FAILED) from None


def _fail(error: BaseException, lines: Sequence[str], *, debug: bool) -> NoReturn:
    if _is_interrupted(error):
        raise SystemExit(exit_codes.INTERRUPTED) from error
    for line in lines:
        screen.say(f"nhi-evidence: {line}", err=True)
    if debug:
        traceback.print_exception(error)
    raise SystemExit(exit_codes.FAILED) from error
