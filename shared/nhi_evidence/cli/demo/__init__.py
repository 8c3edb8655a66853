"""`nhi-evidence demo`: files in, locked evidence out, and what the lock refuses."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from nhi_evidence.adapters.directory import DirectoryStore
from nhi_evidence.adapters.seaweedfs import EmbeddedStore
from nhi_evidence.adapters.seaweedfs_iam import EVIDENCE_BUCKET
from nhi_evidence.cli.demo import files, refusals, show
from nhi_evidence.cli.demo.stage import SOURCE, Stage
from nhi_evidence.errors import EvidenceError

EXAMPLES = """\b
Examples:
  nhi-evidence demo
  nhi-evidence demo --input ./my-trail-files
  nhi-evidence demo --keep ./evidence-copy

\b
Exit codes: 0 everything shown holds; 1 a check failed or the store cannot be
started (said on standard error); 2 wrong usage.
"""


class DemoFailedError(EvidenceError):
    """The demo did not come out as claimed: names every check that failed."""


class Report(msgspec.Struct, kw_only=True):
    """What the demo showed; printed by `--json`."""

    files: list[show.FileCount]
    refusals: list[refusals.Refusal]
    redelivery_changed: list[str]
    """Object versions that a second delivery of the same files added or took away: none."""
    ok: bool
    failed: list[str]
    kept_copy: str | None = None


def command(
    input_: Annotated[
        Path | None,
        typer.Option(
            "--input",
            exists=True,
            file_okay=False,
            help="Folder of CloudTrail files (.json, .json.gz); default: a generated story.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Leave a copy of the evidence bucket in this folder."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON object.")
    ] = False,
) -> None:
    """Run the main job on this machine: CloudTrail files become locked evidence.

    Starts an embedded locked bucket, feeds files through the real Lambda handler by SQS events,
    and shows the counts, one evidence object, everything the lock refuses, and that delivering
    the same files twice changes nothing.
    """
    out = show.console(quiet=as_json)
    progress = Console(stderr=True, highlight=False, markup=False)
    delivered = files.read(input_) if input_ else files.story()
    with (
        tempfile.TemporaryDirectory(prefix="nhi-evidence-") as folder,
        progress.status("starting the embedded locked bucket"),
        EmbeddedStore(Path(folder) / "store", sources=(SOURCE,)) as store,
        Stage(store, Path(folder)) as stage,
    ):
        show.opening(out, store.endpoint_url, len(delivered))
        stage.upload(delivered)
        first_failures = stage.deliver()
        before = stage.versions()
        counts = show.counts(out, stage.evidence())
        if input_ is None:
            show.story(out, stage.evidence())
        show.one_object(out, stage.evidence())
        second_failures = stage.deliver()
        changed = sorted(before ^ stage.versions())
        refused = refusals.collect(store, sorted(before)[0])
        show.redelivery(out, len(before), changed)
        show.refusals(out, refused)
        copied = _keep(stage, keep) if keep else None
    failed = _failed(counts, refused, changed, [*first_failures, *second_failures])
    report = Report(
        files=counts,
        refusals=refused,
        redelivery_changed=[key for key, _ in changed],
        ok=not failed,
        failed=failed,
        kept_copy=str(keep) if copied else None,
    )
    show.closing(out, copied, keep)
    if as_json:
        typer.echo(msgspec.json.encode(report))
    if failed:
        raise DemoFailedError("; ".join(failed))


def _keep(stage: Stage, folder: Path) -> int:
    """Copy every evidence object into a directory store; return how many."""
    store = DirectoryStore(folder)
    copied = 0
    for key, body, metadata in stage.everything():
        store.put_new(key, body, metadata=metadata)
        copied += 1
    return copied


def _failed(
    counts: list[show.FileCount],
    refused: list[refusals.Refusal],
    changed: list[tuple[str, str]],
    failures: list[str],
) -> list[str]:
    problems = [f"message {item} was not locked" for item in failures]
    problems += [f"counts of {one.unit} do not add up" for one in counts if not one.adds_up]
    problems += [f"not refused: {one.act}" for one in refused if not one.refused]
    if changed:
        problems.append(f"a second delivery changed {len(changed)} versions in {EVIDENCE_BUCKET}")
    if not counts:
        problems.append("no file was delivered")
    return problems
