"""The metrics that each function emits, found in its code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from nhi_evidence.evidence import flags

FUNCTIONS = Path(__file__).parents[3] / "functions"
ADDS = {"metrics.add_metric", "count"}
"""How entry files emit a metric whose name they give first."""

COMPUTED = {
    "seal": {
        *("Flagged" + flag.title().replace("_", "") for flag in flags.ALL),
        *(
            what + source
            for what in ("Sealed", "Mapped", "Rejected")
            for source in ("AwsCloudtrail", "GcpAudit", "AzureMonitor")
        ),
    },
    "coverage": {"Gap", "Unknown"},
}
"""Names that the code puts together."""


def functions() -> list[str]:
    return sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))


def names(source: str) -> Iterator[str | None]:
    """Yield the name of each metric that an entry file emits; None for one it puts together."""
    tree = ast.parse(source)
    inside = {
        id(one)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "count"
        for one in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ADDS and id(node) not in inside:
            (name, *_) = node.args
            yield str(name.value) if isinstance(name, ast.Constant) else None


def emitted(function: str) -> set[str]:
    every = list(names((FUNCTIONS / function / "handler.py").read_text()))
    assert (None in every) == (function in COMPUTED), function
    return {one for one in every if one is not None} | COMPUTED.get(function, set())
