"""Rows for tests of investigation, as short as what they show allows."""

from __future__ import annotations

from itertools import count
from typing import Any

from nhi_evidence.investigate.row import Place, Row, Standing

START = 1_772_438_400_000
"""2026-03-02T08:00:00Z."""
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_lines = count()

_BASE: dict[str, Any] = {
    "source": "aws_cloudtrail",
    "provider": "AWS",
    "account": "111122223333",
    "region": "us-east-1",
    "correlation_uid": None,
    "service": "s3.amazonaws.com",
    "operation": "ListBuckets",
    "event_code": None,
    "class_uid": 6003,
    "sub_phase": None,
    "phase_rules": ("s3:ListBuckets",),
    "outcome": "success",
    "status_code": None,
    "identity": None,
    "identity_uid": None,
    "identity_name": None,
    "identity_type": "Temporary Session",
    "issuer": None,
    "subject": None,
    "credential": None,
    "credential_kind": None,
    "decision_rule": "AWS-06m",
    "refinable_by": (),
    "issued": (),
    "hops": (),
    "hop_credentials": (),
    "mechanisms": (),
    "is_agentic": None,
    "invoked_by": None,
    "ip": None,
    "user_agent": None,
    "targets": (),
    "target_names": (),
    "entity": None,
    "principal": None,
    "labels": (),
}


def row(at: int, *, phase: str = "Enumeration", **request: Any) -> Row:
    """Return a row `at` so many milliseconds after `START`; what is not given is as in `_BASE`."""
    line = next(_lines)
    place = request.pop("place", Place("ev/object", "unit", line, "2026", 1, Standing.COUNTED))
    values: dict[str, Any] = {
        **_BASE,
        "uid": f"id-{line}",
        "raw_sha256": f"{line:064x}",
        "phase": phase,
        "base_phase": phase,
        **request,
    }
    return Row(time=START + at, place=place, **values)


def minted(at: int, parent: str | None, child: str, **request: Any) -> Row:
    """Return the row of a call with one credential that handed out another."""
    return row(
        at, phase="Token Issuance", operation="AssumeRole", credential=parent,
        issued=(child,), **request,
    )  # fmt: skip


def used(at: int, credential: str, **request: Any) -> Row:
    """Return the row of a call with a session."""
    return row(at, **{"credential": credential, "credential_kind": "session_key", **request})
