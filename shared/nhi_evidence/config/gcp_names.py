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
