"""A verification report, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rich.console import Console

from nhi_evidence import plural
from nhi_evidence.evidence.verify import Finding, Report, Severity
from nhi_evidence.terminal import fitting
from nhi_evidence.terminal.flag_words import FLAGS
from nhi_evidence.terminal.safe_text import instant, neutralize_json
from nhi_evidence.terminal.verdict import show as show_verdict

SCHEMA = "nhi-evidence/verify-report/1"
"""Names the document's schema; a change of meaning changes the number."""

_MOST_LINES = 5
_NOT_CHECKED = "not checked: "


class _Printed(msgspec.Struct):
    """A finding as printed by `--json`: with step, severity and meaning."""

    step: str
    severity: str
    code: str
    meaning: str
    key: str
    version: str | None
    unit: str | None
    record: int | None
    detail: str


def as_document(report: Report) -> bytes:
    """Return the report as JSON, findings with step and severity, safe to show in a terminal."""
    plain = msgspec.to_builtins(report)
    plain["findings"] = [_printed(finding) for finding in report.findings]
    plain["schema"] = SCHEMA
    plain["verdict"] = VERDICTS[report.exit_code][0]
    plain["exit_code"] = report.exit_code
    return neutralize_json(msgspec.json.encode(plain))


def read_document(document: bytes) -> Report:
    """Read the output of `as_document`. Raises `ValueError` for anything else."""
    return msgspec.json.decode(document, type=Report)


class Context(msgspec.Struct, frozen=True):
    """What a reader needs besides the report, to act on it or to repeat it."""

    store: str
    keys: tuple[str, ...]
    """Names and IDs of the pinned keys."""
    program: str
    """Name and version."""


VERDICTS = {
    0: ("CLEAN", "bold green", "no finding"),
    1: ("TAMPERED", "bold red", "the evidence is not what was sealed; do not change the store"),
    2: ("INCOMPLETE", "bold yellow", "what is there is intact, but something is missing"),
    3: ("NOT AS PROMISED", "bold yellow", "intact and complete, but not as the policy requires"),
}
"""Exit code to verdict, its style and its meaning."""

NEXT = {
    0: "save this state (--save-state) and verify from it next time (--since)",
    1: 'docs/verification.md, "Findings"; --json prints every finding',
    2: "replay the incomplete window (docs/operations.md); --json prints every finding",
    3: "compare the findings with the policy file; --json prints every finding",
}


def show(out: Console, report: Report, context: Context | None = None) -> None:
    """Print a report: the verdict first, what was not checked last."""
    show_verdict(out, *VERDICTS[report.exit_code], _lines(report, context))


def _lines(report: Report, context: Context | None) -> Iterator[str]:
    if context is not None:
        yield f"store     {context.store}"
        yield f"by        {', '.join(context.keys)}; {context.program}, {instant(report.now)}"
    epochs = plural.count(report.epochs, "epoch", "epochs")
    extent = f"{epochs}, {plural.count(report.leaves, 'leaf', 'leaves')}"
    yield f"log       {report.name}, {extent}"
    yield "          (one leaf for each epoch, and for each version of an object)"
    yield f"head      size {report.size}"
    yield f"          root {report.root or 'none'}"
    if report.head_at is not None and report.head_age_ms is not None:
        yield f"          signed {instant(report.head_at)}, {fitting.age(report.head_age_ms)}"
    size = plural.count(report.bytes, "byte")
    yield f"objects   {report.objects:,} hashed ({size}), {report.listed:,} listed"
    if report.part is not None:
        yield f"part      {report.part.number} of {report.part.of}"
    if report.sample:
        yield f"sample    {report.sample}"
    if report.records:
        again = (
            f", {report.reproduced:,} mapped again to the same line" if report.reproduced else ""
        )
        yield f"records   {report.records:,} checked line by line{again}"
    if report.expired:
        yield f"expired   {report.expired} gone after lock and grace, as the policy allows"
    yield from _counted(report)
    for flag, number in report.flags.items():
        yield f"flag      {flag} {number:,}: {FLAGS.get(flag, 'see docs/evidence-format.md')}"
    for anchor in report.anchors:
        yield f"anchor    {anchor.name}, {anchor.shard} epoch {anchor.epoch}, {instant(anchor.at)}"
    yield from _findings(report.findings)
    for line in report.not_checked:
        yield f"{_NOT_CHECKED}{line}"
    yield f"next      {NEXT[report.exit_code]}"


def _counted(report: Report) -> Iterator[str]:
    units = ", ".join(f"{name} {count}" for name, count in report.units.items())
    yield f"units     {units or 'none counted'}"
    for source, number in report.records_counted.items():
        yield f"          {source}: {plural.count(number, 'record')}"
    if report.statements:
        verdicts = ", ".join(f"{name} {count}" for name, count in report.statements.items())
        yield f"complete  {verdicts} (source hours and scopes)"
    if report.canaries:
        results = ", ".join(f"{name} {count}" for name, count in report.canaries.items())
        yield f"canaries  {results} (probes, by the statements on their hours)"
    if report.duplicate_records or report.linked_records:
        yield (
            f"          {plural.count(report.duplicate_records, 'record')} repeated in another "
            "unit, "
            f"{report.linked_records} linked by a common ID"
        )
    if report.rejected_deliveries:
        rejected = plural.count(report.rejected_deliveries, "delivery", "deliveries")
        yield f"          {rejected} that could not be decoded"


def _findings(findings: list[Finding]) -> Iterator[str]:
    for (step, severity, code), same in _grouped(findings):
        yield f"{step} {code} ({severity.name.lower()}), {len(same)}: {same[0].meaning.text}"
        for finding in same[:_MOST_LINES]:
            unit = f" unit {finding.unit}" if finding.unit is not None else ""
            record = f" record {finding.record}" if finding.record is not None else ""
            yield f"  {finding.key}{unit}{record}"
            if finding.detail:
                yield f"    {finding.detail}"
        if len(same) > _MOST_LINES:
            yield f"  ... and {len(same) - _MOST_LINES} more; --json prints them all"


def _grouped(
    findings: list[Finding],
) -> list[tuple[tuple[str, Severity, str], list[Finding]]]:
    """Group findings by code, the gravest first."""
    groups: dict[tuple[str, Severity, str], list[Finding]] = {}
    for finding in findings:
        step, severity, _ = finding.meaning
        groups.setdefault((step, severity, finding.code), []).append(finding)
    return sorted(groups.items(), key=lambda group: (group[0][1], group[0][0], group[0][2]))


def _printed(finding: Finding) -> _Printed:
    step, severity, text = finding.meaning
    return _Printed(
        step=step,
        severity=severity.name.lower(),
        code=finding.code,
        meaning=text,
        key=finding.key,
        version=finding.version,
        unit=finding.unit,
        record=finding.record,
        detail=finding.detail,
    )
