"""Fixtures every tier shares, and the rule that a skip needs an allowance."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope

settings.register_profile("deep", max_examples=3000, deadline=None)
"""For a long look: `make test ARGS="tests/property --hypothesis-profile=deep"`."""

ROOT = Path(__file__).parent.parent
ALLOWANCE = tomllib.loads((ROOT / "tests" / "skip_allowance.toml").read_text())
SKIPPED = re.compile(r"(?:Skipped|\S*SkipTest): allowance:(\S+)")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test into a failure, unless it has an allowance."""
    report = yield
    if not hasattr(report, "wasxfail"):  # an expected failure is reported as a skip too
        _refuse_silence(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for the skip of a whole module or folder."""
    report = yield
    _refuse_silence(report)
    return report


def _refuse_silence(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped:
        return
    where, line, said = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, "")
    reason = SKIPPED.match(said)
    if reason is None or reason[1] not in ALLOWANCE:
        report.outcome = "failed"
        report.longrepr = (
            f"{where}:{line}: {said or 'skipped without a reason'}\n"
            "A skip hides what was not tested. Its reason must open with allowance:NAME, "
            f"NAME one of {', '.join(sorted(ALLOWANCE))} (tests/skip_allowance.toml)."
        )


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of real audit events beside the checkout."""
    folder = ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        pytest.skip("allowance:corpus ../shared/corpus is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A running embedded store."""
    with EmbeddedStore(
        tmp_path_factory.mktemp("store"), sources=("aws_cloudtrail", "gcp_audit")
    ) as running:
        yield running


@pytest.fixture(scope="session")
def keep_all() -> Mapper:
    """The AWS mapper, keeping everything."""
    return Mapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)


@pytest.fixture(scope="session")
def keep_nhi() -> Mapper:
    """The AWS mapper as deployed where privacy comes first."""
    return Mapper("aws_cloudtrail", keep_out_of_scope_raw=False)
