"""Fixtures every tier shares, and the rule that a skip needs an allowance."""

from __future__ import annotations

import tomllib
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from nhi_evidence.adapters.seaweedfs import EmbeddedStore
from nhi_evidence.export import Mapper
from nhi_evidence.scope import Scope

ROOT = Path(__file__).parent.parent
ALLOWANCE = tomllib.loads((ROOT / "tests" / "skip_allowance.toml").read_text())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport]:
    """Turn a skip without an allowance into a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        name = reason.removeprefix("Skipped: ").partition(" ")[0]
        if name.removeprefix("allowance:") not in ALLOWANCE or ":" not in name:
            report.outcome = "failed"
            report.longrepr = f"skipped without an allowance: {reason}"
    return report


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
    """The AWS line, keeping everything."""
    return Mapper("aws_cloudtrail", scope=Scope.ALL)


@pytest.fixture(scope="session")
def keep_nhi() -> Mapper:
    """The AWS line as deployed."""
    return Mapper("aws_cloudtrail")
