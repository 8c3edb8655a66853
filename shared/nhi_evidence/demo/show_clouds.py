"""What the demo prints per cloud: every record accounted for, who acted, and what it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nhi_evidence.demo.bucket import Object
from nhi_evidence.terminal.safe_text import neutralize

NAMES = {"aws_cloudtrail": "AWS", "gcp_audit": "Google Cloud", "azure_monitor": "Azure"}


class ObjectCount(msgspec.Struct, frozen=True):
    """The counts of one evidence object, as its lines and its header state them."""

    source: str
    unit: str
    part: str
    seen: int
    kept: int
    rejected: int
    out_of_scope: dict[str, int]
    adds_up: bool
    reason: str | None = None
    """Why the whole delivery was rejected, when it was."""


class CloudCount(msgspec.Struct, frozen=True):
    """One cloud's records, and of those kept: who acted and in which phase."""

    source: str
    seen: int
    kept: int
    out_of_scope: int
    rejected: int
    adds_up: bool
    identity_kinds: dict[str, int]
    phases: dict[str, int]
    rejections: dict[str, int]
    """Reasons of rejection, and how many records have each."""


def counts(out: Console, objects: Sequence[Object]) -> tuple[list[ObjectCount], list[CloudCount]]:
    """Show, per delivery and per cloud, that every record is kept, out of scope or rejected."""
    found = [_count(one) for one in objects]
    clouds = [_cloud(source, found, objects) for source in sorted({one.source for one in found})]
    table = Table(box=box.SIMPLE, title="Every record accounted for", title_justify="left")
    table.add_column("delivered", overflow="fold")
    for column in ("records", "= kept", "+ out of scope", "+ rejected", "adds up"):
        table.add_column(column, justify="right")
    for cloud in clouds:
        for one in found:
            if one.source == cloud.source:
                table.add_row(*_row(one))
        table.add_section()
        sums = (cloud.seen, cloud.kept, cloud.out_of_scope, cloud.rejected)
        name = f"all of {NAMES.get(cloud.source, cloud.source)}"
        table.add_row(name, *map(str, sums), "yes" if cloud.adds_up else "NO")
        table.add_section()
    out.print(table)
    return found, clouds


def kinds(out: Console, clouds: Sequence[CloudCount]) -> None:
    """Show, side by side, which kinds of identity acted and in which phases."""
    _side_by_side(out, "Who acted: kinds of identity", clouds, lambda one: one.identity_kinds)
    _side_by_side(out, "What it was: phases", clouds, lambda one: one.phases)
    if any(one.rejections for one in clouds):
        _side_by_side(out, "Rejected, kept raw: reasons", clouds, lambda one: one.rejections)


def _side_by_side(
    out: Console,
    title: str,
    clouds: Sequence[CloudCount],
    of: Callable[[CloudCount], dict[str, int]],
) -> None:
    table = Table(box=box.SIMPLE, title=title, title_justify="left")
    table.add_column("")
    for cloud in clouds:
        table.add_column(NAMES.get(cloud.source, cloud.source), justify="right")
    names = Counter[str]()
    for cloud in clouds:
        names.update(of(cloud))
    for name, _ in names.most_common():
        cells = [str(of(cloud).get(name, "")) for cloud in clouds]
        table.add_row(Text(neutralize(name)), *cells)
    out.print(table)


def _row(one: ObjectCount) -> list[str | Text]:
    name = one.unit.rpartition("/")[2].partition(".json")[0].replace("_", " ")
    part = "" if one.part == "1/1" else f" part {one.part}"
    reasons = ", ".join(f"{why} {n}" for why, n in one.out_of_scope.items()) or "0"
    rejected = str(one.rejected) + (f" ({one.reason})" if one.reason else "")
    return [
        Text(neutralize(name.replace(" CloudTrail ", " ") + part)),
        str(one.seen),
        str(one.kept),
        Text(neutralize(reasons)),
        Text(neutralize(rejected)),
        "yes" if one.adds_up else "NO",
    ]


def _count(one: Object) -> ObjectCount:
    """Count the lines themselves and compare with what the header says."""
    header = one.header
    found = ["n" if "n" in msgspec.json.decode(line) else "x" for line in one.lines]
    kept, rejected = found.count("n"), found.count("x")
    adds_up = (
        kept == header.kept
        and rejected == header.rejected
        and header.n == kept + rejected + sum(header.out_of_scope.values())
    )
    return ObjectCount(
        source=header.source,
        unit=header.unit,
        part=f"{header.part}/{header.parts}",
        seen=header.n,
        kept=header.kept,
        rejected=header.rejected,
        out_of_scope=header.out_of_scope,
        adds_up=adds_up,
        reason=header.rejection.reason if header.rejection else None,
    )


def _cloud(source: str, found: Sequence[ObjectCount], objects: Sequence[Object]) -> CloudCount:
    own = [one for one in found if one.source == source]
    decoded: list[Any] = [
        msgspec.json.decode(line)
        for one in objects
        if one.header.source == source
        for line in one.lines
    ]
    records = [one["n"] for one in decoded if "n" in one]
    return CloudCount(
        source=source,
        seen=sum(one.seen for one in own),
        kept=sum(one.kept for one in own),
        out_of_scope=sum(sum(one.out_of_scope.values()) for one in own),
        rejected=sum(one.rejected for one in own),
        adds_up=all(one.adds_up for one in own),
        identity_kinds=dict(Counter(one["nhi"]["type"] for one in records).most_common()),
        phases=dict(Counter(one["nhi_phase"] for one in records).most_common()),
        rejections=dict(Counter(one["x"]["reason"] for one in decoded if "x" in one).most_common()),
    )
