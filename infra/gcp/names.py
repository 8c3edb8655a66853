"""Names in the exporter's project, known before anything exists."""

from __future__ import annotations

from nhi_evidence.config.gcp_names import (
    EXPORTER,
    FILES_TOPIC,
    NAME,
    PREFIX,
    TOPIC,
    exporter_email,
    sink,
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
    "sink",
    "staging_bucket",
    "topic_path",
]

PROJECT = "project"
"""Name of the stack's data source for the project's number."""

PROJECT_NUMBER = f"${{data.google_project.{PROJECT}.number}}"
"""Terraform's reference to it: an event identifies a bucket's project by number."""


def build_bucket(number: str, region: str) -> str:
    """Return the bucket in which Cloud Run functions keeps the source it builds.

    https://docs.cloud.google.com/functions/docs/building
    """
    return f"gcf-v2-sources-{number}-{region}"
