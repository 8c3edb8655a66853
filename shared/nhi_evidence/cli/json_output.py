"""What `--json` prints: one JSON object that names its schema and version."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from nhi_evidence.terminal.safe_text import neutralize_json

SCHEMAS: Mapping[str, str] = {
    "demo": "nhi-evidence/demo/1",
    "init": "nhi-evidence/init/1",
    "cost": "nhi-evidence/cost/1",
    "doctor": "nhi-evidence/doctor/1",
    "keys": "nhi-evidence/keys/1",
    "seal": "nhi-evidence/seal/1",
    "anchor": "nhi-evidence/anchor/1",
    "replay aws": "nhi-evidence/replay-aws/1",
    "replay gcp": "nhi-evidence/replay-gcp/1",
    "replay azure": "nhi-evidence/replay-azure/1",
    "backfill gcp": "nhi-evidence/backfill-gcp/1",
    "verify": "nhi-evidence/verify-report/1",
    "reconcile": "nhi-evidence/reconcile-report/1",
    "coverage": "nhi-evidence/coverage/1",
    "coverage --operation": "nhi-evidence/coverage-operation/1",
    "offboarding": "nhi-evidence/offboarding/1",
    "check-absence": "nhi-evidence/absence-check/1",
    "copy": "nhi-evidence/copy/1",
    "prove": "nhi-evidence/prove/1",
    "check-proof": "nhi-evidence/check-proof/1",
    "version": "nhi-evidence/version/1",
    "normalize": "nhi-evidence/normalize/1",
    "summary": "nhi-evidence/summary/1",
    "timeline": "nhi-evidence/timeline/2",
    "query": "nhi-evidence/query/1",
    "renormalize": "nhi-evidence/renormalize/1",
    "case create": "nhi-evidence/case-created/1",
    "case verify": "nhi-evidence/case-report/1",
    "explain": "nhi-evidence/explain/1",
    "explain --coverage": "nhi-evidence/explain-coverage/1",
}
"""Command to the schema of its output; docs/json.md describes each.

Adding a member keeps the version; removing one, or changing its meaning, makes a new version.
"""


def document(command: str, value: object) -> bytes:
    """Return the object a command prints, its schema first, safe to show in a terminal."""
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return neutralize_json(msgspec.json.encode({"schema": SCHEMAS[command], **plain}))


def write(command: str, value: object) -> None:
    """Print the object of a command on standard output."""
    put(document(command, value))


def put(line: bytes) -> None:
    """Print an object on standard output, in UTF-8 whatever the terminal's encoding."""
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
