"""The names of the alarms that the stacks make for one account and region.

Which situation raises which alarm, and what it means, is in docs/operations.md. Here are the names
alone, so that checking notices an alarm that is gone.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.config.aws.streams import plans
from nhi_evidence.config.aws.subscription import subscription
from nhi_evidence.config.silence import of_entry, of_store, silence_hours

OF_EXPORTER = (
    "dead-letters",
    "dead-letters-old",
    "lag",
    "failing",
    "errors",
    "loss",
    "giving-up",
    "refused",
    "rejected",
)
OF_STREAM = ("late", "throttled")
OF_SEALER = (
    "failing",
    "contradiction",
    "flagged",
    "foreign-signature",
    "more-signatures",
    "fewer-signatures",
)
OF_RECONCILER = ("missing", "unbacked", "unproven", "unsound", "problems")
OF_COVERAGE = ("lost", "unreadable", "problems")
OF_CANARY = ("unexpected", "unanswered", "broken")
OF_FORWARDER = (
    "dead-letters",
    "lag",
    "errors",
    "unsound",
    "refused",
    "subscriber-behind",
    "subscriber-dead-letters",
)
OF_REPLICA = ("replication-behind", "replication-stopped")


class AlarmName(msgspec.Struct, frozen=True):
    """One alarm."""

    name: str
    notifies: bool = True
    """False for half of a composite alarm, which only the composite one reads."""


def of_exports(config: Config, region: str) -> Iterator[AlarmName]:
    """Yield the alarms of the log-archive account in a region."""
    for feed, entry in feeds(config):
        if feed.region != region:
            continue
        yield from _named(feed.exporter, OF_EXPORTER)
        if of_entry(entry) is not None:
            yield from _absence(f"{feed.exporter}-silence")
        for plan in plans(feed, entry):
            yield from _named(plan.name, OF_STREAM)
            if plan.stream.bus is not None:
                yield AlarmName(f"{plan.name}-dead-letters")


def of_evidence(config: Config, region: str) -> Iterator[AlarmName]:
    """Yield the alarms of the evidence account in a region."""
    for store in config.evidence.buckets:
        if store.region == region:
            yield from _of_functions(config, store)
            yield from _of_store(config, store)
        if store.replica is not None and store.replica.region == region:
            yield from _named(f"{naming.NAME}-{store.id}", OF_REPLICA)


def evidence_regions(config: Config) -> tuple[str, ...]:
    """Return the regions in which the evidence account has alarms, each once."""
    stores = config.evidence.buckets
    replicas = [one.replica.region for one in stores if one.replica is not None]
    return tuple(dict.fromkeys([*(one.region for one in stores), *replicas]))


def _of_functions(config: Config, store: EvidenceBucket) -> Iterator[AlarmName]:
    sealer = naming.function(store.id, "sealer")
    yield from _absence(f"{sealer}-stalled")
    yield from _named(sealer, OF_SEALER)
    reconciler = naming.function(store.id, naming.OPERATORS["recon"])
    yield from _named(reconciler, OF_RECONCILER)
    yield from _absence(f"{reconciler}-silent")
    if config.coverage is not None:
        collector = naming.function(store.id, naming.OPERATORS["coverage"])
        yield from _named(collector, OF_COVERAGE)
        yield from _absence(f"{collector}-silent")
        if config.coverage.accounts:
            yield from _absence(f"{collector}-unpromised")
    if config.canaries_of(store.name) is not None:
        canary = naming.function(store.id, naming.CANARY)
        yield from _named(canary, OF_CANARY)
        yield from _absence(f"{canary}-silent")
    if subscription(config, store) is not None:
        forwarder = naming.forwarder(store.id)
        yield from _named(forwarder, OF_FORWARDER)
        if of_store(config, store.name) is not None:
            yield from _absence(f"{forwarder}-silence")


def _of_store(config: Config, store: EvidenceBucket) -> Iterator[AlarmName]:
    prefix = f"{naming.NAME}-{store.id}"
    yield AlarmName(f"{prefix}-object-rate")
    for source in dict.fromkeys(one.source for one in config.sources_in(store.name)):
        yield AlarmName(f"{prefix}-{source}-mostly-rejected")
        if silence_hours(config, store.name, source) is not None:
            yield from _absence(f"{prefix}-{source}-absence")
    if store.replica is not None:
        yield AlarmName(f"{prefix}-replication-failed")


def _named(prefix: str, kinds: tuple[str, ...]) -> Iterator[AlarmName]:
    for kind in kinds:
        yield AlarmName(f"{prefix}-{kind}")


def _absence(name: str) -> Iterator[AlarmName]:
    """Yield a composite alarm and its halves."""
    yield AlarmName(name)
    yield AlarmName(f"{name}-absent", notifies=False)
    yield AlarmName(f"{name}-alive", notifies=False)
