"""A test may be skipped only for a reason on the list; otherwise it fails."""

import re
from pathlib import Path

import pytest

from tests import conftest

TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"""["']allowance:([\w.-]+)""")
REFUSED = "*skip_allowance.toml*"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project under this project's rules."""
    # Installed plug-ins are of no use to it, and each of its runs would import them anew.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    rules = "pytest_runtest_makereport, pytest_make_collect_report, corpus"
    pytester.makeconftest(f"from tests.conftest import {rules}")
    return pytester


@pytest.mark.parametrize(
    "test",
    [
        "import pytest\ndef test(): pytest.skip('not today')",
        "import pytest\ndef test(): pytest.skip('allowance:weather')",
        "import pytest\ndef test(): pytest.skip('allowance:')",
        "import pytest\ndef test(): pytest.skip('needs allowance:terraform')",
        "import pytest\ndef test(): pytest.skip('allowance:terraformer')",
        "import pytest\n@pytest.mark.skip\ndef test(): pass",
        "import pytest\n@pytest.mark.skipif(True, reason='slow')\ndef test(): pass",
        "import pytest\n@pytest.mark.parametrize('x', [])\ndef test(x): pass",
        "import pytest\n@pytest.fixture\ndef x(): pytest.skip('no x')\ndef test(x): pass",
        "import unittest\ndef test(): raise unittest.SkipTest('old manner')",
    ],
)
def test_any_other_skip_of_a_test_fails(project: pytest.Pytester, test: str) -> None:
    """Whatever form the skip of a test takes, it fails unless its reason is on the list."""
    project.makepyfile(test)
    result = project.runpytest_inprocess()
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines([REFUSED])
    assert "skipped" not in result.parseoutcomes()


@pytest.mark.parametrize(
    "module",
    [
        "import pytest\npytest.skip('not today', allow_module_level=True)",
        "import pytest\npytest.importorskip('no_such_module')",
        "import unittest\nraise unittest.SkipTest('old manner')",
    ],
)
def test_any_other_skip_of_a_module_fails(project: pytest.Pytester, module: str) -> None:
    """A module that skips itself is a collection error."""
    project.makepyfile(module)
    result = project.runpytest_inprocess()
    assert pytest.ExitCode.INTERRUPTED == result.ret
    result.stdout.fnmatch_lines([REFUSED])
    result.assert_outcomes(errors=1)


@pytest.mark.parametrize("name", sorted(conftest.ALLOWANCE))
def test_a_listed_skip_passes(project: pytest.Pytester, name: str) -> None:
    """A listed component may be missing, for one test or a whole module."""
    project.makepyfile(
        test_one=f"import pytest\ndef test(): pytest.skip('allowance:{name} is missing')",
        test_all=f"import pytest\npytest.skip('allowance:{name}', allow_module_level=True)",
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(skipped=2)


def test_anything_but_a_skip_is_left_alone(project: pytest.Pytester) -> None:
    """Passing, failing and expectedly failing tests are reported as they are."""
    project.makepyfile(
        """
        import pytest
        def test_pass(): pass
        def test_fail(): assert False
        @pytest.mark.xfail(reason="known")
        def test_xfail(): assert False
        """
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=1, xfailed=1)


def test_absent_corpus_is_an_allowed_skip(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fixture itself uses the list."""
    monkeypatch.setattr(conftest, "ROOT", project.path / "checkout")
    project.makepyfile("def test(corpus): pass")
    result = project.runpytest_inprocess()
    result.assert_outcomes(skipped=1)


def test_the_list_is_short_and_gives_reasons() -> None:
    """Every entry needs a reason; adding one is a decision that changes this list."""
    known = {"python3_13", "terraform", "chromium", "corpus", "promtool", "zensical"}
    assert known == set(conftest.ALLOWANCE)
    assert all(conftest.ALLOWANCE.values())


def test_tests_name_only_listed_components() -> None:
    """A misspelled allowance is found even on a machine where nothing is missing."""
    unknown = {
        f"{file.relative_to(TESTS)}: {name}"
        for file in TESTS.rglob("*.py")
        if file != Path(__file__)
        for name in NAMED.findall(file.read_text(encoding="utf-8"))
        if name not in conftest.ALLOWANCE
    }
    assert set() == unknown
