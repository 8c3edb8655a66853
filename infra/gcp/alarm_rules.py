"""What is watched of the export in Google Cloud's logs and counts, as tables."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from infra.gcp.names import NAME, TOPIC

SERVICE = f"{NAME}-gcp-export"

RECORDS_THE_EXPORT = "storage.googleapis.com"
"""With the Data Access logs of this service, every batched file is itself recorded as it is written
and read: a working export is never silent, however quiet the organization."""

HOUR = 3_600
QUIET_HOURS = 6
"""How long an organization that records nothing of the export may be silent by itself."""

WINDOW_SECONDS = 600
"""What an absence is looked for in; it must last for the rest of the time before it is told."""


class Absence(NamedTuple):
    """A count that stays at nothing for a time, or that has never been anything.

    As a query, since a metric-absence condition needs one measurement before it can be met: what
    was never there it would never miss.
    https://docs.cloud.google.com/monitoring/alerts/metric-absence
    """

    name: str
    title: str
    counter: str
    """A selector of the query language; its points are counted over `WINDOW_SECONDS`."""
    seconds: int
    """From the last point, or from the first deployment, until somebody is told."""
    meaning: str

    @property
    def query(self) -> str:
        """The condition: nothing was counted, or there is nothing to count."""
        return f"(sum(increase({self.counter}[{WINDOW_SECONDS}s])) or vector(0)) == 0"


class Logged(NamedTuple):
    """Lines of the function's log; any one is a reason."""

    name: str
    title: str
    filter: str
    meaning: str


LOGGED = (
    Logged(
        "rejected",
        "Audit logs could not be read",
        f'resource.type = "cloud_run_revision" AND resource.labels.service_name = "{SERVICE}"'
        ' AND (jsonPayload.message = "unmapped" OR jsonPayload.object.rejected_deliveries > 0)',
        "A file could not be decoded, or a record broke the mapper. It is locked as it came.",
    ),
)


def absences(data_access: Collection[str], silence_hours: int | None) -> tuple[Absence, ...]:
    """Return what must never be missing for longer than `silence_hours`; none for 0 hours.

    Where the configuration does not say (None), the services whose Data Access logs are on decide.
    """
    if silence_hours == 0:
        return ()
    recorded = RECORDS_THE_EXPORT in data_access
    seconds = HOUR * (silence_hours or (1 if recorded else QUIET_HOURS))
    hours = f"{seconds // HOUR} hour{'s' if seconds > HOUR else ''}"
    caveat = "" if recorded else " A small organization may also be that quiet by itself."
    return (
        Absence(
            "silent",
            "No audit logs arrive",
            "pubsub_googleapis_com:topic_send_message_operation_count"
            f'{{monitored_resource="pubsub_topic",topic_id="{TOPIC}"}}',
            seconds,
            f"Nothing was published for {hours}: the sink is gone, disabled or refused.{caveat}",
        ),
        Absence(
            "no-success",
            "Nothing is locked",
            "run_googleapis_com:request_count"
            f'{{monitored_resource="cloud_run_revision",service_name="{SERVICE}",'
            'response_code_class="2xx"}',
            seconds,
            f"The exporter has not succeeded once for {hours}: it is not called, since its "
            f"subscription or the bucket's notification is gone, or it fails.{caveat}",
        ),
    )
