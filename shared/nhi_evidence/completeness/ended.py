"""Statements that show that a proof has ended: nothing is known to be missing, nor would it be.

A signed list stops when somebody switches log file validation off, an API's listing when a cloud no
longer accepts our token. Neither makes anything missing.
"""

from __future__ import annotations

from nhi_evidence import sources
from nhi_evidence.completeness.due import STAGES_MS
from nhi_evidence.completeness.hours import HOUR_MS
from nhi_evidence.completeness.statement import Statement, Statements
from nhi_evidence.evidence import keys

USUAL = frozenset({"expired", "license_unknown", "not_asked", "open", "waiting"})
"""Reasons that are expected: of hours too young or too old, and of a tenant without a license."""

SETTLED_MS = STAGES_MS[1]
"""Age from which an hour's signed lists should all be here."""


def is_ended(of_hour: Statements, statement: Statement) -> bool:
    """Whether a proof that is expected of this scope is not possible, and nothing else is known.

    Of a source that signs no lists, none is expected unless its API was asked.
    """
    if statement.is_incomplete:
        return False
    unusual = {*statement.reasons} - USUAL
    if sources.signing_source(of_hour.source) is None:
        return bool(unusual - {"no_list"})
    began = keys.hour_start(of_hour.hour)
    is_settled = began is not None and of_hour.log.at - began - HOUR_MS >= SETTLED_MS
    return bool(unusual) and is_settled
