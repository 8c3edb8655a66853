"""`nhi-evidence demo` shows what really happened."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.demo import problems, refusals, show, show_brief, show_clouds
from nhi_evidence.demo.story import (
    agent_trail,
    azure_batches,
    gcp_files,
    generate,
    platform_files,
)

ROOT = Path(__file__).parents[2]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the demo in its own process session, of which nothing may be left.

    Our programs are not on the path: it prints commands that work from anywhere.
    """
    program = Path(sys.executable).with_name("nhi-evidence")
    others = [each for each in os.get_exec_path() if not Path(each, program.name).exists()]
    with subprocess.Popen(
        [program, "demo", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": os.pathsep.join(others)},
        start_new_session=True,
    ) as started:
        out, errors = started.communicate(timeout=300)
    assert [] == left_of(started.pid)
    return subprocess.CompletedProcess(started.args, started.returncode, out, errors)


def left_of(session: int) -> list[str]:
    """Return the command lines of a session's processes that still run."""
    commands = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended since
            state, *fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == session and state != "Z":
                commands.append((folder / "cmdline").read_bytes().decode())
    return commands


SECONDS_UNTIL_HUNG = 180
"""Long enough for a busy machine: the claim is that nothing is left, not how soon."""


@pytest.mark.slow
def test_an_interrupted_demo_leaves_nothing_running() -> None:
    """Ctrl-C while everything runs ends every server and function."""
    program = Path(sys.executable).with_name("nhi-evidence")
    with subprocess.Popen(
        [program, "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    ) as started:
        assert started.stdout is not None
        assert "into a locked bucket on this machine" in started.stdout.readline()
        assert len(left_of(started.pid)) >= 6
        os.killpg(started.pid, signal.SIGINT)
        started.wait(SECONDS_UNTIL_HUNG)
    assert started.returncode != 0
    assert [] == left_of(started.pid)


@pytest.mark.slow
def test_the_story_of_three_clouds_and_five_platforms(tmp_path: Path) -> None:
    """Per source, counts add up to what was generated; the CI job is followed wherever records
    join.

    Refusals are refused, redelivery changes nothing.
    """
    keep = tmp_path / "copy"
    result = run("--json", "--keep", keep)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["ok"]
    trail = (*generate(), agent_trail())
    platforms = [one for one in platform_files() if one.source != "aws_cloudtrail"]
    expected = {
        "aws_cloudtrail": sum(one.records for one in trail),
        "gcp_audit": sum(one.records for one in gcp_files()),
        "azure_monitor": sum(one.records for events in azure_batches() for one in events),
        **{one.source: one.records for one in platforms},
    }
    clouds = {one["source"]: one for one in report["clouds"]}
    assert expected == {source: one["seen"] for source, one in clouds.items()}
    for totals in clouds.values():
        assert totals["adds_up"]
        assert totals["seen"] == totals["kept"] + totals["out_of_scope"] + totals["rejected"]
        assert (
            totals["kept"]
            == sum(totals["identity_kinds"].values())
            == sum(totals["phases"].values())
        )
        assert totals["rejected"] == sum(totals["rejections"].values())
    files = len(trail) + len(gcp_files()) + len(azure_batches()) + len(platforms)
    assert len(report["deliveries"]) == files
    assert all(one["adds_up"] for one in report["deliveries"])
    # GitHub's records name the job and not its token, Okta's another client: nothing is guessed.
    beside = {"github_audit", "okta_system"}
    assert set(expected) - beside == {one["source"] for one in report["crossing"]}
    investigated = report["investigated"]
    assert len(report["crossing"]) == investigated["records"] == investigated["proven"]
    assert all("GitHub recorded a job" in text for text in investigated["witnessed"])
    assert investigated["witnessed"]
    assert {"CONFIGURED": investigated["records"]} == investigated["covered"]
    assert min(investigated["absent"], investigated["unseen"]) > 0
    assert all(one["refused"] for one in report["refusals"])
    assert [] == report["redelivery_changed"]
    kept = list(DirectoryStore(keep).keys(""))
    objects = [key for key in kept if key.startswith("ev/")]
    assert 3 == report["regrouped"]
    assert len(objects) == sum(cloud["objects"] for cloud in clouds.values()) + 3
    units = {source: cloud["units"] for source, cloud in clouds.items()}
    assert {
        "aws_cloudtrail": len(trail),
        "gcp_audit": len(gcp_files()),
        "azure_monitor": len(azure_batches()),
        **{one.source: 1 for one in platforms},
    } == units
    # One batch of one hour: all of AWS lies in one object.
    assert 1 == clouds["aws_cloudtrail"]["objects"]


@pytest.mark.slow
def test_own_files_and_plain_output(tmp_path: Path) -> None:
    """A user's folder is delivered the same way; text from records does not act on the terminal.

    The command that the demo prints accepts what `--keep` leaves.
    """
    folder = tmp_path / "given"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "one.json.gz").write_bytes(generate()[5].body)
    (folder / "broken.json").write_bytes(b"{")
    result = run("--verbose", "--input", folder, "--keep", tmp_path / "copy")
    assert result.returncode == 0, result.stderr
    assert "malformed_json" in result.stdout
    assert "the lock holds at the S3 API" in result.stdout
    assert "\x1b" not in result.stdout
    for text in ("AccessDenied", "PreconditionFailed", "adds up", "changed by the second"):
        assert text in result.stdout
    printed = re.findall(r"^  (\S+ (?:verify|summary) .*)$", joined(result.stdout), re.MULTILINE)
    verified, summarized = (as_printed(line, Path.cwd()) for line in printed)
    assert verified.stdout.startswith("CLEAN no finding\n"), verified.stderr
    assert "identit" in summarized.stdout
    assert "nhi-evidence demo" not in result.stdout, "both was asked for already"
    again = run("--keep", tmp_path / "copy")
    assert (4, "") == (again.returncode, again.stdout)
    assert "not empty; --keep needs a new folder" in again.stderr


def joined(text: str) -> str:
    """Return a text with commands on one line, as a shell reads them."""
    return re.sub(r" \\\n +", " ", text)


def as_printed(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as in a shell without our programs on the path."""
    return subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )


def masked(text: str) -> str:
    """Return a run's output without what differs in every run."""
    text = re.sub(r"root [0-9a-f]{16}", "root ................", text)
    return re.sub(r"\S*nhi-evidence-demo-\w+", "FOLDER", text)


@pytest.mark.slow
def test_the_demo_fits_two_screens_and_ends_in_a_verdict(tmp_path: Path) -> None:
    """48 lines of 80 columns, with a verdict and what to try next; README shows a real run.

    The command at its end runs as it stands, from any folder.
    """
    result = run().stdout
    own = Path(sys.executable).with_name("nhi-evidence")
    result = result.replace(str(own), ".venv/bin/nhi-evidence")
    lines = result.splitlines()
    assert (True, []) == (len(lines) <= 48, [line for line in lines if len(line) > 79])
    assert "HOLDS everything above was really executed" in lines
    assert lines[-5] == "next  .venv/bin/nhi-evidence demo --verbose  # or --keep ./copy"
    assert lines[-4].startswith("left  ")
    checked = as_printed(
        "\n".join(lines[-3:]).replace(".venv/bin/nhi-evidence", str(own)), tmp_path
    )
    assert re.match(r"HOLDS (\d\d) of \1 records proven", checked.stdout), checked.stdout
    cut = [line for line in lines if line.endswith("...") and "root" not in line]
    assert ([], False) == (cut, "\x1b" in result)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```demo\n(.*?)```", readme, re.DOTALL)
    assert block, "README shows the demo"
    assert masked(result) == masked(block[1])


def test_a_spinner_keeps_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the printing console draws it, otherwise it is only on standard error."""
    assert Console(stderr=True).file is not show.Screen(quiet=False).out.file
    terminal = Console(file=io.StringIO(), force_terminal=True)
    monkeypatch.setattr(show, "Console", lambda **_: terminal)
    screen = show.Screen(quiet=False)
    with screen.working("x"):
        assert screen.out.is_terminal
        assert terminal._live_stack
    piped = io.StringIO()
    consoles = iter([Console(file=piped), Console(file=piped), Console(file=io.StringIO())])
    monkeypatch.setattr(show, "Console", lambda **_: next(consoles))
    screen = show.Screen(quiet=False)
    with screen.working("x"):
        screen.out.print("a line")
    assert "a line\n" == piped.getvalue()


def test_an_empty_folder_is_reported(tmp_path: Path) -> None:
    """A folder without log files is an error that says what was expected."""
    result = run("--input", tmp_path)
    assert result.returncode == 4
    assert "holds no .json or .json.gz files" in result.stderr


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"failures": ["m1"]}, "message m1 was not locked"),
        ({"changed": [("k", "v")]}, "a second delivery changed 1 version"),
        ({"counts": []}, "no file was delivered"),
        ({"adds_up": False}, "counts of u do not add up"),
        ({"refused": False}, "not refused: act"),
    ],
    ids=lambda variables: next(iter(variables)) if isinstance(variables, dict) else "",
)
def test_a_demo_that_fails_says_so(change: dict[str, object], expected: str) -> None:
    """A failed check is never shown as passed."""
    count = show_clouds.UnitCount(
        "aws_cloudtrail", "u", "1/1", 1, 1, 0, {}, bool(change.get("adds_up", True))
    )
    refusal = refusals.Refusal("who", "act", refused=bool(change.get("refused", True)), error="")
    counts: list[show_clouds.UnitCount] = [] if "counts" in change else [count]
    changed: list[tuple[str, str]] = [("k", "v")] if "changed" in change else []
    failures = ["message m1"] if "failures" in change else []
    sentences = problems.of_delivery(counts, [refusal], changed, failures)
    assert any(expected in one for one in sentences)


@pytest.mark.parametrize(
    ("input_", "is_verbose", "is_kept", "command"),
    [
        (None, False, False, "nhi-evidence demo --verbose  # or --keep ./copy"),
        (None, True, False, "nhi-evidence demo --keep ./copy"),
        (None, False, True, "nhi-evidence demo --verbose"),
        (None, True, True, None),
        (Path("my logs"), False, True, "nhi-evidence demo --input 'my logs' --verbose"),
    ],
)
def test_the_next_run_is_a_whole_command_with_what_was_not_asked_for(
    input_: Path | None, is_verbose: bool, is_kept: bool, command: str | None
) -> None:
    """It can be pasted: what follows the first choice is a comment to a shell."""
    assert command == show_brief.another(input_, is_verbose=is_verbose, is_kept=is_kept)


def test_a_long_command_or_problem_is_never_cut() -> None:
    """Wherever the program is installed."""
    out = Console(file=io.StringIO(), width=79)
    command = f"{'/a-long-path' * 9}/nhi-evidence demo --verbose"
    problem = f"verification found object_missing ev/{'a' * 90}"
    show_brief.verdict(out, [problem], command)
    assert isinstance(out.file, io.StringIO)
    assert f"next  {command}\n" in out.file.getvalue()
    assert f"FAILED 1 problem\n  {problem}\n" in out.file.getvalue()
