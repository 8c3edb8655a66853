"""A verification report, for a reader and as JSON."""

from __future__ import annotations

from collections import Counter

import msgspec
from rich.console import Console
from rich.text import Text

from nhi_evidence.evidence.verify import Finding, Report, Severity
from nhi_evidence.terminal.safe_text import instant, neutralize

_SHOWN = 5


class _Printed(msgspec.Struct):
    """A finding as `--json` prints it: with step, severity and meaning."""

    step: str
    severity: str
    code: str
    meaning: str
    key: str
    version: str | None
    record: int | None
    detail: str


def as_document(report: Report) -> bytes:
    """Return the report as JSON, each finding with its step and severity."""
    plain = msgspec.to_builtins(report)
    plain["findings"] = [_printed(one) for one in report.findings]
    plain["exit_code"] = report.exit_code
    return msgspec.json.encode(plain)


def show(out: Console, report: Report) -> None:
    """Print a report for a reader."""
    out.print(f"log       {report.name}, {report.epochs} epochs, {report.leaves} leaves")
    out.print(f"head      size {report.size}, root {report.root or 'none'}", soft_wrap=True)
    out.print(f"objects   {report.objects} hashed ({report.bytes:,} bytes)")
    if report.sample:
        out.print(Text(neutralize(f"sample    {report.sample}")), soft_wrap=True)
    if report.records:
        out.print(f"records   {report.records} looked at one by one")
    if report.expired:
        out.print(f"expired   {report.expired} gone after lock and grace, as the policy has it")
    units = ", ".join(f"{name} {count}" for name, count in report.units.items())
    out.print(f"units     {units or 'none'}")
    for held in report.anchors:
        at = instant(held.at)
        seen = f"anchor    {held.name}, {held.shard} epoch {held.epoch}, {at}"
        out.print(Text(neutralize(seen)), soft_wrap=True)
    for left in report.not_checked:
        out.print(Text(neutralize(f"not checked: {left}")), soft_wrap=True)
    if not report.findings:
        out.print("result    clean: no finding")
        return
    for (step, severity, code), found in _grouped(report.findings):
        text = found[0].meaning.text
        out.print(f"\n{step} {code} ({severity.name.lower()}), {len(found)}: {text}")
        for one in found[:_SHOWN]:
            record = f" record {one.record}" if one.record is not None else ""
            out.print(Text("  " + neutralize(one.key + record)), soft_wrap=True)
            if one.detail:
                out.print(Text("    " + neutralize(one.detail)), soft_wrap=True)
        if len(found) > _SHOWN:
            out.print(f"  ... and {len(found) - _SHOWN} more; --json prints them all")
    by_severity = Counter(one.meaning.severity.name.lower() for one in report.findings)
    counts = ", ".join(f"{count} on {name}" for name, count in sorted(by_severity.items()))
    out.print(f"\nresult    {len(report.findings)} findings: {counts}")


def _grouped(
    findings: list[Finding],
) -> list[tuple[tuple[str, Severity, str], list[Finding]]]:
    """Group findings by code, the gravest first."""
    groups: dict[tuple[str, Severity, str], list[Finding]] = {}
    for one in findings:
        step, severity, _ = one.meaning
        groups.setdefault((step, severity, one.code), []).append(one)
    return sorted(groups.items(), key=lambda group: (group[0][1], group[0][0], group[0][2]))


def _printed(one: Finding) -> _Printed:
    step, severity, text = one.meaning
    return _Printed(
        step, severity.name.lower(), one.code, text, one.key, one.version, one.record, one.detail
    )
