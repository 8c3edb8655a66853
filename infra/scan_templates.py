"""Scan synthesized CloudFormation: `python -m infra.scan_templates`, by way of `make check-infra`.

What is accepted is in the metadata of each resource, where checkov itself reads it
(`infra/aws/acknowledged.py`). Here it is removed before the scan, so that a reason without a
failure is found as well.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra import scan
from infra.scan import Acceptance, Finding, faults, run_checkov, unscanned

OPENING = "<!-- accepted findings: cloudformation -->\n"
KEY = "checkov"
SUFFIX = ".template.json"

Templates = Mapping[str, Mapping[str, Any]]


def acceptances(templates: Templates) -> list[Acceptance]:
    """Return everything that is accepted in templates, which are given by stack name."""
    return [
        Acceptance(stack, name, body["Type"], body["Type"], one["id"], one["comment"])
        for stack, template in sorted(templates.items())
        for name, body in sorted(template["Resources"].items())
        for one in body.get("Metadata", {}).get(KEY, {}).get("skip", ())
    ]


def findings(report: str) -> list[Finding]:
    """Return the failures in a checkov report (`--output json`)."""
    decoded = json.loads(report)
    runs = decoded if isinstance(decoded, list) else [decoded]
    return [
        Finding(
            Path(failed["file_path"]).name.removesuffix(SUFFIX),
            failed["resource"].rpartition(".")[2],
            failed["check_id"],
            failed["check_name"],
        )
        for run in runs
        for failed in run.get("results", {}).get("failed_checks", ())
    ]


def document(text: str, reasons: list[Acceptance]) -> str:
    """Return a document with the table between its markers replaced."""
    by_type = dict.fromkeys(one._replace(stack="aws", resource="") for one in reasons)
    return scan.document(text, by_type, opening=OPENING)


def main(arguments: list[str] | None = None) -> int:
    """Scan, and return 1 if any failure is not accepted, or anything was unread."""
    parser = argparse.ArgumentParser(prog="python -m infra.scan_templates", description=__doc__)
    parser.add_argument("--checkov", type=Path, required=True, help="the program")
    parser.add_argument("--assembly", type=Path, default=Path("cdk.out"))
    options = parser.parse_args(arguments)
    templates: Templates = {
        path.name.removesuffix(SUFFIX): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(options.assembly.glob(f"*{SUFFIX}"))
    }
    reasons = acceptances(templates)
    with tempfile.TemporaryDirectory() as folder:
        for stack, template in templates.items():
            text = json.dumps(without_acceptances(template))
            (Path(folder) / f"{stack}{SUFFIX}").write_text(text, encoding="utf-8")
        report = run_checkov(options.checkov, Path(folder), "cloudformation")
    failures = findings(report)
    sys.stdout.write(f"{len(failures)} failures, {len(reasons)} accepted\n")
    wrong = [
        *unscanned(report, options.assembly, is_empty=not templates),
        *faults(failures, reasons),
    ]
    sys.stderr.writelines(f"{fault}\n" for fault in wrong)
    return 1 if wrong else 0


def without_acceptances(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template without what its resources accept."""
    bare: dict[str, Any] = json.loads(json.dumps(template))
    for body in bare["Resources"].values():
        body.get("Metadata", {}).pop(KEY, None)
    return bare


if __name__ == "__main__":
    sys.exit(main())
