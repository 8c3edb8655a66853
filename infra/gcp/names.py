"""What things are called in the exporter's project: known before anything exists."""

from __future__ import annotations

NAME = "nhi-evidence"
"""What every resource is called, or begins with."""

EXPORTER = f"{NAME}-exporter"
"""Account id of the service account AWS trusts."""


def exporter_email(project: str) -> str:
    """Return the address of the exporter's service account."""
    return f"{EXPORTER}@{project}.iam.gserviceaccount.com"


def staging_bucket(project: str) -> str:
    """Return the bucket batched files wait in."""
    return f"{project}-{NAME}-staging"


PREFIX = "audit/"
"""Of the batched files in it."""

TOPIC = f"{NAME}-audit-logs"
"""What the sink publishes to."""

FILES_TOPIC = f"{NAME}-files"
"""What announces each finished file."""


def topic_path(project: str, topic: str) -> str:
    """Return the full name of a topic, as messages and events state it."""
    return f"projects/{project}/topics/{topic}"


PROJECT = "project"
"""Name of the stack's data source that knows the project's number."""

PROJECT_NUMBER = f"${{data.google_project.{PROJECT}.number}}"
"""What Terraform reads it by: an event says which project a bucket is of by number."""


def build_bucket(number: str, region: str) -> str:
    """Return the bucket Cloud Run functions keeps the source it builds in.

    https://docs.cloud.google.com/functions/docs/building
    """
    return f"gcf-v2-sources-{number}-{region}"
