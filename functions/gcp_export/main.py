"""Cloud Run function entry: a CloudEvent in, locked evidence out.

It returns only when everything the event is about is locked. Any failure is raised: the framework
answers 500, and the platform delivers again. Input that cannot be decoded is locked as received,
and the function returns.
"""

from __future__ import annotations

import functions_framework
import msgspec
from cloudevents.http import CloudEvent
from flask import request

from nhi_evidence.adapters.gcp.cloud_log import CloudLog
from nhi_evidence.adapters.gcp.exporter import gcp_exporter
from nhi_evidence.errors import DeliveryRefusedError


@functions_framework.cloud_event
def handler(event: CloudEvent) -> None:
    """Lock what one event names or carries. Raises whatever keeps it from being locked."""
    log = CloudLog(request.headers.get("traceparent"))
    try:
        exporter = gcp_exporter()
        log.of(exporter.settings.project)
        outcome = exporter.export(event)
    except Exception as error:
        refused = isinstance(error, DeliveryRefusedError)
        log.failed("event not locked", error, event_id=event["id"], refused=refused)
        raise
    for locked in outcome.objects:
        log.done("locked", object=msgspec.to_builtins(locked))
    for unit, cause in outcome.unmapped.items():
        log.failed("unmapped", cause, unit=unit)
