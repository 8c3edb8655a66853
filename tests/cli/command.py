"""The command line in this process: what it prints, and its exit code."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import msgspec

from nhi_evidence import cli
from nhi_evidence.cli.json_output import SCHEMAS
from tests.cli import next_steps
from tests.docs import json_schemas


class Result(NamedTuple):
    """What one command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, read as one JSON object with a schema that docs/json.md describes."""
        document = msgspec.json.decode(self.out)
        (command,) = (name for name, schema in SCHEMAS.items() if schema == document["schema"])
        assert set() == set(document) - {"schema", *json_schemas.members(command)}
        return document


def run(*arguments: str | Path) -> Result:
    """Run the command line as `nhi-evidence ARGUMENTS`."""
    done = run_bytes(*arguments)
    out, err = (_as_text(stream) for stream in (done.stdout, done.stderr))
    wrong = next_steps.unknown(out + err)
    assert [] == wrong, f"printed, and not to be run: {wrong}"
    miscounted = one_of_many(out + err)
    assert [] == miscounted, f"printed of one, and in the plural: {miscounted}"
    return Result(done.returncode, out, err)


def run_bytes(
    *arguments: str | Path, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[bytes]:
    """Do the same; return the bytes of both streams, as of a process."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = [io.TextIOWrapper(each, encoding=encoding, write_through=True) for each in (out, err)]
    code = 0
    with (
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
        mock.patch.object(sys, "argv", ["nhi-evidence", *map(str, arguments)]),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def _as_text(stream: bytes) -> str:
    return io.TextIOWrapper(io.BytesIO(stream), encoding="utf-8").read()


_MISCOUNTED = re.compile(
    r"(?<![\w.,:/=+-])1 (?:records|objects|files|units|documents|identities|cells|findings|lines|"
    r"leaves|epochs|credentials|uses|deliveries|bytes|hours|answers|versions|calls|checks)\b"
)
_STATED = re.compile(r"\d+ records of \d+ objects were searched[^\n]*")
"""Of a statement of absence: whoever checks it draws the same words again, letter by letter."""


def one_of_many(text: str) -> list[str]:
    """Return what a text counts as one and names in the plural: `1 records`."""
    return _MISCOUNTED.findall(_STATED.sub("", text))
