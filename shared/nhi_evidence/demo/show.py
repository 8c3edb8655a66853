"""What the demo prints; text from records is neutralized before it reaches the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nhi_evidence import plural
from nhi_evidence.adapters.own_name import own_name
from nhi_evidence.demo.bucket import Object
from nhi_evidence.demo.investigation import COVERAGE, KEY
from nhi_evidence.demo.refusals import Refusal
from nhi_evidence.demo.show_clouds import NAMES
from nhi_evidence.demo.stage import Cloud
from nhi_evidence.demo.story.script import LEAKED, LEAKED_AND_MINTED
from nhi_evidence.evidence.lines import decode_line, encode
from nhi_evidence.terminal import fitting
from nhi_evidence.terminal.safe_text import neutralize

_SHOWN_RAW = 160
_PIPED_WIDTH = 120
_COMMAND_WIDTH = 77


class Screen:
    """Where the demo prints its output and its progress, without mixing the two."""

    def __init__(self, *, quiet: bool) -> None:
        """With `quiet`, print nothing; progress still goes to standard error."""
        self.out = Console(highlight=False, markup=False, quiet=quiet)
        if not self.out.is_terminal:
            # When piped, lines are wide enough for whole tables.
            self.out = Console(highlight=False, markup=False, quiet=quiet, width=_PIPED_WIDTH)

    def only(self, *, wanted: bool) -> Console:
        """Return the console if wanted, otherwise one that prints nothing."""
        return self.out if wanted else Console(quiet=True)

    @contextmanager
    def working(self, opening: str) -> Iterator[Callable[[str], None]]:
        """Show the current step until it is done; yield a function that shows the next one.

        If progress and output share a terminal, the output's console draws both.
        """
        console = self.out if self.out.is_terminal else Console(stderr=True, highlight=False)
        with console.status(opening) as status:
            yield status.update


def opening(out: Console, endpoint: str, clouds: Sequence[Cloud]) -> None:
    """Say what is about to happen."""
    out.print(f"Embedded locked bucket (SeaweedFS) at {endpoint}; delivering into it:")
    for cloud in clouds:
        out.print(f"  {NAMES[cloud.source]:<13} {cloud.runs}", soft_wrap=True)
    out.print("")


def one_object(out: Console, objects: Sequence[Object]) -> None:
    """Show one evidence object: key, header, a unit line, one kept record with its raw text."""
    example = max(objects, key=lambda packed: _interest(packed.lines))
    unit = max(example.units, key=lambda part: _interest(part.lines))
    out.print("One evidence object")
    out.print(Text(neutralize(f"  key     {example.key}")), soft_wrap=True)
    out.print(Text(f"  header  {neutralize(encode(example.header).decode())}"), soft_wrap=True)
    out.print(f"  table   {plural.count(len(example.units), 'unit')}; the one shown:")
    out.print(Text(f"  unit    {neutralize(encode(unit.table_line).decode())}"), soft_wrap=True)
    if not unit.lines:
        out.print("  (this file has no kept records)\n")
        return
    line = decode_line(max(unit.lines, key=lambda candidate: _interest([candidate])))
    raw = (line.raw or b"").decode(errors="replace")
    if line.form == "kept":
        out.print(f"  record  index {line.i}, normalized (OCSF 1.8.0 with nhi extension):")
        text = msgspec.json.format(bytes(line.n), indent=2).decode()
        pretty = "\n".join(f"    {neutralize(row)}" for row in text.splitlines())
        out.print(Text(pretty), soft_wrap=True)
    else:
        out.print(f"  record  index {line.i}, {line.form}: it has no normalized form")
    start = neutralize(raw[:_SHOWN_RAW])
    out.print(Text(f"  raw     {len(raw)} characters, exact: {start}..."), soft_wrap=True)
    out.print("")


def chosen_record(objects: Sequence[Object]) -> str | None:
    """Return the id of the most interesting record to prove, if any kept one has an id."""
    best: tuple[int, str] | None = None
    for stored in objects:
        for line in stored.lines:
            uid = msgspec.json.decode(line).get("n", {}).get("metadata", {}).get("uid")
            if uid and (best is None or _interest([line]) > best[0]):
                best = (_interest([line]), uid)
    return best[1] if best else None


def _interest(lines: Sequence[bytes]) -> int:
    """Prefer the most interesting: a secret that was read, then a credential that was issued."""
    marks = (b'"operation":"GetSecretValue"', b'"nhi_phase":"Secret Access"', b"issued_credential")
    return max((sum(mark in line for mark in marks) for line in lines), default=0)


def story(out: Console, objects: Sequence[Object]) -> None:
    """Show what one leaked key did, according to the evidence."""
    table = Table(box=box.SIMPLE, title="What the leaked key did", title_justify="left")
    for column in ("time", "account", "operation", "outcome", "phase", "credential"):
        table.add_column(column, overflow="fold")
    lines = (msgspec.json.decode(line) for stored in objects for line in stored.lines)
    records = [line["n"] for line in lines if "n" in line]
    used = [
        record for record in records if record["nhi"].get("credential_uid") in LEAKED_AND_MINTED
    ]
    for record in sorted(used, key=lambda known: known["time"]):
        table.add_row(
            *(
                Text(neutralize(str(cell)))
                for cell in (
                    record["metadata"]["original_time"][11:19],
                    record["cloud"]["account"]["uid"],
                    f"{record['api']['service']['name'].partition('.')[0]}:{record['api']['operation']}",
                    record["nhi_outcome"],
                    record["nhi_phase"],
                    record["nhi"]["credential_uid"],
                )
            )
        )
    out.print(table)


def redelivery(out: Console, objects: int, changed: list[tuple[str, str]], regrouped: int) -> None:
    """Show the effect of delivering the same files again, and in other batches."""
    out.print("The same files delivered twice")
    out.print(f"  object versions before {objects}, changed by the second delivery {len(changed)}")
    out.print(
        f"  once more, AWS in smaller batches: {regrouped} more objects, whose units exist"
        " already; verification below counts each once\n"
    )


def refusals(out: Console, answers: list[Refusal]) -> None:
    """Show everything that was tried and refused, with the store's own error."""
    table = Table("who", "tries to", "answer", box=box.SIMPLE, title="What is refused")
    table.title_justify = "left"
    for refusal in answers:
        table.add_row(refusal.who, refusal.act, Text(neutralize(refusal.error)))
    out.print(table)


def copied(out: Console, count: int | None, folder: Any, key: str, *, left: Path | None) -> None:
    """Say how to go on with a copy, where one was made.

    `left` is the folder with the log's key and the coverage report of the demo's own story.
    """
    if count is not None:
        out.print("")
        objects = plural.count(count, "object")
        text = (
            f"Copied {objects} of the evidence bucket to {neutralize(str(folder))}; continue with:"
        )
        out.print(Text(text), soft_wrap=True)
        trusted = quote(neutralize(str(left / KEY))) if left else f"'{key}'"
        of_copy = f"{quote(neutralize(str(folder)))} --key {trusted}"
        commands = [f"verify --deep {of_copy}", f"summary {of_copy}"]
        if left is not None:
            report = quote(neutralize(str(left / COVERAGE)))
            commands.append(f"timeline {of_copy} --credential {LEAKED} --coverage {report}")
        for command in commands:
            for line in fitting.continued(f"{own_name()} {command}", _COMMAND_WIDTH):
                out.print(Text(f"  {line}"), soft_wrap=True)
