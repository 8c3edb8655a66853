"""`nhi-evidence replay azure` over a stand-in of `az`, which records what it is asked.

What the host then does is shown under the worker's own library (tests/runtimes): messages that
come again, in other batches, are counted once. That a real host starts anew is not shown here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from nhi_evidence.config import azure_names
from tests.cli.command import Result, run

EXAMPLE = Path(__file__).parents[2] / "nhi-evidence.example.toml"
SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
SITE = azure_names.site_name(SUBSCRIPTION)
HUB = f"{azure_names.namespace_name(SUBSCRIPTION)}.servicebus.windows.net/audit-logs"
GROUP = f"{HUB}/nhi-evidence-0a1b2c3d"
CHECKPOINTS = [f"{GROUP}/checkpoint/{partition}" for partition in range(3)]
STAND_IN = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[3] == (folder / "fails").read_text():
    sys.exit("ERROR: (AuthorizationFailed) no")
if sys.argv[3] == "list":
    print((folder / "blobs").read_text())
"""


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(STAND_IN.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(0o755)
    (tmp_path / "fails").write_text("")
    (tmp_path / "blobs").write_text(json.dumps([*CHECKPOINTS, f"{GROUP}/ownership/0"]))
    monkeypatch.setenv("PATH", str(program.parent))
    return tmp_path


def calls(az: Path) -> list[list[str]]:
    return [json.loads(line) for line in (az / "calls").read_text().splitlines()]


def replay(*more: str) -> Result:
    return run("replay", "azure", "--config", str(EXAMPLE), *more)


def test_a_dry_run_lists_checkpoints_and_changes_nothing(az: Path) -> None:
    """Of the deployed hub alone, by the names the deployment gives."""
    result = replay("--dry-run")
    assert (0, "") == (result.code, result.err)
    assert [f"would remove {name}" for name in CHECKPOINTS] == result.out.splitlines()[:3]
    (listed,) = calls(az)
    assert ["storage", "blob", "list"] == listed[:3]
    assert f"{HUB}/" == listed[listed.index("--prefix") + 1]
    assert azure_names.storage_name(SUBSCRIPTION) == listed[listed.index("--account-name") + 1]


def test_checkpoints_are_removed_while_the_app_stands_still(az: Path) -> None:
    """Listed, stopped, each removed, started: in that order, and no ownership with them."""
    assert CHECKPOINTS == replay("--json").json["checkpoints"]
    done = calls(az)
    assert ["list", "stop", "delete", "delete", "delete", "start"] == [
        call[2] if call[0] == "storage" else call[1] for call in done
    ]
    assert CHECKPOINTS == [call[call.index("--name") + 1] for call in done[2:5]]
    assert {SITE} == {call[call.index("--name") + 1] for call in (done[1], done[5])}
    assert all(SUBSCRIPTION in call for call in done)


def test_the_app_is_started_again_whatever_happens(az: Path) -> None:
    """A checkpoint that cannot be removed is said, and the export goes on."""
    (az / "fails").write_text("delete")
    result = replay()
    assert (4, True) == (result.code, "AuthorizationFailed" in result.err)
    assert ["functionapp", "start"] == calls(az)[-1][:2]


def test_without_az_the_way_to_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, and nothing is done."""
    monkeypatch.setenv("PATH", str(tmp_path))
    result = replay()
    assert 4 == result.code
    assert "needs the Azure command line, az" in result.err
