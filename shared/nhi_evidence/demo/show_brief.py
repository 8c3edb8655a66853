"""What the demo prints by default: two screens of 80 columns, and a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from shlex import quote
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from nhi_evidence import plural
from nhi_evidence.adapters.own_name import own_name
from nhi_evidence.demo.blind_spots import BlindSpots
from nhi_evidence.demo.bucket import Object
from nhi_evidence.demo.crossing import Followed
from nhi_evidence.demo.identities import PLATFORMS
from nhi_evidence.demo.refusals import Refusal
from nhi_evidence.demo.sealing import Proof, Tampered
from nhi_evidence.demo.show_clouds import NAMES, CloudCount, UnitCount
from nhi_evidence.demo.story.script import LEAKED_AND_MINTED
from nhi_evidence.evidence.seal import Sealed
from nhi_evidence.evidence.verify import Report
from nhi_evidence.terminal.safe_text import neutralize

_WIDTH = 79


def opening(out: Console) -> None:
    """Say what is about to happen."""
    _say(out, "Audit logs, through the real functions, into a locked bucket on this machine.")


def counts(out: Console, units: Sequence[UnitCount], clouds: Sequence[CloudCount]) -> None:
    """Show that every record is accounted for: each cloud, the platforms, each undecoded file."""
    _title(out, "Every record accounted for")
    _say(out, f"  {'':13}records    kept   out of scope   rejected   files  objects")
    platforms = [cloud for cloud in clouds if cloud.source in PLATFORMS]
    for cloud in clouds:
        if cloud not in platforms:
            _count(out, NAMES.get(cloud.source, cloud.source), [cloud])
    if platforms:
        _count(out, f"{len(platforms)} platforms", platforms)
    for unit in units:
        if unit.reason is not None:
            _say(out, f"  kept as received: {unit.unit.rpartition('/')[2]} ({unit.reason})")


def _count(out: Console, name: str, clouds: Sequence[CloudCount]) -> None:
    seen, kept, excluded, rejected, units, objects = (
        sum(column)
        for column in zip(
            *(
                (each.seen, each.kept, each.out_of_scope, each.rejected, each.units, each.objects)
                for each in clouds
            ),
            strict=True,
        )
    )
    adds_up = all(each.adds_up for each in clouds)
    _say(
        out,
        f"  {name:13}{seen:7} = {kept:5} + {excluded:12} + {rejected:8}   {units:5}  {objects:7}"
        + ("" if adds_up else "  DOES NOT ADD UP"),
    )


def story(out: Console, objects: Sequence[Object], followed: Sequence[Followed]) -> None:
    """Show what the leaked key did, and how far one CI job was traced."""
    lines = (msgspec.json.decode(line) for stored in objects for line in stored.lines)
    records = [line["n"] for line in lines if "n" in line]
    used = [
        record for record in records if record["nhi"].get("credential_uid") in LEAKED_AND_MINTED
    ]
    _title(out, "What one leaked key did, and the key it created")
    for run in _runs(sorted(used, key=lambda known: known["time"])):
        _say(out, _step(run))
    steps = Counter(NAMES.get(step.source, step.source) for step in followed)
    counts = ", ".join(f"{name} {count}" for name, count in steps.items())
    _say(out, f"One CI job: {counts} steps")


def _runs(records: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Group consecutive records of one account, phase and outcome."""
    return [
        list(run)
        for _, run in groupby(
            records,
            lambda each: (each["cloud"]["account"]["uid"], each["nhi_phase"], each["nhi_outcome"]),
        )
    ]


def _step(run: Sequence[dict[str, Any]]) -> str:
    record = run[0]
    service = record["api"]["service"]["name"].partition(".")[0]
    more = f", {len(run) - 1} more" if len(run) > 1 else ""
    refused = "denied" if record["nhi_outcome"] == "denied" else ""
    return (
        f"  {record['metadata']['original_time'][11:16]} {record['cloud']['account']['uid']} "
        f"{service + ':' + record['api']['operation'] + more:29} {record['nhi_phase']:21} {refused}"
    ).rstrip()


def blind_spots(out: Console, spots: BlindSpots) -> None:
    """Show what a seed removed from an estate, and what was reported."""
    for act, finds in spots.rows():
        _say(out, f"  {act:37}{finds}")


def holds(
    out: Console, objects: int, changed: int, regrouped: int, refused: Sequence[Refusal]
) -> None:
    """Show the effect of delivering again, and what was refused."""
    _title(out, "What holds")
    _say(out, f"  delivered twice   {changed} of {objects} object versions changed")
    _say(out, f"  in other batches  {regrouped} more objects, but every file still counts once")
    count = sum(refusal.refused for refusal in refused)
    _say(
        out,
        f"  refused           {count} of {len(refused)}: deletes, overwrites, shorter locks, "
        "wrong tokens",
    )


def sealed(out: Console, done: Sealed, report: Report, proof: Proof | None) -> None:
    """Show what was sealed, how much of it was verified, and the result of one proof."""
    _say(out, f"  sealed            {done.added} object versions, root {done.root[:16]}...")
    records = sum(report.records_counted.values())
    _say(out, f"  verified          {records:,} records, with only the public key")
    if proof is not None:
        holds = "holds, by the verifier in its bundle" if proof.holds else "DOES NOT HOLD"
        _say(out, f"  one record proven {holds}")


def tampered(out: Console, changes: Sequence[Tampered]) -> None:
    """Show what was done to copies and what verification found."""
    _title(out, "Tampering with copies, and what is detected")
    for change in changes:
        codes = ", ".join(dict.fromkeys(text.partition(" ")[0] for text in change.findings))
        _say(out, f"  {change.act:37}{codes or 'NOTHING'}")


def another(input_: Path | None, *, is_verbose: bool, is_kept: bool) -> str | None:
    """Return the command of another run, with what was not asked for yet; None if nothing is."""
    more = [] if is_verbose else ["--verbose"]
    more += [] if is_kept else ["--keep ./copy"]
    if not more:
        return None
    files = f" --input {quote(neutralize(str(input_)))}" if input_ else ""
    both = f"  # or {more[1]}" if len(more) > 1 else ""
    return f"{own_name()} demo{files} {more[0]}{both}"


def verdict(out: Console, failed: Sequence[str], again: str | None) -> None:
    """Print the result, and the command to try next."""
    out.print("")
    if failed:
        out.print(Text("FAILED", style="bold red"), Text(plural.count(len(failed), "problem")))
        for problem in failed:
            out.print(Text(f"  {neutralize(problem)}"), soft_wrap=True)
    else:
        out.print(Text("HOLDS", style="bold green"), "everything above was really executed")
    _say(out, "Here the lock holds at the S3 API; a deployment locks in another account.")
    if again is not None:
        out.print(Text(f"next  {again}"), soft_wrap=True)


def _title(out: Console, text: str) -> None:
    out.print("")
    out.print(Text(text, style="bold"))


def _say(out: Console, line: str) -> None:
    inert = neutralize(line)
    shortened = inert if len(inert) <= _WIDTH else f"{inert[: _WIDTH - 3]}..."
    out.print(Text(shortened), soft_wrap=True)
