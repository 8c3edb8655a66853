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

from nhi_evidence import plural
from nhi_evidence.demo.bucket import Object, Unit
from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.terminal.safe_text import neutralize

NAMES = {
    "aws_cloudtrail": "AWS",
    "gcp_audit": "Google Cloud",
    "azure_monitor": "Azure",
    "aws_api_gateway": "API Gateway",
    "github_audit": "GitHub",
    "k8s_audit": "EKS",
    "okta_system": "Okta",
    "vault_audit": "Vault",
}


class UnitCount(msgspec.Struct, frozen=True):
    """The counts of one unit, or one part of it, as its lines and the table state them."""

    source: str
    unit: str
    part: str
    seen: int
    kept: int
    rejected: int
    out_of_scope: dict[str, int]
    adds_up: bool
    reason: str | None = None
    """Why the whole delivery was rejected, if it was."""


class CloudCount(msgspec.Struct, frozen=True):
    """One cloud's records, and of those kept: who acted and in which phase."""

    source: str
    objects: int
    """Evidence objects that hold its units."""
    units: int
    stored: int
    """Bytes of its objects."""
    seen: int
    kept: int
    out_of_scope: int
    rejected: int
    adds_up: bool
    identity_kinds: dict[str, int]
    phases: dict[str, int]
    rejections: dict[str, int]
    """Reasons of rejection, and how many records have each."""


def counts(out: Console, objects: Sequence[Object]) -> tuple[list[UnitCount], list[CloudCount]]:
    """Show, per unit and per cloud, that every record is kept, out of scope or rejected."""
    units = [_count(packed.header.source, unit) for packed in objects for unit in packed.units]
    sources = sorted({unit.source for unit in units})
    clouds = [_cloud(source, units, objects) for source in sources]
    table = Table(box=box.SIMPLE, title="Every record accounted for", title_justify="left")
    table.add_column("delivered", overflow="fold")
    for column in ("records", "= kept", "+ out of scope", "+ rejected", "adds up"):
        table.add_column(column, justify="right")
    for cloud in clouds:
        for unit in units:
            if unit.source == cloud.source:
                table.add_row(*_row(unit))
        table.add_section()
        sums = (cloud.seen, cloud.kept, cloud.out_of_scope, cloud.rejected)
        name = f"all of {NAMES.get(cloud.source, cloud.source)}"
        table.add_row(name, *map(str, sums), "yes" if cloud.adds_up else "NO")
        table.add_section()
    out.print(table)
    packed_units(out, clouds)
    return units, clouds


def packed_units(out: Console, clouds: Sequence[CloudCount]) -> None:
    """Show how many objects hold how many units: one object per batch, source and hour."""
    out.print(
        "What was delivered together is stored together: one object per batch, source and hour"
    )
    for cloud in clouds:
        units = plural.count(cloud.units, "unit")
        objects = plural.count(cloud.objects, "object")
        stored = plural.count(cloud.stored, "byte")
        name = NAMES.get(cloud.source, cloud.source)
        out.print(f"  {name:<13} {units} in {objects}, {stored} stored")
    out.print("")


def kinds(out: Console, clouds: Sequence[CloudCount]) -> None:
    """Show, side by side, which kinds of identity acted and in which phases."""
    _side_by_side(out, "Who acted: kinds of identity", clouds, lambda cloud: cloud.identity_kinds)
    _side_by_side(out, "What it was: phases", clouds, lambda cloud: cloud.phases)
    if any(cloud.rejections for cloud in clouds):
        _side_by_side(out, "Rejected, kept raw: reasons", clouds, lambda cloud: cloud.rejections)


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


def _row(unit: UnitCount) -> list[str | Text]:
    name = unit.unit.rpartition("/")[2].partition(".json")[0].replace("_", " ")
    part = "" if unit.part == "1/1" else f" part {unit.part}"
    reasons = ", ".join(f"{why} {n}" for why, n in unit.out_of_scope.items()) or "0"
    rejected = str(unit.rejected) + (f" ({unit.reason})" if unit.reason else "")
    return [
        Text(neutralize(name.replace(" CloudTrail ", " ") + part)),
        str(unit.seen),
        str(unit.kept),
        Text(neutralize(reasons)),
        Text(neutralize(rejected)),
        "yes" if unit.adds_up else "NO",
    ]


def _count(source: str, unit: Unit) -> UnitCount:
    """Count the lines themselves and compare with what the table says."""
    table_line = unit.table_line
    forms = Counter(decode_line(line).form for line in unit.lines)
    is_rejection = table_line.kind == "rejection"
    excluded = sum(table_line.out_of_scope.values())
    adds_up = (
        forms["kept"] == table_line.kept
        and forms["rejected"] == (len(unit.lines) if is_rejection else table_line.rejected)
        and forms["out_of_scope"] in {0, excluded}
        and table_line.records == table_line.kept + table_line.rejected + excluded
    )
    return UnitCount(
        source=source,
        unit=table_line.unit,
        part=f"{table_line.part}/{table_line.parts}",
        seen=table_line.records,
        kept=table_line.kept,
        rejected=table_line.rejected,
        out_of_scope=table_line.out_of_scope,
        adds_up=adds_up,
        reason=table_line.rejection.reason if table_line.rejection else None,
    )


def _cloud(source: str, units: Sequence[UnitCount], objects: Sequence[Object]) -> CloudCount:
    own = [unit for unit in units if unit.source == source]
    packed = [stored for stored in objects if stored.header.source == source]
    decoded: list[Any] = [msgspec.json.decode(line) for stored in packed for line in stored.lines]
    records = [line["n"] for line in decoded if "n" in line]
    rejections = Counter(
        line.x.reason
        for stored in packed
        for unit in stored.units
        if unit.table_line.kind == "records"
        for line in map(decode_line, unit.lines)
        if line.x is not None
    )
    return CloudCount(
        source=source,
        objects=len(packed),
        units=len({unit.unit for unit in own}),
        stored=sum(stored.size for stored in packed),
        seen=sum(unit.seen for unit in own),
        kept=sum(unit.kept for unit in own),
        out_of_scope=sum(sum(unit.out_of_scope.values()) for unit in own),
        rejected=sum(unit.rejected for unit in own),
        adds_up=all(unit.adds_up for unit in own),
        identity_kinds=dict(Counter(record["nhi"]["type"] for record in records).most_common()),
        phases=dict(Counter(record["nhi_phase"] for record in records).most_common()),
        rejections=dict(rejections.most_common()),
    )
