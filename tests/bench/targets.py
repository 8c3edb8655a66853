"""What was asked of the product's speed, beside what this run measured: met or not."""

from __future__ import annotations

from typing import Any, NamedTuple

NATIVE = "native-only line"
PEER = "pydantic, raw text"
AWS = ("generated", "real records")


class Target(NamedTuple):
    """One row; a figure is a ratio unless `unit` says what it is."""

    what: str
    figure: float | None
    """None of what could not be measured here."""
    bound: float
    unit: str = ""
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """Whether the figure keeps the bound."""
        if self.figure is None:
            return "not measured: cores are busy"
        kept = self.figure >= self.bound if self.at_least else self.figure <= self.bound
        return "met" if kept else "not met"


def targets(result: dict[str, Any]) -> list[Target]:
    """Return every target of a run."""
    rows: list[Target] = []
    for name, size in result["inputs"].items():
        cost = {row["name"]: row["cost"] for row in size["rows"]}
        (line,) = (each for kind, each in cost.items() if kind.endswith("whole line"))
        rows.append(Target(f"{name}: whole line / native-only line", line / cost[NATIVE], 2.2))
        if name in AWS:
            rows.append(Target(f"{name}: whole line / floor", line, 3.2))
            rows.append(Target(f"{name}: whole line / pydantic, raw text", line / cost[PEER], 1.0))
    sealed, memory = result["sealed"], result["memory_mb"]
    peak = memory["peak"] / (memory["inflated"] + 64)
    rows += [
        Target(f"verify, fast, files of {each['records']} records", each["ratio"], 1.15)
        for each in sealed["fast"]
    ]
    return [
        *rows,
        Target("verify, deep", sealed["deep"], 4.0),
        Target("two jobs, wall time of one", sealed["jobs"], 0.55),
        Target("import of the entry / boto3.client('s3')", result["import"]["ratio"], 1.0),
        Target("log alone", sealed["leaves_s"], 100_000, "leaves/s", at_least=True),
        Target("seal 6,000 objects", sealed["seal_s"], 0.5, "s"),
        Target("check a proof, its signature included", sealed["proof_ms"], 1.0, "ms"),
        Target("peak of one export / inflated + 64 MB", peak, 1.0),
        Target("bundle", result["bundle_mb"], 60.0, "MB"),
    ]


def text(result: dict[str, Any]) -> list[str]:
    """Return the rows as lines of the table."""
    lines = ["targets"]
    for row in targets(result):
        sign = ">=" if row.at_least else "<="
        figure = "-" if row.figure is None else f"{row.figure:,.2f}"
        bound = f"{sign} {row.bound:,.10g} {row.unit}".rstrip()
        lines.append(f"  {row.what:56}{figure:>12}  {bound:20}{row.verdict}")
    return lines
