"""The public interface: the examples in docs/library.md run, and are typed for callers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.adapters import clock
from tests.cli.local_forms import TRAIL

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "library.md").read_text(encoding="utf-8"), re.DOTALL
)


def test_the_page_s_examples_work() -> None:
    """A record is mapped, a broken one rejected, and a store verified with its key."""
    namespace: dict[str, Any] = {}
    for block in BLOCKS:
        exec(block, namespace)  # noqa: S102 the page's own code
    assert [
        "Long-lived Access Key: Credential Validation",
        "rejected: malformed_json",
    ] == namespace["phases"]([json.dumps(TRAIL).encode(), b"nope"])
    stored = ROOT / "tests" / "fixtures" / "format-v1"
    key = (stored / "log.vkey").read_text().splitlines()[-1]
    report = namespace["verified"](str(stored / "evidence"), key, clock.now())
    assert (0, True) == (report.exit_code, sum(report.records_counted.values()) > 0)


@pytest.mark.slow
def test_callers_get_types(tmp_path: Path) -> None:
    """A strict type checker accepts every call, and refuses a wrong one."""
    file = tmp_path / "caller.py"
    file.write_text("\n".join([*BLOCKS, "reveal_type(verified('a', 'b', 1).findings)"]))
    good = _mypy(file, tmp_path)
    assert "Finding" in good
    assert " error: " not in good
    file.write_text("\n".join([*BLOCKS, "verified(1, 'b', 'now')"]))
    assert 2 == _mypy(file, tmp_path).count(" error: ")


def _mypy(file: Path, folder: Path) -> str:
    """Type-check a file that imports the installed package, relying on its `py.typed`."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(file)]
    command += ["--cache-dir", str(folder / "cache"), "--follow-imports", "silent"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
