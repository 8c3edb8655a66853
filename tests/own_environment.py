"""Environments apart from this one, for programs that pin other versions than we do."""

from __future__ import annotations

import fcntl
import subprocess
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = ROOT / ".tools" / "bin" / "uv"
_SECONDS = 300


def interpreter_of(name: str, python: Path, lock: Path) -> Path:
    """Return the interpreter of an environment with what a lock file pins, made if it is not there.

    Two workers may ask at once in a new checkout: one makes it, the other waits.
    """
    stamp = sha256(lock.read_bytes() + str(python).encode()).hexdigest()[:16]
    folder = ROOT / ".tools" / f"{name}-{stamp}"
    own = folder / "bin" / "python"
    with folder.with_name(f"{folder.name}.lock").open("w") as claimed:
        fcntl.flock(claimed, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            _run("venv", "--quiet", "--clear", "--python", python, folder)
            _run("pip", "install", "--quiet", "--python", own, "--require-hashes", "-r", lock)
            (folder / "made").touch()
    return own


def _run(*arguments: str | Path) -> None:
    subprocess.run([UV, *arguments], check=True, timeout=_SECONDS)
