"""What things are called in the exporter's project: known before anything exists."""

from __future__ import annotations

from nhi_evidence.config.gcp_names import (
    FILES_TOPIC,
    NAME,
    PREFIX,
    TOPIC,
    staging_bucket,
    topic_path,
)

__all__ = [
    "EXPORTER",
    "FILES_TOPIC",
    "NAME",
    "PREFIX",
    "PROJECT",
    "PROJECT_NUMBER",
    "TOPIC",
    "build_bucket",
    "exporter_email",
    "staging_bucket",
    "topic_path",
]

EXPORTER = f"{NAME}-exporter"
"""Account id of the service account AWS trusts."""


def exporter_email(project: str) -> str:
    """Return the address of the exporter's service account."""
    return f"{EXPORTER}@{project}.iam.gserviceaccount.com"


PROJECT = "project"
"""Name of the stack's data source that knows the project's number."""

PROJECT_NUMBER = f"${{data.google_project.{PROJECT}.number}}"
"""What Terraform reads it by: an event says which project a bucket is of by number."""


def build_bucket(number: str, region: str) -> str:
    """Return the bucket Cloud Run functions keeps the source it builds in.

    https://docs.cloud.google.com/functions/docs/building
    """
    return f"gcf-v2-sources-{number}-{region}"
