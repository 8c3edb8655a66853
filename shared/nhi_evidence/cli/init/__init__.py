"""`nhi-evidence init`: write the configuration file of a deployment, by asking."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence import config
from nhi_evidence.cli import evidence_options, json_output, screen
from nhi_evidence.cli.init.answers import Answers
from nhi_evidence.cli.init.options import OPTIONS, takes
from nhi_evidence.cli.init.questions import parts
from nhi_evidence.cli.init.text import text
from nhi_evidence.errors import SettingsError

EXAMPLES = """\b
Examples:
  nhi-evidence init
  nhi-evidence init --no-input -o trial.toml --organization o-exampleorg1 \\
      --log-archive-account 111122223333 --evidence-account 222233334444 \\
      --region eu-central-1 --log-name example.org/evidence \\
      --retention-days 0 --trail-kind existing \\
      --trail-bucket organization-trail --trail-region eu-central-1 \\
      --keep-out-of-scope-raw no --email security@example.org \\
      --budget 200 --objects-per-hour 100000

Exit codes: 0 written; 4 not written (reason on standard error): the file
already exists, or an answer is wrong or missing; 64 wrong usage.
"""


class _Outcome(msgspec.Struct):
    file: str
    """The configuration file that was written."""
    trial: bool
    """Whether locks last one day."""
    next: list[str]
    """What to do next: commands, and things that only a person can do."""


@takes(OPTIONS)
def command(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", dir_okay=False, help="Where to write it.")
    ] = Path(config.FILE_NAME),
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Ask nothing; a missing answer is an error.")
    ] = False,
    as_json: evidence_options.Json = False,
    **values: str | None,
) -> None:
    """Write the configuration of a deployment, asking for whatever no option gives.

    Each answer is checked at once, against the earlier ones too. If the dialog ends early, or the
    result is refused, nothing is written, and a command line is shown that resumes with the answers
    so far. An existing file is never overwritten. All other settings are described in
    nhi-evidence.example.toml.
    """
    if output.exists():
        raise SettingsError(f"{output} already exists: choose another name with --output")
    ask = Answers(
        {name.replace("_", "-"): value for name, value in values.items()}, asks=not no_input
    )
    try:
        tables = parts(ask)
        ask.complete()
        written = text(tables)
        read = config.read(written, str(output))
    except SettingsError:
        if not no_input and ask.kept:
            _say_kept(ask, output)
        raise
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(written)
    except OSError as error:
        raise SettingsError(f"{output}: {error.strerror}") from error
    outcome = _Outcome(str(output), read.trial, _next(read, output))
    if as_json:
        json_output.write("init", outcome)
    else:
        screen.say(f"{output} written")
        for step in outcome.next:
            screen.say(f"next: {step}")


def _say_kept(ask: Answers, output: Path) -> None:
    """Say how to resume without answering everything again."""
    words = ["nhi-evidence", "init", "-o", str(output)]
    words += [word for option, value in ask.kept.items() for word in (f"--{option}", value)]
    screen.say(
        "",
        "Nothing was written. This command resumes with your answers:",
        f"  {shlex.join(words)}",
        err=True,
    )


def _next(read: config.Config, output: Path) -> list[str]:
    steps = []
    if read.trial:
        steps.append("a trial locks for one day; set retention_days before going to production")
    steps.append(f"review {output}, then, in a checkout (docs/deploy.md):")
    steps.append(f"make deploy CONFIG={shlex.quote(str(output))}")
    if read.gcp is not None:
        steps.append("add gcp.service_account_id once its service account exists")
    if read.azure is not None:
        steps.append("add azure.managed_identity_object_id once its identity exists")
    return steps
