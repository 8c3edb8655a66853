"""`nhi-evidence demo`: files in, locked and sealed evidence out; what is refused and detected."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from nhi_evidence.cli import exit_codes, json_output
from nhi_evidence.cli.screen import say
from nhi_evidence.demo import show, show_brief, show_investigation
from nhi_evidence.demo.run import Channels, run
from nhi_evidence.demo.stage import Stage
from nhi_evidence.errors import SettingsError

EXAMPLES = """\b
Examples:
  nhi-evidence demo
  nhi-evidence demo --verbose | less
  nhi-evidence demo --seed 7
  nhi-evidence demo --input ./my-trail-files
  nhi-evidence demo --keep ./evidence-copy

Exit codes: 0 everything shown holds; 1 a check failed; 4 the store cannot be
started (reason on standard error); 64 wrong usage.
"""


def command(
    input_: Annotated[
        Path | None,
        typer.Option(
            "--input",
            exists=True,
            file_okay=False,
            help="Folder of CloudTrail files (.json, .json.gz); default: a generated story "
            "over three clouds and five platforms.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Leave a copy of the evidence bucket in this folder."),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Show every table, every refusal, and one object in full."
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Chooses the gaps, the canary and the file that are removed.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON object.")
    ] = False,
) -> None:
    """Run the main job on this machine: logs of three clouds and five platforms become evidence.

    Starts an embedded locked bucket and feeds logs through the real functions in their own
    runtimes, each writing under its own identity. Shows that every record is accounted for, what
    a leaked key did, that delivering everything again changes nothing, that other batches count
    nothing twice, and what the lock refuses. Then seals the bucket, verifies it, proves one record,
    and tampers with copies. Removes settings, a canary's record and a delivered file from an
    estate, and shows that coverage and reconcile report exactly those. Ends with one job's path
    through the clouds, left in a new folder as a page and as a case with a proof of every record,
    and with the coverage report of that estate: what recorded each, and what was not seen.
    """
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise SettingsError(f"{keep}: not empty; --keep needs a new folder")
    screen = show.Screen(quiet=as_json)
    detail, brief = screen.only(wanted=verbose), screen.only(wanted=not verbose)
    with (
        tempfile.TemporaryDirectory(prefix="nhi-evidence-") as folder,
        screen.working("starting the embedded locked bucket and the functions") as working,
        Stage(Path(folder), input_) as stage,
    ):
        finished = run(
            stage,
            Path(folder),
            Channels(detail, brief, working),
            own_files=input_ is not None,
            seed=seed,
            keep=keep,
        )
    report = finished.report
    show.copied(
        screen.out,
        finished.copied,
        keep,
        finished.key,
        left=show_investigation.left_in(report.investigated),
    )
    again = show_brief.another(input_, is_verbose=verbose, is_kept=keep is not None)
    show_brief.verdict(screen.out, report.failed, again)
    show_investigation.left(screen.out, report.investigated)
    if as_json:
        json_output.write("demo", report)
    if report.failed:
        say(f"nhi-evidence: {'; '.join(report.failed)}", err=True)
        raise typer.Exit(exit_codes.WRONG)
