"""The pinned AWS CLI in an environment of its own: what it says of a trail."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests import own_environment

LOCK = Path(__file__).with_name("awscli.txt")
DRIVER = Path(__file__).with_name("driver.py")
_SECONDS = 300
_LINE = re.compile(r"(?:\(backfill\) )?(Digest|Log) file\ts3://(\S+)\t(valid|INVALID.*)")


class Output(NamedTuple):
    """What the validator says of one trail."""

    code: int
    valid: frozenset[str]
    """`<bucket>/<key>` of each digest and log file it calls valid."""
    invalid: Mapping[str, str]
    """Of each that it does not, and why."""


def environment() -> Path:
    """Return the interpreter of the CLI's own environment, made when it is not there."""
    return own_environment.interpreter_of("awscli", Path(sys.executable), LOCK)


def validate(calls: Sequence[Sequence[str]], variables: Mapping[str, str]) -> list[Output]:
    """Run `aws cloudtrail validate-logs` with each list of arguments, in one process."""
    lines = [json.dumps(["cloudtrail", "validate-logs", "--verbose", *call]) for call in calls]
    done = subprocess.run(
        [environment(), "-I", DRIVER],
        input="\n".join(lines) + "\n",
        env=dict(variables),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(calls)
    return [_parse(answer["code"], answer["text"]) for answer in answers]


def _parse(code: int, text: str) -> Output:
    verdicts = {match[2]: match[3] for match in _LINE.finditer(text)}
    assert verdicts or "No digests found" in text, text
    return Output(
        code,
        frozenset(place for place, verdict in verdicts.items() if verdict == "valid"),
        {place: verdict for place, verdict in verdicts.items() if verdict != "valid"},
    )
