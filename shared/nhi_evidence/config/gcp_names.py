"""Names in the exporter's Google Cloud project, for deploying and for replaying."""

from __future__ import annotations

NAME = "nhi-evidence"
"""Name, or prefix of the name, of every resource of the project."""

PREFIX = "audit/"
"""Prefix of the batched files in the staging bucket, followed by `YYYY/MM/DD/hh_mm_ssZ`."""

TOPIC = f"{NAME}-audit-logs"
"""Topic to which the sink publishes."""

FILES_TOPIC = f"{NAME}-files"
"""Topic on which each finished file is announced."""


def sink(deployment: str) -> str:
    """Return the name of the organization's sink, where other deployments may have one too.

    At most 100 characters: https://cloud.google.com/logging/docs/reference/v2/rest/v2/organizations.sinks
    """
    return f"{NAME}-{deployment}"


def staging_bucket(project: str) -> str:
    """Return the bucket in which batched files wait."""
    return f"{project}-{NAME}-staging"


def topic_path(project: str, topic: str) -> str:
    """Return the full name of a topic, as messages and events state it."""
    return f"projects/{project}/topics/{topic}"


EXPORTER = f"{NAME}-exporter"
"""Account id of the service account that AWS trusts."""

FUNCTION = f"{NAME}-gcp-export"
"""The exporter's function."""

ENTRIES_SUBSCRIPTION = f"{NAME}-batches"
"""Subscription that writes entries to files."""

PUSH_SUBSCRIPTION = f"{NAME}-export"
"""Subscription that pushes messages to the exporter."""

DEAD_LETTERS = f"{NAME}-dead-letters"
"""Topic and subscription for what could not be written to a file."""


def exporter_email(project: str) -> str:
    """Return the address of the exporter's service account."""
    return account_email(EXPORTER, project)


def account_email(account: str, project: str) -> str:
    """Return the address of a service account."""
    return f"{account}@{project}.iam.gserviceaccount.com"


def source_bucket(project: str) -> str:
    """Return the bucket from which the function is built."""
    return f"{project}-{NAME}-source"


def source_object(sha256_hex: str) -> str:
    """Return the name of the source archive, which contains its hash."""
    return f"gcp_export-{sha256_hex}.zip"
