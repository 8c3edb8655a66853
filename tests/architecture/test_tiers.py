"""The tiers of tests: their markers, and ids and orders that are the same everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests import scheduling

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_marker_is_explained() -> None:
    """CONTRIBUTING explains each marker, and which target runs it."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    markers = [
        text.partition(":")[0] for text in options["tool"]["pytest"]["ini_options"]["markers"]
    ]
    assert {"slow", "deep", "e2e"} == set(markers)
    assert [] == [name for name in markers if f"`{name}`" not in CONTRIBUTING]
    targets = re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE)
    tests = [name for name in targets if name.startswith("test")]
    assert ["test", "test-all", "test-deep"] == tests
    assert [] == [name for name in tests if f"`make {name}`" not in CONTRIBUTING]


def test_continuous_integration_runs_what_people_run() -> None:
    """`.ci/run` consists of these targets, and one of them includes `make test`."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert ["check", "docs", "test-all", "e2e"] == re.findall(r"^make (\S+)$", script, re.MULTILINE)
    assert re.search(r"^test-all: test test-slow\b", MAKEFILE, re.MULTILINE)


@pytest.mark.slow
def test_ids_are_the_same_in_every_process() -> None:
    """Ids depend on neither the hour nor Python's hash seed: workers compare them."""
    lists = [
        subprocess.run(
            [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", ""],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for seed in ("1", "2")
    ]
    first, second = ([line for line in lines if "::" in line] for lines in lists)
    assert len(first) > 1000
    assert first == second
    assert [] == [name for name in first if not (name.isascii() and name.isprintable())]


@pytest.mark.parametrize(
    ("first", "other", "together"),
    [
        ("tests/unit/test_x.py::test_a[1]", "tests/unit/test_x.py::test_b", True),
        ("tests/unit/test_x.py::test_a", "tests/unit/test_y.py::test_a", False),
        ("tests/infra/aws/test_x.py::test_a", "tests/infra/aws/test_y.py::test_a", True),
        ("tests/infra/terrain/test_x.py::test_a", "tests/infra/deploy/test_x.py::test_a", True),
        ("tests/infra/terrain/test_x.py::test_a", "tests/infra/aws/test_x.py::test_a", False),
        ("tests/cli/test_demo.py::test_a", "tests/cli/test_demo.py::test_b", False),
    ],
)
def test_what_shares_a_server_shares_a_worker(first: str, other: str, *, together: bool) -> None:
    """Files stay together, synthesized infrastructure by folder; long single tests are spread."""
    assert together == (scheduling.share(first) == scheduling.share(other))


def test_what_is_begun_with_is_there() -> None:
    """A file that was renamed would be begun with last, unseen."""
    tests = (path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py"))
    assert set() == set(scheduling.LONGEST) - {scheduling.share(str(path)) for path in tests}


def test_collecting_starts_no_construct_library() -> None:
    """Every worker imports every test file; only those that synthesize start Node."""
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print({'jsii', 'aws_cdk', 'cdktn'} & set(sys.modules))"
    )
    files = sorted(
        path
        for path in (ROOT / "tests").rglob("*.py")
        if "infra" in path.read_text(encoding="utf-8")
    )
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in files
        if path.name.startswith("test_") or path.name == "conftest.py"
    ]
    assert "tests.infra.aws.test_app" in names
    done = subprocess.run(
        [sys.executable, "-c", code, *names], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "set()\n" == done.stdout, done.stdout + done.stderr


def test_an_order_follows_from_its_seed(request: pytest.FixtureRequest) -> None:
    """A seed determines the order; no test is lost, and files stay together."""
    items = request.session.items
    if len(items) < 20:  # asked for alone
        items = [request.node]
    first = scheduling.shuffled(items, "1")
    assert first == scheduling.shuffled(items, "1")
    assert len(items) < 20 or first != scheduling.shuffled(items, "2")
    assert sorted(map(id, items)) == sorted(map(id, first))


def test_no_test_has_a_deadline_a_busy_machine_can_miss() -> None:
    """A timeout means that something hangs: it is minutes, never what a fast machine takes.

    Stopping processes, and ending a deployment, have separate bounds.
    """
    words = r"(?:timeout=|\.join\(|^_?[A-Z_]*SECONDS[A-Z_]* = )"
    bounds = re.compile(rf"{words}(\d+(?:\.\d+)?)", re.MULTILINE)
    apart = {"e2e", "mutants"}
    short = [
        f"{path.relative_to(ROOT)}: {bound[0].strip()}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if not apart & set(path.parts)
        for bound in bounds.finditer(path.read_text(encoding="utf-8"))
        if float(bound[1]) < 120
    ]
    assert [] == short


def test_nothing_of_whoever_runs_the_tests_decides() -> None:
    """Neither a profile nor a proxy, nor how wide and colorful somebody likes a terminal."""
    code = "import os, tests.conftest; print({*os.environ} & {NAMES}, os.environ['no_proxy'])"
    own = {"AWS_PROFILE": "somebody", "COLUMNS": "47", "FORCE_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code.replace("{NAMES}", repr({*own}))],
        env={**os.environ, **own, "no_proxy": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "set() 127.0.0.1,localhost\n" == done.stdout, done.stderr
