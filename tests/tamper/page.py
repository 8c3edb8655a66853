"""The tables of docs/verification.md, made from the code and the rows."""

from __future__ import annotations

from functools import cache

from nhi_evidence.evidence.verify import CODES, Report
from tests.tamper import (
    canary_rows,
    depth_rows,
    missing_rows,
    object_rows,
    outside_rows,
    rows,
    sealer_rows,
    setting_rows,
    signature_rows,
    since_rows,
    statement_rows,
    store_rows,
    stream_rows,
    unit_rows,
)
from tests.tamper.rows import ROWS, Done, Row
from tests.tamper.sealed_store import SealedStore

ELSEWHERE = {
    "log_missing", "checkpoint_pending", "shard_broken", "sealed_twice",
    "part_missing", "part_differs",
}  # fmt: skip
"""Codes that tests beside the matrix raise: they need more than one act on one store."""


MODULES = tuple(
    module.__name__
    for module in (
        *(object_rows, unit_rows, missing_rows, depth_rows, rows, setting_rows, outside_rows),
        *(stream_rows, signature_rows, store_rows),
        *(sealer_rows, since_rows, statement_rows, canary_rows),
    )
)
"""Their rows follow each other on the page, whichever was imported first."""


@cache
def outcome(row: Row) -> tuple[Done, Report]:
    """Do an act, once; return what it must give and what verification says."""
    world = SealedStore()
    done = row.do(world)
    return done, world.verify(since=done.since, policy=done.policy)


def findings() -> str:
    """Table of every code."""
    lines = ["| step | finding | severity | meaning |", "|---|---|---|---|"]
    for code, (step, severity, text) in sorted(
        CODES.items(), key=lambda finding: (finding[1][0], finding[0])
    ):
        lines.append(f"| {step} | `{code}` | {severity.name.lower()} | {text} |")
    return "\n".join(lines)


def matrix() -> str:
    """Table of every act and the codes it gives."""
    lines = ["| done to a sealed store | found |", "|---|---|"]
    for row in sorted(ROWS, key=lambda attack: MODULES.index(attack.do.__module__)):
        codes = sorted({code for code, _ in outcome(row)[0].expected})
        lines.append(f"| {row.text} | {', '.join(f'`{code}`' for code in codes) or 'nothing'} |")
    return "\n".join(lines)


def with_tables(text: str) -> str:
    """The page with its tables made anew."""
    for name, table in (("findings", findings()), ("tamper matrix", matrix())):
        before, opening, rest = text.partition(f"<!-- {name} -->\n")
        _, closing, after = rest.partition("\n<!-- end -->")
        text = f"{before}{opening}{table}{closing}{after}"
    return text
