"""Alarm by situation, as docs/operations.md prints it: `python -m tests.infra.aws`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.infra.aws.estate import Estate
from tests.infra.aws.evaluation import raised
from tests.infra.aws.scenarios import SITUATIONS

EXPORTER = "nhi-evidence-main-170b2e-aws_cloudtrail-organization"
SEALER = "nhi-evidence-main-170b2e-sealer"
RECONCILER = "nhi-evidence-main-170b2e-reconcile"
COVERAGE = "nhi-evidence-main-170b2e-coverage"
CANARY = "nhi-evidence-main-170b2e-canary"
FORWARDER = "nhi-evidence-main-170b2e-forward"
STORE = "nhi-evidence-main-170b2e"
KINDS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")


def alarms_of(estate: Estate) -> dict[str, dict[str, Any]]:
    """Return the alarms by name, of one of the two exporters alone."""
    resources = [one for kind in KINDS for one in estate.of(kind)]
    every = {one.properties["AlarmName"]: one.properties for one in resources}
    return {name: one for name, one in every.items() if "aws_cloudtrail-fresh" not in name}


def table(estate: Estate) -> dict[str, set[str]]:
    """Return which alarms each situation raises."""
    alarms = alarms_of(estate)
    return {situation: raised(alarms, situation) for situation in SITUATIONS}


def markdown(raised_by: Mapping[str, set[str]]) -> str:
    """Return which situation raises which alarms, as Markdown."""
    lines = ["| what happens | alarms |", "|---|---|"]
    for situation, alarms in raised_by.items():
        names = sorted({_short(each) for each in alarms})
        lines.append(f"| {situation} | {', '.join(f'`{each}`' for each in names) or 'none'} |")
    return "\n".join(lines)


def _short(name: str) -> str:
    for prefix in (EXPORTER, SEALER, STORE):
        if name.startswith(f"{prefix}-"):
            short = name.removeprefix(f"{prefix}-")
            kinds = ("absence", "mostly-rejected")
            return next((kind for kind in kinds if short.endswith(f"-{kind}")), short)
    return name


def with_table(text: str, raised_by: Mapping[str, set[str]]) -> str:
    """Return a page with its table made anew."""
    pattern = r"(<!-- alarms -->\n).*?(\n<!-- end -->)"
    rendered = markdown(raised_by)
    return re.sub(pattern, lambda match: match[1] + rendered + match[2], text, flags=re.DOTALL)
