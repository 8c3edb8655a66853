"""`nhi-evidence check-absence`: does a statement of absence hold up?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, json_output, screen
from nhi_evidence.coverage.absence import document
from nhi_evidence.coverage.absence.check import Checked, check
from nhi_evidence.coverage.absence.document import AbsenceError, OtherReleaseError
from nhi_evidence.coverage.page import instant
from nhi_evidence.errors import SettingsError
from nhi_evidence.terminal.verdict import DOES_NOT_HOLD, HOLDS, INCOMPLETE

EXAMPLES = """\b
Examples:
  nhi-evidence check-absence absence.json --key log.vkey
  nhi-evidence check-absence absence.json --policy policy.toml --evidence ./evidence-copy

Exit codes: 0 it holds; 1 it does not; 2 another release drew its conclusion, by other tables, so
that release has to check it; 4 it cannot be read; 64 wrong usage.
"""


class _Result(msgspec.Struct):
    """What `--json` prints."""

    holds: bool
    """Whether every ingredient is proven, and the conclusion follows."""
    verdict: str
    """The words of the first line."""
    checked: Checked | None = None
    """What the document states; None if it does not hold."""
    problem: str | None = None
    """Why it does not hold; None if it does."""


def command(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, metavar="DOCUMENT", help="What attest-absence wrote."
        ),
    ],
    *,
    evidence: Annotated[
        str | None,
        typer.Option(
            metavar="EVIDENCE",
            help="Repeat the search in this evidence: s3://bucket, or a directory.",
        ),
    ] = None,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Check a statement of absence against keys you trust, offline.

    Checks that every input is sealed, and draws the conclusion again. The policy's anchors and
    cosignature are required of it as well. With --evidence the search is repeated, and nothing may
    be left out; without it that is not checked, and the report says so.
    """
    trust = options.policy(policy, key)
    try:
        attestation = document.read(file.read_bytes(), str(file))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
    store = None if evidence is None else open_sealed(evidence, access)
    result = _Result(holds=True, verdict=HOLDS)
    try:
        result.checked = check(attestation, trust, store)
    except OtherReleaseError as error:
        result.holds, result.verdict, result.problem = False, INCOMPLETE, str(error)
    except AbsenceError as error:
        result.holds, result.verdict, result.problem = False, DOES_NOT_HOLD, str(error)
    if as_json:
        json_output.write("check-absence", result)
    elif result.checked is None:
        screen.say(f"{result.verdict} {result.problem or ''}")
    else:
        screen.say(f"{result.verdict} the conclusion follows from what is sealed")
        screen.say(result.checked.search)
        for line in _outside(result.checked):
            screen.say(line)
        screen.say(result.checked.text)
    if not result.holds:
        incomplete = result.verdict == INCOMPLETE
        raise typer.Exit(exit_codes.INCOMPLETE if incomplete else exit_codes.WRONG)


def _outside(checked: Checked) -> Iterator[str]:
    if checked.cosigned:
        yield "cosigned by a pinned ML-DSA-44 key"
    for name, at in sorted(checked.anchored.items()):
        yield f"anchored by {name}: a checkpoint sealed at {instant(at)}"
    for line in checked.not_checked:
        yield f"not checked: {line}"
