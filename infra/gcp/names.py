"""What things are called in the exporter's project: known before anything exists."""

from __future__ import annotations

from nhi_evidence.config.gcp_names import (
    EXPORTER,
    FILES_TOPIC,
    NAME,
    PREFIX,
    TOPIC,
    exporter_email,
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

PROJECT = "project"
"""Name of the stack's data source that knows the project's number."""

PROJECT_NUMBER = f"${{data.google_project.{PROJECT}.number}}"
"""What Terraform reads it by: an event says which project a bucket is of by number."""


def build_bucket(number: str, region: str) -> str:
    """Return the bucket Cloud Run functions keeps the source it builds in.

    https://docs.cloud.google.com/functions/docs/building
    """
    return f"gcf-v2-sources-{number}-{region}"
