"""The documents agree with the program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nhi_evidence import sources
from nhi_evidence.cli import commands
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.sources import conformance
from tests.cases.reader import Case, at, outcome, read, rules
from tests.docs.help_blocks import ON_A_TERMINAL, cost, usage

ROOT = Path(__file__).parents[2]
CLI = (ROOT / "docs" / "cli.md").read_text()
FORMAT = (ROOT / "docs" / "evidence-format.md").read_text()
PACKS = [name for name in sources.names() if sources.routes(name) is None]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
COMMANDS = [row.name for row in commands.COMMANDS if not row.is_group]


@pytest.mark.parametrize("command", COMMANDS)
def test_documents_show_the_help(command: str) -> None:
    """The help block of every command, in docs/cli.md or docs/operations.md, matches its output."""
    block = re.search(rf"```help {command}\n(.*?)\n```", CLI + OPERATIONS, re.DOTALL)
    assert block, f"neither docs/cli.md nor docs/operations.md has a help block for {command}"
    assert usage(*command.split()) == block[1]


def test_the_installed_program_prints_the_same_help() -> None:
    """The installed program prints the same help as this process."""
    program = Path(sys.executable).with_name("nhi-evidence")
    done = subprocess.run(
        [program, "normalize", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=ON_A_TERMINAL,
    )
    printed = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
    assert usage("normalize") == printed


def test_deploy_shows_what_it_costs() -> None:
    """The cost block in docs/deploy.md matches the output of `nhi-evidence cost`."""
    block = re.search(r"```cost\n(.*?)\n```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL)
    assert block
    assert cost() == block[1]


def test_links_lead_somewhere() -> None:
    """Every relative link in README, CONTRIBUTING and docs names a file that exists."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    missing = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert [] == missing


def test_every_rejection_reason_is_documented() -> None:
    """docs/evidence-format.md lists every reason the code can give."""
    code = "".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))
    reasons = set(re.findall(r'(?:Rejection|Undecodable)\(\s*"([a-z0-9_]+)"', code))
    assert len(reasons) > 15
    unlisted = sorted(reason for reason in reasons if f"`{reason}`" not in FORMAT)
    assert [] == unlisted, "docs/evidence-format.md, Reasons for rejection, has no row of these"


def test_every_reason_of_a_local_file_is_documented() -> None:
    """docs/local-files.md, or the format's page, lists every reason for refusing a file."""
    folder = ROOT / "shared" / "nhi_evidence"
    paths = [*(folder / "local_files").glob("*.py"), folder / "cli" / "raw_input.py"]
    code = "".join(path.read_text() for path in paths)
    reasons = set(re.findall(r'Unreadable\(\s*"([a-z0-9_]+)"', code))
    page = (ROOT / "docs" / "local-files.md").read_text()
    assert {"unknown_form", "source_unknown", "malformed_yaml"} <= reasons
    assert [] == sorted(reason for reason in reasons if f"| `{reason}`" not in page + FORMAT)


@pytest.mark.parametrize("source", PACKS)
def test_every_rule_is_documented(source: str) -> None:
    """A source's page describes every identity rule in its code, and docs/sources.md lists the
    source.
    """
    place = ROOT / "docs" / "sources" / f"{source}.md"
    assert place.is_file(), f"source {source} has no page docs/sources/{source}.md"
    page = place.read_text()
    in_catalog = rules(source)
    assert in_catalog, f"the code of {source} names no identity rule of the form XX-01"
    undescribed = sorted(rule for rule in in_catalog if f"`{rule}`" not in page)
    assert [] == undescribed, f"docs/sources/{source}.md does not name these rules"
    listed = f"(sources/{source}.md)" in (ROOT / "docs" / "sources.md").read_text()
    assert listed, f"docs/sources.md has no row with a link to sources/{source}.md"


def test_contributing_names_what_a_pack_offers() -> None:
    """The instructions list every name the registry requires, and the fields of a case."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    names = [*conformance.members(sources.Pack), *Case.__struct_fields__]
    assert len(names) > 10
    assert [] == [name for name in names if f"`{name}`" not in page]


def test_every_alarm_has_a_section() -> None:
    """docs/operations.md explains each alarm in its table, which is generated from the stacks."""
    table = OPERATIONS.partition("<!-- alarms -->")[2].partition("<!-- end -->")[0]
    named = set(re.findall(r"`([a-z-]+)`", table))
    sections = re.findall(r"^### (.*)$", OPERATIONS, re.MULTILINE)
    explained = {name for section in sections for name in re.findall(r"`([a-z-]+)`", section)}
    assert len(named) > 15
    assert set() == named - explained


def test_queries_for_the_auditor_hold_what_evidence_holds() -> None:
    """The fields that docs/auditor.md queries are those of an evidence object's lines."""
    page = (ROOT / "docs" / "auditor.md").read_text()
    paths = set(re.findall(r"n->>'\$\.([a-z_.]+)'", page))
    case = next(iter(sorted((ROOT / "tests" / "cases" / "aws_cloudtrail").glob("*06f-pod*.json"))))
    record = outcome(
        read(case), Mapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
    )
    assert len(paths) > 4
    assert [] == sorted(path for path in paths if at(record, path) is None)


def test_every_declared_cut_is_in_the_privacy_page() -> None:
    """It lists exactly what is cut, and why, for whoever decides what goes in."""
    page = (ROOT / "docs" / "privacy.md").read_text()
    table = page.partition("<!-- declared cuts -->")[2].partition("<!-- end -->")[0]
    rows = [row.split(" | ") for row in table.splitlines() if row.startswith("| `")]
    stated = {(source, rule, why.removesuffix(" |")) for source, rule, _, why in rows}
    declared = set()
    for source in sources.names():
        if sources.cutter(source) is None:
            continue
        cuts = json.loads(sources.table(source, sources.CUTS))
        declared |= {
            (f"| `{source}`", f"`{field['rule']}`", field["why"]) for field in cuts["fields"]
        }
        declared |= {
            (f"| `{source}`", f"refused: `{category['name']}`", category["why"])
            for category in cuts.get("refused", ())
        }
    assert declared == stated, (
        "the table of declared cuts in docs/privacy.md is not that of cuts.json"
    )
