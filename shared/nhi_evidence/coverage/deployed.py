"""What a deployment ingests, and how it arrives, according to its configuration."""

from __future__ import annotations

from nhi_evidence.config import Config, azure_names, gcp_names
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE
from nhi_evidence.coverage.answers import Deployment, Source


def deployment(config: Config) -> Deployment:
    """Return every source with how it arrives: buckets and queues, a sink's topic, an event hub.

    A queue matters only where the bucket notifies it directly; through a topic, the bucket's
    configuration does not show the queue, and the bucket's name decides.
    """
    by_source: dict[str, Source] = {}
    for feed, _ in feeds(config):
        known = by_source.get(feed.source, Source(source=feed.source))
        by_source[feed.source] = Source(
            source=feed.source,
            buckets=_once((*known.buckets, feed.bucket)),
            queues=_once((*known.queues, feed.queue_arn)),
        )
    sources = {entry.source for entry in config.sources}
    if config.gcp is not None and GCP_SOURCE in sources:
        topic = gcp_names.topic_path(config.gcp.project, gcp_names.TOPIC)
        by_source[GCP_SOURCE] = Source(
            source=GCP_SOURCE, destinations=(f"pubsub.googleapis.com/{topic}",)
        )
    if config.azure is not None and AZURE_SOURCE in sources:
        namespace = azure_names.namespace_id(config.azure.home)
        by_source[AZURE_SOURCE] = Source(source=AZURE_SOURCE, event_hubs=(namespace,))
    return Deployment(tuple(by_source[name] for name in sorted(by_source)))


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
