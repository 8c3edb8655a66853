"""The alarms on Google Cloud's logs and counts of the export, as tables."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from infra.gcp.names import NAME, TOPIC

SERVICE = f"{NAME}-gcp-export"

RECORDS_THE_EXPORT = "storage.googleapis.com"
"""With this service's Data Access logs, every batched file is itself recorded when it is written
and read: a working export is never silent, however quiet the organization."""

HOUR = 3_600
QUIET_HOURS = 6
"""How long an organization may be silent by itself, where the export itself is not recorded."""

WINDOW_SECONDS = 600
"""The window in which an absence is looked for; it must then last for the rest of the time."""


class Absence(NamedTuple):
    """A count that stays at zero for a time, or has never been anything else.

    It is a query, since a metric-absence condition needs one measurement before it can be met: it
    would never notice what was never there.
    https://docs.cloud.google.com/monitoring/alerts/metric-absence
    """

    name: str
    title: str
    counter: str
    """A selector of the query language; its points are counted over `WINDOW_SECONDS`."""
    seconds: int
    """From the last point, or from the first deployment, until somebody is notified."""
    meaning: str

    @property
    def query(self) -> str:
        """The condition: nothing was counted, or there is nothing to count."""
        return f"(sum(increase({self.counter}[{WINDOW_SECONDS}s])) or vector(0)) == 0"


class Logged(NamedTuple):
    """Lines of the function's log, any of which is a reason to notify."""

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
        "A file could not be decoded, or a record broke the mapper. It was locked as received.",
    ),
)


def absences(data_access: Collection[str], silence_hours: int | None) -> tuple[Absence, ...]:
    """Return what must never be absent for longer than `silence_hours`; nothing for 0 hours.

    If the configuration does not say (None), the services whose Data Access logs are on decide.
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
            f"Nothing was published for {hours}: the sink is gone, disabled or denied.{caveat}",
        ),
        Absence(
            "no-success",
            "Nothing is locked",
            "run_googleapis_com:request_count"
            f'{{monitored_resource="cloud_run_revision",service_name="{SERVICE}",'
            'response_code_class="2xx"}',
            seconds,
            f"The exporter has not succeeded once for {hours}: it fails, or it is not called "
            f"because its subscription or the bucket's notification is gone.{caveat}",
        ),
    )
