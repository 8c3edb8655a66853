"""What things are called in the exporter's project: known before anything exists."""

from __future__ import annotations

NAME = "nhi-evidence"
"""What every resource is called, or begins with."""

EXPORTER = f"{NAME}-exporter"
"""Account id of the service account AWS trusts."""


def exporter_email(project: str) -> str:
    """Return the address of the exporter's service account."""
    return f"{EXPORTER}@{project}.iam.gserviceaccount.com"
