"""An answer belongs to its invocation."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.embedded.lambda_runtime import InvocationError, LambdaRuntime, _Answer

FIRST, SECOND = (f"00000000-0000-4000-8000-{number:012d}" for number in (1, 2))


def test_a_late_answer_is_not_taken_for_the_next(tmp_path: Path) -> None:
    """It was returned as the answer to an event that the function had not even seen."""
    runtime = LambdaRuntime(tmp_path, "main.handler", environment={}, log=tmp_path / "log")
    (tmp_path / "log").touch()
    with pytest.raises(InvocationError):
        runtime.invoke({})  # it is not even started
    runtime._answers.put(_Answer(FIRST, "response", b'"late"'))
    runtime._answers.put(_Answer(SECOND, "response", b'"own"'))
    assert "own" == runtime.invoke({})
    runtime._answers.put(_Answer("", "error", b"no module named main"))
    with pytest.raises(InvocationError, match="no module named main"):
        runtime.invoke({})
