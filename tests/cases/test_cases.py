"""Every golden case holds, is valid OCSF, and fails without what it proves."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

import nhi_evidence
from nhi_evidence import sources
from nhi_evidence.catalog.catalog import Catalog
from nhi_evidence.catalog.table import Table
from nhi_evidence.catalog.table import read as catalog_table
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import Case, cases, differences, expectations, outcome, read, rules
from tests.ocsf_schema import problems
from tests.support import unsupported

ALL = {
    f"{source}/{name}": path for source in sources.names() for name, path in cases(source).items()
}
MUTATED = {name: path for name, path in ALL.items() if read(path).mutation}
PROVING = {name: path for name, path in ALL.items() if read(path).proves}
PACKS = [name for name in sources.names() if sources.routes(name) is None]


def table_of(source: str) -> Table:
    """A pack's catalog table, with what it includes."""
    return catalog_table(sources.table(source, "catalog.json"), None, name=source)[0]


@cache
def mapper_of(name: str) -> Mapper:
    """The mapper of a case's source, keeping everything."""
    return Mapper(name.partition("/")[0], scope=Scope.ALL, keep_out_of_scope_raw=False)


@pytest.mark.parametrize("name", ALL)
def test_case(name: str) -> None:
    """The record maps to what its documentation says, as valid OCSF, with nothing invented."""
    case = read(ALL[name])
    normalized = outcome(case, mapper_of(name))
    assert [] == differences(case, normalized)
    if "rejection" in normalized:
        return
    assert [] == problems(normalized)
    failure = expectations(name.partition("/")[0]).failure
    assert [] == unsupported(normalized, case.record, failure)


@pytest.mark.parametrize("name", PROVING)
def test_a_case_fails_without_its_override(name: str) -> None:
    """A case that proves an override does not hold without it."""
    case = read(PROVING[name])
    source = name.partition("/")[0]
    table = table_of(source)
    kept = [row for row in table.overrides if row.id != case.proves]
    assert len(kept) == len(table.overrides) - 1, f"no override {case.proves}"
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=False)
    mutated = msgspec.structs.replace(table, include=(), overrides=kept)
    mapper.packs[source].catalog = Catalog(msgspec.json.encode(mutated), name="mutated")
    assert differences(case, outcome(case, mapper))


class Copy:
    """A copy of the library that may be mutated, and the process that runs cases on it."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "nhi_evidence"
        shutil.copytree(Path(nhi_evidence.__file__).parent, self.package)
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cases.mutants"],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{folder}{os.pathsep}{root}",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, case: Path, source: str, changed: Path) -> Any:
        """Return how a case differs from its expectation in the current copy with one changed file.

        A JSON object reports an error.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        file = changed.relative_to(self.package.resolve()).as_posix()
        self._process.stdin.write(f"{case}\t{source}\t{file}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def file(self, case: Path, source: str) -> Path:
        """Return the file that a case mutates."""
        mutation = read(case).mutation
        assert mutation is not None
        return (self.package / "sources" / source / mutation.file).resolve()

    def end(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    copy = Copy(tmp_path_factory.mktemp("mutants"))
    yield copy
    copy.end()


@pytest.mark.parametrize("name", MUTATED)
def test_a_case_fails_without_its_rule(name: str, library: Copy) -> None:
    """A case that proves a rule fails when the rule is removed from the code."""
    mutation = read(MUTATED[name]).mutation
    assert mutation is not None
    source = name.partition("/")[0]
    path = library.file(MUTATED[name], source)
    assert path.is_file(), f"the pack has no file {mutation.file}"
    code = path.read_text()
    assert code.count(mutation.replace) == 1, f"{mutation.replace!r} is not there exactly once"
    written = path.stat().st_mtime
    path.write_text(code.replace(mutation.replace, mutation.by))
    os.utime(path, (written, written + 2))  # another second: what is compiled of it is stale
    try:
        result = library.run(MUTATED[name], source, path)
    finally:
        path.write_text(code)
        os.utime(path, (written, written))
    assert isinstance(result, list), result["error"]
    assert result, "the case holds without its rule"


def test_the_unmutated_copy_passes(library: Copy) -> None:
    """Only the mutation fails a case: the unchanged copy passes every one."""
    names = {name.partition("/")[0]: name for name in MUTATED}
    assert names
    assert {} == {
        name: result
        for source, name in names.items()
        if (result := library.run(MUTATED[name], source, library.file(MUTATED[name], source))) != []
    }


@pytest.mark.parametrize("source", PACKS)
def test_every_rule_and_override_has_a_case(source: str) -> None:
    """Each identity rule that decides, and each override, has at least one golden case."""
    own = [read(path) for path in cases(source).values()]
    decided = {case.expect.get("nhi.decision_rule") for case in own}
    undecided = sorted(rules(source) - expectations(source).derived - decided)
    assert [] == undecided, f"no case in tests/cases/{source} expects these as nhi.decision_rule"
    proved: set[Any] = {case.proves for case in own}
    unproved = sorted({row.id for row in table_of(source).overrides} - proved)
    assert [] == unproved, f"no case in tests/cases/{source} has these as proves"


@pytest.mark.parametrize("source", PACKS)
def test_every_rule_has_a_mutation_that_fails(source: str) -> None:
    """For each identity rule that decides, a case notices a mutation of its code."""
    mutated = {
        case.expect.get("nhi.decision_rule")
        for case in map(read, cases(source).values())
        if case.mutation
    }
    unmutated = sorted(rules(source) - expectations(source).derived - mutated)
    assert [] == unmutated, f"no case in tests/cases/{source} that expects these has a mutation"


DOCUMENTATION = {
    "accounts": {"111122223333", "444455556666", "123456789012", "210987654321"},
    "addresses": re.compile(r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+"),
}
ACCOUNT_DOMAINS = re.compile(
    r"(example-[a-z]+\.iam|(gcp-sa-[a-z]+|compute-system)\.iam|[a-z]+)\.gserviceaccount\.com"
)
"""Of service accounts: an example project's, or Google's own."""


@pytest.mark.parametrize("name", ALL)
def test_cases_hold_documentation_values_only(name: str) -> None:
    """Accounts, addresses, key ids and domains of a case are the documentation's own."""
    case: Case = read(ALL[name])
    text = json.dumps(case.record)
    accounts = set(re.findall(r"(?<![0-9A-Za-z-])\d{12}(?![0-9A-Za-z])", text))
    assert accounts <= DOCUMENTATION["accounts"], DOCUMENTATION["accounts"]  # type: ignore[operator]
    for address in re.findall(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", text):
        assert DOCUMENTATION["addresses"].fullmatch(address), address  # type: ignore[attr-defined]
    for key in re.findall(r"\b(?:AKIA|ASIA|AROA|AIDA|ACCA|ABIA)[A-Z0-9]{8,}\b", text):
        assert key.endswith("EXAMPLE"), key
    for domain in re.findall(r"@([A-Za-z0-9.-]+\.[a-z]+)", text):
        assert domain == "example.com" or ACCOUNT_DOMAINS.fullmatch(domain), domain
    assert case.source.startswith("https://")
