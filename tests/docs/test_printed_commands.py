"""Every command line that a page shows is one the program accepts, and those that can run do."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.cli.screens import ELSEWHERE, Case
from tests.coverage import examples
from tests.docs import printed_commands
from tests.docs.printed_commands import ROOT, Printed, faults

PRINTED = tuple(printed_commands.commands())
HERE = tuple(
    each
    for each in PRINTED
    if each.in_block and not each.needs and each.words[0] not in {*ELSEWHERE, "replay"}
    and "-demo-" not in " ".join(each.words)
)  # fmt: skip
"""Command lines in blocks that need no value of a reader's, and no account."""


def _line(words: str, *, in_block: bool = True) -> Printed:
    return Printed("page.md", 1, tuple(words.split()), in_block=in_block)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("verify ./copy --policy policy.toml", ""),
        ("verify --policy policy.toml", "missing: evidence"),
        ("verify", "missing: evidence"),
        ("verify ./copy --trust policy.toml", "--trust"),
        ("verify ./copy ./more", "surplus: ./more"),
        ("normalize logs/ --format yaml", "form: yaml is none of ndjson, csv"),
        ("canary", "no such command: canary"),
        ("replay", "replay is a group"),
    ],
)
def test_a_wrong_command_line_is_noticed(words: str, refused: str) -> None:
    """In a block; in a sentence, a command may be named without its arguments."""
    refusals = faults(_line(words))
    assert refused in "; ".join(refusals) if refused else [] == refusals
    assert [] == faults(_line("verify --save-state", in_block=False))


def test_every_command_line_is_accepted() -> None:
    """Of README, CONTRIBUTING and all pages, but not of decisions, which say what was."""
    assert len(PRINTED) > 90
    assert sum(each.in_block for each in PRINTED) > 30
    assert {} == {
        f"{each.page}:{each.line}: {' '.join(each.words)}": refusals
        for each in PRINTED
        if (refusals := faults(each))
    }


def test_every_target_and_module_exists() -> None:
    """What `make` and `python -m` are told to run, with the same look at blocks and sentences."""
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    targeting = [each for each in printed_commands.commands("make") if each.words]
    unknown = [each for each in targeting if not targets & set(each.words)]
    modules = [
        each
        for program in ("python", "python3", "python3.13")
        for each in printed_commands.commands(program)
        if each.words[:1] == ("-m",)
    ]
    unknown += [each for each in modules if importlib.util.find_spec(each.words[1]) is None]
    assert ([], True, True) == (unknown, len(targeting) > 20, len(modules) > 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what pages read: logs, evidence, a copy of it, a policy, example readings."""
    case = Case(tmp_path_factory.mktemp("pages"))
    (case.logs / "broken.json").unlink()
    shutil.copytree(case.evidence, case.folder / "copy")
    (case.folder / "policy.toml").write_text(f'keys = ["{case.key}"]\n')
    shutil.copytree(examples.FOLDER, case.folder / examples.FOLDER.relative_to(ROOT))
    return case.folder


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({each.page for each in HERE}))
def test_what_can_run_here_runs(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As printed, in one folder, in the order of the page: the answer may be a finding."""
    monkeypatch.chdir(folder)
    for printed in HERE:
        if printed.page == page:
            done = run(*printed.words)
            assert done.code in {0, 1, 2, 3}, (printed, done.err)
            assert done.out or done.err


def test_most_pages_show_something_that_runs() -> None:
    """So that the convention, capitals and addresses of clouds for what cannot, hides little."""
    assert {"README.md", "docs/investigate.md", "docs/coverage.md", "docs/auditor.md"} <= {
        each.page for each in HERE
    }
    assert len(HERE) > 10
