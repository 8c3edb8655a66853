"""Scan synthesized Terraform: `python -m infra.scan`, by way of `make check-infra`.

checkov reads suppressions in CloudFormation metadata and in comments, but not in Terraform JSON. So
its failures are compared with what each resource accepts (`infra/accepted.py`): a failure without a
reason fails the scan, and so does a reason without a failure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from infra.accepted import accepted

OPENING, CLOSING = "<!-- accepted findings: terraform -->\n", "\n<!-- end -->"
_TIMEOUT_SECONDS = 540


class Finding(NamedTuple):
    """A check that a resource fails."""

    stack: str
    resource: str
    """Its name in the stack: the last part of a Terraform address."""
    check: str
    text: str


class Acceptance(NamedTuple):
    """A check that a resource may fail, and why."""

    stack: str
    resource: str
    type_name: str
    path: str
    """What the constructs call the resource."""
    check: str
    reason: str


def acceptances(stacks: Mapping[str, Mapping[str, Any]]) -> list[Acceptance]:
    """Return everything that is accepted in synthesized stacks, which are given by name."""
    return [
        Acceptance(stack, name, type_name, _path(body), check, reason)
        for stack, content in sorted(stacks.items())
        for type_name, bodies in sorted(content.get("resource", {}).items())
        for name, body in sorted(bodies.items())
        for check, reason in sorted(accepted(body).items())
    ]


def _path(body: Mapping[str, Any]) -> str:
    return str(body["//"]["metadata"]["path"]).partition("/")[2]


def findings(report: str) -> list[Finding]:
    """Return the failures in a checkov report (`--output json`)."""
    decoded = json.loads(report)
    runs = decoded if isinstance(decoded, list) else [decoded]
    return [
        Finding(
            Path(failed["file_path"]).parent.name,
            failed["resource"].rpartition(".")[2],
            failed["check_id"],
            failed["check_name"],
        )
        for run in runs
        for failed in run.get("results", {}).get("failed_checks", ())
    ]


def unscanned(report: str, folder: Path, *, is_empty: bool) -> list[str]:
    """Return a line for each reason why a report says nothing about all that is in a folder.

    The counts: https://github.com/bridgecrewio/checkov/blob/main/checkov/common/output/report.py
    """
    if is_empty:
        return [f"{folder}: there is nothing to scan"]
    decoded = json.loads(report)
    runs = decoded if isinstance(decoded, list) else [decoded]
    counts = [run.get("summary", run) for run in runs]
    unreadable = sum(count.get("parsing_errors", 0) for count in counts)
    if unreadable:
        return [f"{folder}: checkov could not read {unreadable} of the files"]
    if not sum(count.get("resource_count", 0) for count in counts):
        return [f"{folder}: checkov read no resource"]
    return []


def faults(failures: Iterable[Finding], reasons: Iterable[Acceptance]) -> list[str]:
    """Return a line for each failure without a reason, and each reason without a failure."""
    failed = {(one.stack, one.resource, one.check): one for one in failures}
    explained = {(one.stack, one.resource, one.check): one for one in reasons}
    return [
        *(
            f"{one.stack}: {one.resource}: {one.check} fails: {one.text}"
            for key, one in sorted(failed.items())
            if key not in explained
        ),
        *(
            f"{one.stack}: {one.path}: {one.check} is accepted, but does not fail: remove it"
            for key, one in sorted(explained.items())
            if key not in failed
        ),
    ]


def table(reasons: Iterable[Acceptance]) -> str:
    """Return what is accepted as a Markdown table; resources that share a reason share a row."""
    rows: dict[tuple[str, str], list[str]] = {}
    for reason in reasons:
        rows.setdefault((reason.check, reason.reason), []).append(f"{reason.stack}/{reason.path}")
    lines = ["| check | resources | why it does not apply |", "|---|---|---|"]
    lines += [
        f"| {check} | {', '.join(f'`{path}`' for path in paths)} | {reason} |"
        for (check, reason), paths in sorted(rows.items())
    ]
    return "\n".join(lines)


def document(text: str, reasons: Iterable[Acceptance], *, opening: str = OPENING) -> str:
    """Return a document with the table between its markers replaced."""
    before, start, rest = text.partition(opening)
    _, end, after = rest.partition(CLOSING)
    return f"{before}{start}{table(reasons)}{end}{after}"


def main(arguments: list[str] | None = None) -> int:
    """Scan, print what is accepted, and return 1 if any failure is not, or anything was unread."""
    parser = argparse.ArgumentParser(prog="python -m infra.scan", description=__doc__)
    parser.add_argument("--checkov", type=Path, required=True, help="the program")
    parser.add_argument("--stacks", type=Path, default=Path("cdktf.out/stacks"))
    parser.add_argument("--document", type=Path, help="write the table into this document, too")
    options = parser.parse_args(arguments)
    stacks = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(options.stacks.glob("*/cdk.tf.json"))
    }
    reasons = acceptances(stacks)
    report = run_checkov(options.checkov, options.stacks, "terraform_json")
    failures = findings(report)
    sys.stdout.write(f"{table(reasons)}\n{len(failures)} failures, {len(reasons)} accepted\n")
    if options.document is not None:
        text = options.document.read_text(encoding="utf-8")
        options.document.write_text(document(text, reasons), encoding="utf-8")
    wrong = [
        *unscanned(report, options.stacks, is_empty=not stacks),
        *faults(failures, reasons),
    ]
    sys.stderr.writelines(f"{fault}\n" for fault in wrong)
    return 1 if wrong else 0


def run_checkov(program: Path, folder: Path, framework: str) -> str:
    """Run checkov over a folder of stacks or templates; return its report."""
    done = subprocess.run(  # noqa: S603 a program named by the deployer
        [
            *(str(program), "--directory", str(folder), "--framework", framework),
            *("--output", "json", "--quiet", "--soft-fail", "--skip-download"),
        ],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
