"""`nhi-evidence verify`: is it whole, and is it what was sealed?"""

from __future__ import annotations

import secrets
from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.evidence_uri import Access, open_log
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli.progress import Steps
from nhi_evidence.cli.safe_text import neutralise
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.verify import Finding, Options, Report, Severity, State, Verifier

EXAMPLES = """\b
Examples:
  nhi-evidence verify ./evidence-copy --key example.org/evidence+1a2b3c4d+AW...
  nhi-evidence verify s3://evidence --policy policy.toml --deep --json
  nhi-evidence verify s3://evidence --policy policy.toml --since last.json --save-state last.json

\b
Exit codes: 0 clean; 1 a finding on integrity; 2 on completeness; 3 on policy
or anchors alone; 4 could not be verified (said on standard error); 64 wrong usage.
"""

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


def command(
    evidence: options.Evidence,
    *,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Look into every object: every record, every raw text.")
    ] = False,
    since: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Only what came after this saved state."),
    ] = None,
    save_state: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Save where this verification ended.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Read only so many objects, drawn at random.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="Draw the sample of an earlier report again.")
    ] = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Verify a sealed evidence store, a bucket or a directory copy, with public keys alone.

    Checks signatures and the tree, hashes every object, and looks for what is in the store and
    not in the log; says what it did not check. The steps V0 to V6 are those of
    docs/verification.md.
    """
    told = options.policy(policy, key)
    store = open_log(evidence, Access(role_arn=role_arn, external_id=external_id, profile=profile))
    looking = Options(
        deep=deep,
        since=_state(since) if since else None,
        sample=sample,
        seed=seed or secrets.token_hex(8),
    )
    with Steps("verifying") as steps:
        verifier = Verifier(store, told, now=clock.now(), options=looking, progress=steps.say)
        report = verifier.run()
    if save_state and report.state is not None:
        save_state.write_bytes(msgspec.json.format(msgspec.json.encode(report.state)) + b"\n")
    if as_json:
        typer.echo(as_document(report))
    else:
        show(Console(highlight=False, markup=False), report)
    if report.exit_code:
        raise typer.Exit(report.exit_code)


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
        out.print(Text(neutralise(f"sample    {report.sample}")), soft_wrap=True)
    if report.records:
        out.print(f"records   {report.records} looked at one by one")
    if report.expired:
        out.print(f"expired   {report.expired} gone after lock and grace, as the policy has it")
    units = ", ".join(f"{name} {count}" for name, count in report.units.items())
    out.print(f"units     {units or 'none'}")
    for held in report.anchors:
        at = options.instant(held.at)
        seen = f"anchor    {held.name}, {held.shard} epoch {held.epoch}, {at}"
        out.print(Text(neutralise(seen)), soft_wrap=True)
    for left in report.not_checked:
        out.print(Text(neutralise(f"not checked: {left}")), soft_wrap=True)
    if not report.findings:
        out.print("result    clean: no finding")
        return
    for (step, severity, code), found in _grouped(report.findings):
        text = found[0].meaning.text
        out.print(f"\n{step} {code} ({severity.name.lower()}), {len(found)}: {text}")
        for one in found[:_SHOWN]:
            record = f" record {one.record}" if one.record is not None else ""
            out.print(Text("  " + neutralise(one.key + record)), soft_wrap=True)
            if one.detail:
                out.print(Text("    " + neutralise(one.detail)), soft_wrap=True)
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


def _state(path: Path) -> State:
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{path}: not a saved state: {error}") from error
