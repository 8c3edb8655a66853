"""A test that uses much processor time is listed, and one that uses very much fails."""

from __future__ import annotations

import pytest

from tests import processor_time

BUSY = """
import subprocess, sys, time
import pytest
BURN = "start = time.process_time()\\nwhile time.process_time() < start + {seconds}: pass"
{mark}
def test_busy(): {act}
"""
ITSELF = "exec(BURN)"
A_PROCESS = (
    "subprocess.run([sys.executable, '-S', '-c', f'import time; exec({BURN!r})'], check=True)"
)
BUSY_FOR = 0.2


CONFTEST = """
import importlib.util
found = importlib.util.spec_from_file_location("with_other_limits", {file!r})
rule = importlib.util.module_from_spec(found)
found.loader.exec_module(rule)
rule.LISTED_FROM, rule.FAILS_FROM = {listed}, {most}
pytest_runtest_call = rule.pytest_runtest_call
pytest_terminal_summary = rule.pytest_terminal_summary
"""
"""The rule in a separate module: these tests are subject to it themselves."""


def ran(pytester: pytest.Pytester, text: str, *, most: float) -> pytest.RunResult:
    """Run a project's tests under the rule, with other limits."""
    limits = {"file": processor_time.__file__, "listed": BUSY_FOR / 2, "most": most}
    pytester.makeconftest(CONFTEST.format(**limits))
    pytester.makepyfile(text)
    return pytester.runpytest_inprocess()


@pytest.mark.parametrize("act", [ITSELF, A_PROCESS], ids=["itself", "a process"])
@pytest.mark.parametrize(
    ("most", "mark", "fails", "is_listed"),
    [
        (BUSY_FOR / 2, "", True, False),
        (60, "", False, True),
        (BUSY_FOR / 2, "@pytest.mark.slow", False, False),
    ],
    ids=["too long", "long", "slow"],
)
def test_a_long_test(
    pytester: pytest.Pytester, act: str, most: float, mark: str, *, fails: bool, is_listed: bool
) -> None:
    """It fails, or is listed at the end, unless it is marked."""
    text = BUSY.replace("{act}", act).replace("{mark}", mark).replace("{seconds}", str(BUSY_FOR))
    result = ran(pytester, text, most=most)
    assert fails == (pytest.ExitCode.TESTS_FAILED == result.ret)
    printed = result.stdout.str()
    assert fails == ("s of the processor: mark it slow" in printed)
    assert is_listed == ("s test_a_long_test.py::test_busy" in printed)


def test_a_test_that_sleeps_is_not_long(pytester: pytest.Pytester) -> None:
    """Waiting, as on a busy machine, is not processor time."""
    text = f"import time\ndef test_waits(): time.sleep({BUSY_FOR})"
    assert pytest.ExitCode.OK == ran(pytester, text, most=BUSY_FOR / 2).ret
