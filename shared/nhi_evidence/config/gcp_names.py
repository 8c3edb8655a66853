"""Names in the exporter's Google Cloud project, for who deploys and for who replays."""

from __future__ import annotations

NAME = "nhi-evidence"
"""What every resource is called, or begins with."""

PREFIX = "audit/"
"""Of the batched files in the staging bucket, followed by `YYYY/MM/DD/hh_mm_ssZ`."""

TOPIC = f"{NAME}-audit-logs"
"""What the sink publishes to."""

FILES_TOPIC = f"{NAME}-files"
"""What announces each finished file."""


def staging_bucket(project: str) -> str:
    """Return the bucket batched files wait in."""
    return f"{project}-{NAME}-staging"


def topic_path(project: str, topic: str) -> str:
    """Return the full name of a topic, as messages and events state it."""
    return f"projects/{project}/topics/{topic}"


EXPORTER = f"{NAME}-exporter"
"""Account id of the service account AWS trusts."""

FUNCTION = f"{NAME}-gcp-export"
"""The exporter."""

ENTRIES_SUBSCRIPTION = f"{NAME}-batches"
"""Writes entries into files."""

PUSH_SUBSCRIPTION = f"{NAME}-export"
"""Hands messages to the exporter."""

DEAD_LETTERS = f"{NAME}-dead-letters"
"""Topic and subscription of what could not be written into a file."""


def exporter_email(project: str) -> str:
    """Return the address of the exporter's service account."""
    return account_email(EXPORTER, project)


def account_email(account: str, project: str) -> str:
    """Return the address of a service account."""
    return f"{account}@{project}.iam.gserviceaccount.com"


def source_bucket(project: str) -> str:
    """Return the bucket the function is built from."""
    return f"{project}-{NAME}-source"


def source_object(sha256_hex: str) -> str:
    """Return the name of the source archive, by its content."""
    return f"gcp_export-{sha256_hex}.zip"
