"""The command line in this process: what it prints, and its exit code."""

from __future__ import annotations

import contextlib
import io
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
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code = 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["nhi-evidence", *map(str, arguments)]),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    result = Result(code, _written(out), _written(err))
    wrong = next_steps.unknown(result.out + result.err)
    assert [] == wrong, f"printed, and not to be run: {wrong}"
    return result


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
