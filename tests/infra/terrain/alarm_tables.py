"""Alarms by situation, as docs/operations.md prints them: `python -m tests.infra.terrain`."""

from __future__ import annotations

from collections.abc import Mapping

from tests.infra.terrain import azure_scenarios, gcp_scenarios
from tests.infra.terrain.synthesis import Stack

Table = Mapping[str, set[str]]
"""Situation to the alarms it raises."""


def gcp_table(stack: Stack) -> Table:
    """Return what each situation raises of Google Cloud's policies."""
    policies = gcp_scenarios.policies(stack)
    return {one: gcp_scenarios.raised(policies, one) for one in gcp_scenarios.SITUATIONS}


def azure_table(stack: Stack) -> Table:
    """Return what each situation raises of Azure's rules."""
    rules = azure_scenarios.alerts(stack)
    return {one: azure_scenarios.raised(rules, one) for one in azure_scenarios.SITUATIONS}


def markdown(table: Table) -> str:
    """Return a table as Markdown."""
    lines = ["| what happens | alarms |", "|---|---|"]
    for situation, names in table.items():
        cell = ", ".join(f"`{one}`" for one in sorted(names)) or "none"
        lines.append(f"| {situation} | {cell} |")
    return "\n".join(lines)
