"""The blocks of the documents that a command makes: helps, forms, costs, JSON."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from nhi_evidence.cost import table
from nhi_evidence.cost.bill import bill
from nhi_evidence.cost.estate import REFERENCE
from tests.cli import local_forms
from tests.cli.command import run
from tests.docs import json_schemas

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_HELP = re.compile(r"(```help ([a-z -]+)\n)(.*?)(```)", re.DOTALL)
_COST = re.compile(r"(```cost\n)(.*?)(```)", re.DOTALL)
_JSON = re.compile(r"(<!-- json -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_BENCH = re.compile(r"(<!-- bench -->\n```\n)(.*?)(```\n<!-- end -->)", re.DOTALL)
_FORMS = re.compile(r"(<!-- forms -->\n)(.*?)(<!-- end -->)", re.DOTALL)
ON_A_TERMINAL = {"COLUMNS": "100", "PATH": "/usr/bin:/bin", "TERM": "dumb"}
"""The whole environment of a help that is shown."""


def usage(*arguments: str) -> str:
    """Return the help of a command, as on a terminal of 80 columns."""
    with mock.patch.dict(os.environ, ON_A_TERMINAL, clear=True):
        done = run(*arguments, "--help")
    assert 0 == done.code, done.err
    return "\n".join(line.rstrip() for line in done.out.strip().splitlines())


def cost() -> str:
    """Return what `nhi-evidence cost` prints of the reference estates."""
    return table.text(tuple(bill(estate) for estate in REFERENCE))


def rewritten(page: str) -> str:
    """Return a page with all its blocks made anew."""
    page = _HELP.sub(lambda block: f"{block[1]}{usage(*block[2].split())}\n{block[4]}", page)
    for pattern, generate in (
        (_COST, cost),
        (_FORMS, local_forms.table),
        (_JSON, json_schemas.table),
    ):
        page = pattern.sub(_replacement(generate), page)
    return page


def _replacement(make: Callable[[], str]) -> Callable[[re.Match[str]], str]:
    return lambda block: f"{block[1]}{make()}\n{block[3]}"


def measured(page: str, output: str) -> str:
    """Return a page with what a run of the bench printed, from the line of the machine on.

    Raises `ValueError` where the page has no such block, or the output is not that of a whole run.
    """
    begins = output.find(platform.machine() + ", ")
    if begins < 0 or "\ntargets\n" not in output:
        raise ValueError("not the output of a whole run of make bench")
    printed = output[begins:].strip()
    page, count = _BENCH.subn(lambda block: f"{block[1]}{printed}\n{block[3]}", page)
    if count != 1:
        raise ValueError(f"{count} blocks for the output of make bench")
    return page


def write() -> list[Path]:
    """Make the blocks of every page anew; return the pages that changed."""
    changed = []
    for path in sorted(DOCS.rglob("*.md")):
        before = path.read_text(encoding="utf-8")
        after = rewritten(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed
