"""Fixtures every tier shares, and the rule that a skip needs an allowance."""

from __future__ import annotations

import gc
import os
import re
import tomllib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import loaders
from hypothesis import HealthCheck, Phase, settings

from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope
from tests import processor_time, scheduling
from tests.models_read_once import ListOnce

loaders.Loader = ListOnce  # type: ignore[misc]

# Nobody's own profile, region, proxy, colors or width decide: what a test needs, it sets itself.
_SCREEN = ("COLORTERM", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TERM")
for _name in [name for name in os.environ if name.startswith("AWS_") or name in _SCREEN]:
    del os.environ[_name]
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"

# What collecting makes stays: looks for what does not would take a third of its time.
gc.disable()

# The same examples in every run, and no deadline: neither chance nor a busy machine decides.
_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("seeded", _UNHURRIED, derandomize=True, max_examples=50)
settings.register_profile("whole", _UNHURRIED, derandomize=True)
"""Twice as many, by `make test-slow`."""
settings.register_profile(
    "mutants", _UNHURRIED, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
"""For `tests.mutants`: the examples of every run; whether one fails is all that is asked."""
settings.load_profile("seeded")
settings.register_profile("deep", _UNHURRIED, max_examples=3000, print_blob=True)
"""For a long look, by `make test-deep`: other examples in every run, by a seed it prints."""

ROOT = Path(__file__).parent.parent
ALLOWANCE = tomllib.loads((ROOT / "tests" / "skip_allowance.toml").read_text())
LONGEST_BYTES = 40
LONGEST_TEXT = 100
SKIPPED = re.compile(r"(?:Skipped|\S*SkipTest): allowance:(\S+)")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the order of the tests be another one."""
    parser.addoption("--shuffle", metavar="SEED", help="run files and tests in an order by a seed")


def pytest_configure(config: pytest.Config) -> None:
    """Measure what tests cost."""
    config.pluginmanager.register(processor_time)


def pytest_collection_finish() -> None:
    """Leave all that was collected out of the garbage collector's later looks, and make them rare.

    Most objects of a test go without one; a cycle is found after some thousands more.
    """
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest; shuffle where asked to."""
    seed = config.getoption("--shuffle")
    items[:] = scheduling.longest_first(items) if seed is None else scheduling.shuffled(items, seed)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> scheduling.ByShare:
    """Keep tests that share a server on one worker, whatever `--dist` says."""
    return scheduling.ByShare(config, log)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a parameter by its place where its value makes no id: long, unprintable, or of today.

    Ids have to be the same in every process: workers agree on the tests by them.
    """
    if isinstance(val, bytes):
        return None if len(val) <= LONGEST_BYTES and _is_id(val.decode("latin-1")) else argname
    if isinstance(val, str):
        return None if len(val) <= LONGEST_TEXT and _is_id(val) else argname
    return None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isprintable()


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
    where, line, text = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, "")
    reason = SKIPPED.match(text)
    if reason is None or reason[1] not in ALLOWANCE:
        report.outcome = "failed"
        report.longrepr = (
            f"{where}:{line}: {text or 'skipped without a reason'}\n"
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


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A running embedded store for one test file, so that no other file leaves anything in it."""
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
