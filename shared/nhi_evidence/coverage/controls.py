"""Controls: which of them this evidence supports, and how well. Never that one is met.

Frameworks in their own spelling: NIST CSF 2.0 (`DE.CM-01`, where 1.1 wrote DE.CM-1), SP 800-53
Rev. 5, OWASP Non-Human Identities Top 10 2025, PCI DSS 4.0.1, SOC 2 trust services criteria, and
the tenets of NIST SP 800-207.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Literal

import msgspec

from nhi_evidence.coverage.cells import Step
from nhi_evidence.coverage.matrix import CellState, Matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.errors import CatalogError

Evidence = Literal["evidence available", "partial", "gap"]


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feature of the product, the controls it is evidence for, and the steps it rests on."""

    feature: str
    controls: dict[str, tuple[str, ...]]
    """Framework to its controls."""
    steps: tuple[Step, ...] = ()
    """The steps whose cells decide; empty if every cell does."""


class Support(msgspec.Struct, frozen=True, omit_defaults=True):
    """The support for one control."""

    framework: str
    control: str
    evidence: Evidence
    features: tuple[str, ...]
    cells: int
    """How many cells decide."""
    recorded: int
    """How many of those are recorded here."""
    note: str = ""


NOTES = {
    ("OWASP NHI Top 10 2025", "NHI8"): "often cited as `NHI-08 logging`: NHI8 is Environment "
    "Isolation, and no item of the ten is about logging; this is evidence for it, no more",
}
"""Labels that are commonly misused, with a correction."""


def support(matrix: Matrix) -> tuple[Support, ...]:
    """Return the support for each control, framework by framework in the order of the table."""
    by_control: dict[tuple[str, str], list[Feature]] = {}
    for feature in features():
        for framework, controls in feature.controls.items():
            for control in controls:
                by_control.setdefault((framework, control), []).append(feature)
    order = list(dict.fromkeys(framework for framework, _ in by_control))
    return tuple(
        _support(matrix, framework, control, found)
        for (framework, control), found in sorted(
            by_control.items(), key=lambda item: (order.index(item[0][0]), _natural(item[0][1]))
        )
    )


def _support(matrix: Matrix, framework: str, control: str, mapped: list[Feature]) -> Support:
    cells = {cell.cell: cell for feature in mapped for cell in _cells(matrix, feature)}
    counted = [cell for cell in cells.values() if cell.verdict is not Verdict.IMPOSSIBLE]
    recorded = sum(cell.verdict.is_recorded_here for cell in counted)
    evidence: Evidence = "partial"
    if not recorded:
        evidence = "gap"
    elif recorded == len(cells):
        evidence = "evidence available"
    return Support(
        framework=framework,
        control=control,
        evidence=evidence,
        features=tuple(feature.feature for feature in mapped),
        cells=len(cells),
        recorded=recorded,
        note=NOTES.get((framework, control), ""),
    )


def _cells(matrix: Matrix, feature: Feature) -> Iterator[CellState]:
    return (cell for cell in matrix.cells if not feature.steps or cell.step in feature.steps)


def _natural(control: str) -> tuple[tuple[bool, int, str], ...]:
    """Return a sort key that puts `10.2` after `8.6`, and letters apart from numbers."""
    parts = control.replace("(", ".").replace(")", "").replace("-", ".").split(".")
    return tuple((part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)


@cache
def features() -> tuple[Feature, ...]:
    """Return the table of features. Raises `CatalogError` if it is missing or invalid."""
    data = pkgutil.get_data(__name__, "controls.json")
    if data is None:
        raise CatalogError("coverage: controls.json is missing")
    try:
        return msgspec.json.decode(data, type=tuple[Feature, ...])
    except msgspec.MsgspecError as error:
        raise CatalogError(f"coverage: controls.json: {error}") from error
