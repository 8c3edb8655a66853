"""Azure Functions entry (v2 model): batches of Event Hub messages in, nothing or an exception out.

The host moves its checkpoint past a batch when the function returns, or when a retry policy is
exhausted. So it returns only when everything is locked, raises while the store is unavailable, and
the policy is never exhausted: the partition waits, and nothing is skipped.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages#retries
https://learn.microsoft.com/azure/azure-functions/functions-reliable-event-processing
"""

from __future__ import annotations

import logging
from typing import List  # noqa: UP035 the worker reads the annotation and takes no other

import azure.functions as func
import msgspec

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.azure import exporter, lag
from nhi_evidence.pipeline.lock import Outcome

logger = logging.getLogger("nhi_evidence.azure_export")
app = func.FunctionApp()


@app.function_name("azure_export")
@app.retry(
    strategy="exponential_backoff",
    max_retry_count="-1",
    minimum_interval="00:00:05",
    maximum_interval="00:05:00",
)
@app.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="%NHI_EVIDENCE_HUB%",
    connection="EventHubConnection",
    # A different one for each hub of this name: the host keeps its checkpoints by group.
    consumer_group="%EventHubConsumerGroup%",
    cardinality=func.Cardinality.MANY,
    # As text the host would decode it, losing bytes that are not UTF-8.
    data_type=func.DataType.BINARY,
)
def export(events: List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006
    """Lock one batch. Raises whatever keeps it from being locked."""
    logger.info("%s", lag.describe(events, now_ms=clock.now()))
    written = {
        "writer": exporter.site(),
        "writer-request-id": context.invocation_id,
        "written-at": clock.utc_now(),
    }
    try:
        for outcome in exporter.azure_exporter().export(events, written=written):
            report(outcome)
    except Exception:
        logger.exception("batch not locked; it is tried again")
        raise


def report(outcome: Outcome) -> None:
    """Log what became of one group of runs: a line per category, object and failure."""
    for category, records in sorted(outcome.categories.items()):
        logger.info("took %s, %d records", category, records)
    for locked in outcome.objects:
        logger.info("locked %s", msgspec.json.encode(locked).decode())
    for unit, error in outcome.unmapped.items():
        logger.error("unmapped, locked as it came: %s", unit, exc_info=error)
    for unit, error in outcome.failed.items():
        logger.error("not locked: %s", unit, exc_info=error)
