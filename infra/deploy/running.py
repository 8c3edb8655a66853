"""Print, ask and run commands: what every deployment does at its edge."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from infra.declaration import ROOT

PROGRAM = ".venv/bin/nhi-evidence"
"""As `make` installs it, which is not on the path."""


def say(*lines: str) -> None:
    """Print lines and flush, so that they stay in order with the output of commands."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def answered_yes(question: str) -> bool:
    """Ask whoever is at the terminal; without a terminal the answer is no."""
    if not sys.stdin.isatty():
        return False
    sys.stdout.write(f"\n{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


OWN_FILES = 0o077
"""File mode mask with which nobody else on the machine reads what a command writes."""


def run(command: Sequence[str], *, umask: int = -1) -> int:
    """Run a command in the repository, with our output as its own; return its exit code.

    It is `NOT_FOUND` if there is no such command. `umask` is the file mode mask of the command; -1
    leaves ours.
    """
    say(f"\n$ {' '.join(command)}")
    environment = {**os.environ, "NODE_NO_WARNINGS": "1"}  # noqa: TID251 - handed on, not read
    try:
        return subprocess.run(  # noqa: S603 - our own arguments, no shell
            command, cwd=ROOT, env=environment, check=False, umask=umask
        ).returncode
    except FileNotFoundError:
        say(f"{command[0]} is not on the path")
        return NOT_FOUND


NOT_FOUND = 127
"""Exit code of a command that is not on the path, as in shells."""


def output(command: Sequence[str]) -> tuple[int, str]:
    """Run a command; return its exit code and output, `NOT_FOUND` if there is no such command."""
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        return NOT_FOUND, f"{command[0]} is not on the path"
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr.strip()
