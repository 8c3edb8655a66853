"""The check of the organization's sink: that it sends every audit log of everything below.

https://docs.cloud.google.com/logging/docs/reference/v2/rest/v2/organizations.sinks
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nhi_evidence.adapters.cloud_checks import CloudChecks, Judged, same
from nhi_evidence.checks import Check, differing
from nhi_evidence.config import gcp_delivery, gcp_names
from nhi_evidence.config.tables import Gcp

LOGGING = "logging.googleapis.com"


def sink(checks_of: CloudChecks, gcp: Gcp, deployment: str) -> Iterator[Check]:
    """Yield the check of the sink; whoever may change it can leave out what one identity does."""
    topic = gcp_names.topic_path(gcp.project, gcp_names.TOPIC)
    wanted = {
        "sends to": f"pubsub.googleapis.com/{topic}",
        "filter": gcp_delivery.FILTER,
        "children": "included",
        "leaves out": "nothing",
        "disabled": "no",
    }

    def judge(answer: Mapping[str, Any]) -> Judged:
        exclusions = [_named(exclusion) for exclusion in answer.get("exclusions") or ()]
        actual = {
            "sends to": str(answer.get("destination")),
            "filter": str(answer.get("filter") or "none"),
            "children": "included" if answer.get("includeChildren") else "not included",
            "leaves out": ", ".join(exclusions) or "nothing",
            "disabled": "yes" if answer.get("disabled") else "no",
        }
        return same(differing(wanted, actual))

    yield from checks_of.look(
        "organization sink",
        f"https://{LOGGING}/v2/organizations/{gcp.organization}/sinks/{gcp_names.sink(deployment)}",
        judge,
    )


def _named(exclusion: Mapping[str, Any]) -> str:
    text = f"{exclusion.get('name')} ({exclusion.get('filter')})"
    return f"{text}, disabled" if exclusion.get("disabled") else text
