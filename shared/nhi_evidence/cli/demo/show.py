"""What the demo prints. Text from records is neutralised on its way to the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nhi_evidence.cli.demo.refusals import Refusal
from nhi_evidence.cli.safe_text import neutralise
from nhi_evidence.cli.story.script import LEAKED_AND_MINTED
from nhi_evidence.evidence.batch import Header

_SHOWN_RAW = 160
_PIPED_WIDTH = 120


class FileCount(msgspec.Struct, frozen=True):
    """The counts of one delivered file, as its evidence header states them."""

    unit: str
    part: str
    seen: int
    kept: int
    rejected: int
    out_of_scope: dict[str, int]
    adds_up: bool
    reason: str | None = None
    """Why the whole file was rejected, when it was."""


def console(*, quiet: bool) -> Console:
    """Return the console of the demo; piped output is wide enough for its tables."""
    out = Console(highlight=False, markup=False, quiet=quiet)
    return (
        out
        if out.is_terminal
        else Console(highlight=False, markup=False, quiet=quiet, width=_PIPED_WIDTH)
    )


def opening(out: Console, endpoint: str, files: int) -> None:
    """Say what is about to happen."""
    out.print(f"Embedded locked bucket (SeaweedFS) at {endpoint}; {files} CloudTrail files.")
    out.print("Files -> S3 notification -> SQS event -> real Lambda handler -> locked evidence.\n")


def counts(out: Console, evidence: Iterable[tuple[str, Header, list[bytes]]]) -> list[FileCount]:
    """Show, per file, that every record is kept, out of scope or rejected."""
    found = [_count(header, lines) for _, header, lines in evidence]
    table = Table(box=box.SIMPLE, title="Every record accounted for", title_justify="left")
    table.add_column("file", overflow="fold")
    for column in ("records", "= kept", "+ out of scope", "+ rejected", "adds up"):
        table.add_column(column, justify="right")
    for one in found:
        name = one.unit.rpartition("/")[2].partition(".json")[0].replace("_", " ")
        part = "" if one.part == "1/1" else f" part {one.part}"
        reasons = ", ".join(f"{why} {n}" for why, n in one.out_of_scope.items()) or "0"
        rejected = str(one.rejected) + (f" ({one.reason})" if one.reason else "")
        table.add_row(
            Text(neutralise(name.replace(" CloudTrail ", " ") + part)),
            str(one.seen),
            str(one.kept),
            Text(neutralise(reasons)),
            Text(neutralise(rejected)),
            "yes" if one.adds_up else "NO",
        )
    table.add_section()
    left_out = sum(sum(one.out_of_scope.values()) for one in found)
    totals = [sum(one.seen for one in found), sum(one.kept for one in found), left_out]
    totals.append(sum(one.rejected for one in found))
    table.add_row("all files", *map(str, totals), "yes" if all(o.adds_up for o in found) else "NO")
    out.print(table)
    return found


def _count(header: Header, lines: list[bytes]) -> FileCount:
    """Count the lines themselves and compare with what the header says."""
    kinds = [_kind(line) for line in lines]
    kept, rejected = kinds.count("n"), kinds.count("x")
    adds_up = (
        kept == header.kept
        and rejected == header.rejected
        and header.n == kept + rejected + sum(header.out_of_scope.values())
    )
    return FileCount(
        unit=header.unit,
        part=f"{header.part}/{header.parts}",
        seen=header.n,
        kept=header.kept,
        rejected=header.rejected,
        out_of_scope=header.out_of_scope,
        adds_up=adds_up,
        reason=header.rejection.reason if header.rejection else None,
    )


def _kind(line: bytes) -> str:
    record = msgspec.json.decode(line)
    return "n" if "n" in record else "x"


def one_object(out: Console, evidence: Iterable[tuple[str, Header, list[bytes]]]) -> None:
    """Show one evidence object: key, header and one kept record with its raw text."""
    key, header, lines = max(evidence, key=lambda one: _interest(one[2]))
    out.print("One evidence object")
    out.print(Text(neutralise(f"  key     {key}")), soft_wrap=True)
    out.print(Text(f"  header  {neutralise(msgspec.json.encode(header).decode())}"), soft_wrap=True)
    if not lines:
        out.print("  (no record of this file is kept)\n")
        return
    line = msgspec.json.decode(max(lines, key=lambda one: _interest([one])))
    raw = line.get("r") or line.get("r64", "")
    shown = msgspec.json.format(msgspec.json.encode(line.get("n") or line["x"]), indent=2)
    out.print(Text(f"  record  index {line['i']}, normalised (OCSF 1.8.0 with nhi extension):"))
    pretty = "\n".join(f"    {neutralise(one)}" for one in shown.decode().splitlines())
    out.print(Text(pretty), soft_wrap=True)
    start = neutralise(raw[:_SHOWN_RAW])
    out.print(Text(f"  raw     {len(raw)} characters, exact: {start}..."), soft_wrap=True)
    out.print("")


def chosen_record(evidence: Iterable[tuple[str, Header, list[bytes]]]) -> str | None:
    """Return the id of the record a newcomer wants to see proven, if any kept one has an id."""
    best: tuple[int, str] | None = None
    for _, _, lines in evidence:
        for line in lines:
            uid = msgspec.json.decode(line).get("n", {}).get("metadata", {}).get("uid")
            if uid and (best is None or _interest([line]) > best[0]):
                best = (_interest([line]), uid)
    return best[1] if best else None


def _interest(lines: Sequence[bytes]) -> int:
    """Prefer what a newcomer wants to see: a secret read, else a credential handed out."""
    marks = (b'"operation":"GetSecretValue"', b'"nhi_phase":"Secret Access"', b"issued_credential")
    return max((sum(mark in one for mark in marks) for one in lines), default=0)


def story(out: Console, evidence: Iterable[tuple[str, Header, list[bytes]]]) -> None:
    """Show what one leaked key did, as the evidence tells it."""
    table = Table(box=box.SIMPLE, title="What the leaked key did", title_justify="left")
    for column in ("time", "account", "operation", "outcome", "phase", "credential"):
        table.add_column(column, overflow="fold")
    lines = (msgspec.json.decode(line) for _, _, lines in evidence for line in lines)
    records = [line["n"] for line in lines if "n" in line]
    told = [one for one in records if one["nhi"].get("credential_uid") in LEAKED_AND_MINTED]
    for one in sorted(told, key=lambda record: record["time"]):
        table.add_row(
            *(
                Text(neutralise(str(cell)))
                for cell in (
                    one["metadata"]["original_time"][11:19],
                    one["cloud"]["account"]["uid"],
                    f"{one['api']['service']['name'].partition('.')[0]}:{one['api']['operation']}",
                    one["nhi_outcome"],
                    one["nhi_phase"],
                    one["nhi"]["credential_uid"],
                )
            )
        )
    out.print(table)


def redelivery(out: Console, objects: int, changed: list[tuple[str, str]]) -> None:
    """Say what a second delivery of the same files did."""
    out.print("The same files delivered twice")
    out.print(
        f"  object versions before {objects}, changed by the second delivery {len(changed)}\n"
    )


def refusals(out: Console, found: list[Refusal]) -> None:
    """Show everything that was tried and refused, with the store's own error."""
    table = Table("who", "tries to", "answer", box=box.SIMPLE, title="What is refused")
    table.title_justify = "left"
    for one in found:
        table.add_row(one.who, one.act, Text(neutralise(one.error)))
    out.print(table)


def closing(out: Console, copied: int | None, folder: Any, key: str) -> None:
    """Say what the lock of this demo does not do, and how to go on with a copy."""
    if copied is not None:
        out.print(Text(f"Copied {copied} objects of the evidence bucket to {folder}; verify with:"))
        out.print(Text(f"  nhi-evidence verify --deep {folder} --key '{key}'\n"), soft_wrap=True)
    out.print(
        "The lock holds at the S3 API. It does not hold against whoever owns this disk: that\n"
        "takes a bucket in another account, which is what a deployment uses."
    )
