"""Hub and function app in numbers and settings that the stack and the doctor share."""

from __future__ import annotations

PARTITIONS = 8
"""How many instances read at a time. A partition takes 1 MB/s by the throughput unit, some 600
records, so eight of them carry 400 million records a day; but each is a series of evidence
objects of its own, however little it holds. It cannot be changed in this tier."""

RETENTION_HOURS = 7 * 24
"""The longest of the tier: how long the exporter may stand still before records are lost."""

INSTANCES = 40
"""Flex Consumption's smallest upper bound; partitions decide how many there are."""

CONNECTION = "EventHubConnection"
"""Prefix of the settings that say how the trigger reaches the hub."""

MANAGED = "managedidentity"

CONSUMER_GROUP = "EventHubConsumerGroup"
"""Setting the trigger takes its consumer group from; it changes with the hub."""

ONE_BATCH_AT_A_TIME = {"PYTHON_THREADPOOL_THREAD_COUNT": "1"}
"""An instance may read all partitions: what one batch needs of memory is known, what eight need at
once is not."""


def connections(*, client_id: str, storage: str, namespace: str) -> dict[str, str]:
    """Return the host's settings but the consumer group; `namespace` with its domain.

    Identity-based connections: an address, and who to be. No key has a place in them.
    """
    return {
        **_connection("AzureWebJobsStorage", client_id, accountName=storage),
        **_connection(CONNECTION, client_id, fullyQualifiedNamespace=namespace),
        **ONE_BATCH_AT_A_TIME,
    }


def _connection(prefix: str, client_id: str, **settings: str) -> dict[str, str]:
    return {
        f"{prefix}__credential": MANAGED,
        f"{prefix}__clientId": client_id,
        **{f"{prefix}__{name}": value for name, value in settings.items()},
    }
