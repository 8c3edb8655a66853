"""Numbers and settings of hub and function app that the stack and the doctor share."""

from __future__ import annotations

PARTITIONS = 8
"""How many instances can read at the same time. With its throughput unit, a partition takes 1 MB/s,
about 600 records, so eight carry 400 million records a day; but each is a separate series of
evidence objects, however little it holds. The number cannot be changed later in this tier."""

RETENTION_HOURS = 7 * 24
"""The maximum of the tier: how long the exporter may stop before records are lost."""

INSTANCES = 40
"""Flex Consumption's smallest maximum; the partitions decide how many instances there are."""

CONNECTION = "EventHubConnection"
"""Prefix of the settings that define how the trigger reaches the hub."""

MANAGED = "managedidentity"

CONSUMER_GROUP = "EventHubConsumerGroup"
"""Setting that names the trigger's consumer group; it changes with the hub."""

ONE_BATCH_AT_A_TIME = {"PYTHON_THREADPOOL_THREAD_COUNT": "1"}
"""An instance may read all partitions: the memory that one batch needs is known, but not what eight
need at once."""


def connections(*, client_id: str, storage: str, namespace: str) -> dict[str, str]:
    """Return the host's settings except the consumer group; `namespace` includes its domain.

    Connections are identity-based: an address and an identity, without any key.
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
