"""The result of checking a deployment, as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from nhi_evidence.checks import WRONG, Check, State

SCHEMA = "nhi-evidence/doctor/1"
"""Names the document's schema; a change of meaning changes the number."""

Verdict = Literal["well", "not well", "nothing was looked at"]


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document of `doctor --json` (docs/operations.md, "Whether it is as it was deployed")."""

    schema: str
    release: str
    """Of nhi-evidence: what is deployed is compared with what this release defines."""
    verdict: Verdict
    """What the checks come to: `well`, `not well` or `nothing was looked at`."""
    states: dict[State, int]
    """State to number of checks; every state is present."""
    checks: Sequence[Check]
    """Each check: what was looked at, its state, and what to do."""


def verdict(checks: Sequence[Check]) -> Verdict:
    """Return the result of the checks: `well` covers only what was checked."""
    states = {one.state for one in checks}
    if states & {*WRONG}:
        return "not well"
    return "well" if State.OK in states else "nothing was looked at"


def report(checks: Sequence[Check], release: str) -> Report:
    """Return the checks as a document."""
    states = Counter(one.state for one in checks)
    return Report(
        schema=SCHEMA,
        release=release,
        verdict=verdict(checks),
        states={state: states[state] for state in State},
        checks=checks,
    )
