"""`nhi-evidence explain`: what an operation means, by which rule, and how that is known."""

from __future__ import annotations

from typing import Annotated

import typer

from nhi_evidence.catalog.atlas import Known
from nhi_evidence.catalog.atlas.coverage import Agreement, Coverage, ProviderCoverage, coverage
from nhi_evidence.catalog.atlas.explanation import Explanation, explain
from nhi_evidence.cli import exit_codes, json_output, screen

EXAMPLES = """\b
Examples:
  nhi-evidence explain iam:CreateAccessKey
  nhi-evidence explain "POST /groups/{id}/members/$ref" --json | jq .explanations[].rule
  nhi-evidence explain --coverage

Exit codes: 0 explained; 2 neither a pinned source nor a row knows the name;
4 the source is unknown; 64 wrong usage.
"""

_KNOWN = {
    Known.CURATED: "curated: by a reviewed row",
    Known.PERMISSION: "a guess, by a permission it needs",
    Known.LEXICON: "a guess, by the words of its name",
    Known.ACCESS_LEVEL: "a guess, by the provider's access level",
    Known.PATTERN: "a guess, by how its name looks",
    Known.VERB: "a guess, by its verb alone",
    Known.UNKNOWN: "unknown: no rule covers it",
}


def command(
    operation: Annotated[
        str | None,
        typer.Argument(
            metavar="OPERATION",
            help="As the log names it, with or without its service: "
            "s3:GetObject, storage.buckets.list, Microsoft.Compute/virtualMachines/write, "
            "'Add member to role', 'GET /users/{id}'.",
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Look only in this source; an unknown name lists them.")
    ] = None,
    show_coverage: Annotated[
        bool,
        typer.Option(
            "--coverage",
            help="Instead report how many operations of each provider are known, and how; and how "
            "often the lexicon agrees with reviewed rows.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON object.")
    ] = False,
) -> None:
    """Explain what an operation means: its phase, the row or rule that says so, and its log.

    A meaning is either curated, by a reviewed row, or a guess: by the words of the name, an
    access level, or just the verb. A name that no pinned source contains is marked as such.
    """
    if show_coverage == bool(operation):
        raise typer.BadParameter("give an OPERATION or --coverage")
    if show_coverage:
        report = coverage()
        _print("explain --coverage", report, _coverage_lines(report), as_json=as_json)
        return
    explanations = explain(operation or "", source)
    _print("explain", {"explanations": explanations}, _lines(explanations), as_json=as_json)
    if not any(one.in_atlas or one.known is Known.CURATED for one in explanations):
        raise typer.Exit(exit_codes.INCOMPLETE)


def _print(command: str, value: object, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        json_output.write(command, value)
        return
    screen.say(*lines)


def _lines(explanations: tuple[Explanation, ...]) -> list[str]:
    lines: list[str] = []
    for explanation in explanations:
        lines += (
            ["", *_explanation_lines(explanation)] if lines else _explanation_lines(explanation)
        )
    return lines


def _explanation_lines(explained: Explanation) -> list[str]:
    name = (
        f"{explained.service}:{explained.operation}" if explained.service else explained.operation
    )
    facts = {
        "phase": f"{explained.phase} ({explained.sub_phase})"
        if explained.sub_phase
        else explained.phase,
        "known": _KNOWN[explained.known],
        "rule": explained.rule,
        "why": explained.why,
        "reference": explained.ref,
        "confidence": explained.confidence,
        "OCSF": f"class {explained.class_uid}, activity {explained.activity_id}",
        "log": f"{explained.log} ({explained.log_known})" if explained.log_known else explained.log,
        "recorded as": explained.recorded_as,
        "access level": explained.access_level,
        "permissions": explained.permissions,
        "resources": explained.resources,
        "target": explained.target,
        "source": explained.pack,
    }
    lines = [name if explained.in_atlas else f"{name}  [in no pinned source]"]
    lines += [f"  {label:<13} {text}" for label, text in facts.items() if text]
    lines += [f"  {'unless':<13} {c.id}: {c.phase}. {c.why}" for c in explained.overrides]
    lines += [f"  {'alike':<13} {example}" for example in explained.examples]
    return lines


def _coverage_lines(report: Coverage) -> list[str]:
    lines: list[str] = []
    for provider in report.providers:
        lines += [*_provider_lines(provider), ""]
    return [*lines, *_agreement_lines(report.lexicon)]


def _provider_lines(provider: ProviderCoverage) -> list[str]:
    lines = [
        f"{provider.name}: {provider.operations} {provider.denominator}",
        f"  from {', '.join(provider.sources)}; what they do not list is unknown",
    ]
    for how, count in provider.by_known.items():
        lines.append(f"  {how:<13} {count:>6}  {count / provider.operations:6.1%}")
    logs = ", ".join(f"{log} {count}" for log, count in provider.by_log.items())
    lines.append(f"  {'log':<13} {logs}")
    if provider.rows_beyond:
        lines.append(
            f"  {'rows beyond':<13} {provider.rows_beyond:>6}  for operations they do not list"
        )
    return lines


def _agreement_lines(lexicon: Agreement) -> list[str]:
    judged = lexicon.agree + len(lexicon.differences)
    summary = (
        f"lexicon on {lexicon.rows} reviewed rows: silent on {lexicon.silent}, "
        f"agrees with {lexicon.agree} of {judged} ({lexicon.agree / judged:.1%})"
    )
    differences = (
        f"  {one.rule.rpartition(':')[2]:<10} {one.lexicon:<20} row {one.row:<20} "
        f"{one.service}:{one.operation}"
        for one in lexicon.differences
    )
    return [summary, *differences]
