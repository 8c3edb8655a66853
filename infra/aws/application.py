"""Every stack of the AWS side, from one configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import aws_cdk as cdk

from infra.aws.acknowledged import acknowledge
from infra.aws.athena_stack import AthenaStack
from infra.aws.canary_identity_stack import CanaryIdentityStack
from infra.aws.canary_stack import CanaryStack
from infra.aws.cost_alarms import WITHOUT_BUDGETS
from infra.aws.coverage_stack import CoverageStack
from infra.aws.evidence_stack import EvidenceStack
from infra.aws.export_stack import AwsExportStack
from infra.aws.forward_stack import ForwardStack
from infra.aws.guardrail_stack import GuardrailStack
from infra.aws.monitoring_stack import MonitoringStack
from infra.aws.reconcile_stack import ReconcileStack
from infra.aws.replica_stack import ReplicaStack
from infra.aws.seal_stack import SealStack
from infra.aws.settings_reader_stack import SettingsReaderStack
from infra.aws.trail_stack import TrailStack
from infra.aws.watched import Watched
from infra.bundle import Bundle, stage
from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.config.aws.subscription import subscription
from nhi_evidence.errors import SettingsError


class _EvidenceStacks(NamedTuple):
    """Stacks of the evidence account whose functions are monitored, by region."""

    seals: dict[str, list[SealStack]]
    reconciles: dict[str, list[ReconcileStack]]
    forwards: dict[str, list[ForwardStack]]


def compose(
    app: cdk.App,
    config: Config,
    *,
    staged: Callable[[str], Bundle] = stage,
    architecture: str | None = None,
) -> None:
    """Add all stacks to `app`.

    `staged` returns the bundle of a function, built for `architecture` where that differs from the
    declared one. Raises `SettingsError` if the configuration asks for what AWS cannot do.
    """
    _one_queue_for_each_bucket(config)
    seal, export = staged("seal"), staged("aws_export")
    reconcile = staged("reconcile")
    stacks = _EvidenceStacks({}, {}, {})
    for at, store in enumerate(config.evidence.buckets):
        evidence = _store(app, config, store, makes_provider=at == 0)
        what = subscription(config, store)
        if what is not None:
            forwarding = ForwardStack(
                app,
                naming.stack(store.id, "forward"),
                what=what,
                bundle=staged("forward"),
                architecture=architecture,
            )
            # S3 tests the queue before it lets the evidence bucket notify it.
            evidence.add_stack_dependency(forwarding)
            stacks.forwards.setdefault(store.region, []).append(forwarding)
        sealing = SealStack(
            app,
            naming.stack(store.id, "seal"),
            config=config,
            store=store,
            bundle=seal,
            architecture=architecture,
        )
        sealing.add_stack_dependency(evidence)
        stacks.seals.setdefault(store.region, []).append(sealing)
        reconciling = ReconcileStack(
            app,
            naming.stack(store.id, "reconcile"),
            config=config,
            store=store,
            bundle=reconcile,
            architecture=architecture,
        )
        # It assumes a role of the evidence stack, and asks for the key in the seal stack.
        reconciling.add_stack_dependency(sealing)
        stacks.reconciles.setdefault(store.region, []).append(reconciling)
    covering = _cover(app, config, stacks.seals, staged, architecture)
    probing = _probe(app, config, stacks.seals, staged, architecture)
    _watch_evidence(app, config, stacks, covering=covering, probing=probing)
    _export(app, config, export, architecture)
    management = config.organization.management_account
    if config.guardrails is not None and management is not None:
        GuardrailStack(
            app,
            naming.stack(config.id, "guardrails"),
            config=config,
            guardrails=config.guardrails,
            management_account=management,
        )
    acknowledge(app)


def _store(
    app: cdk.App, config: Config, store: EvidenceBucket, *, makes_provider: bool
) -> EvidenceStack:
    """Add an evidence bucket and, where configured, its replica and Athena."""
    evidence = EvidenceStack(
        app,
        naming.stack(store.id),
        config=config,
        store=store,
        makes_provider=makes_provider,
    )
    if store.replica is not None:
        replica = ReplicaStack(
            app,
            naming.stack(store.id, "replica"),
            config=config,
            store=store,
            replica=store.replica,
        )
        # S3 accepts a replication rule only if its destination exists.
        evidence.add_stack_dependency(replica)
    if store.athena is not None:
        asking = AthenaStack(
            app,
            naming.stack(store.id, "athena"),
            config=config,
            store=store,
            table=store.athena,
        )
        asking.add_stack_dependency(evidence)
    return evidence


def _export(app: cdk.App, config: Config, bundle: Bundle, architecture: str | None) -> None:
    """Add each region's exporters and their monitoring, and the new trails."""
    management = config.organization.management_account
    for region in sorted({feed.region for feed, _ in feeds(config)}):
        exports = AwsExportStack(
            app,
            naming.stack(config.id, "export", region),
            config=config,
            region=region,
            bundle=bundle,
            architecture=architecture,
        )
        MonitoringStack(
            app,
            naming.stack(config.id, "export", region, "monitoring"),
            config=config,
            account=config.log_archive.account,
            region=region,
            watched=Watched(exports=exports),
        )
        for trail in config.trails:
            if trail.kind == "new" and trail.region == region and management is not None:
                recording = TrailStack(
                    app,
                    naming.stack(config.id, "trail", trail.name),
                    config=config,
                    trail=trail,
                    management_account=management,
                )
                # CloudTrail tests the bucket before it accepts it.
                recording.add_stack_dependency(exports)


def _cover(
    app: cdk.App,
    config: Config,
    seals: dict[str, list[SealStack]],
    staged: Callable[[str], Bundle],
    architecture: str | None,
) -> dict[str, list[CoverageStack]]:
    """Add what reads settings, and the roles it reads with; return the stacks by region."""
    by_region: dict[str, list[CoverageStack]] = {}
    if config.coverage is None:
        return by_region
    bundle = staged("coverage")
    for account in config.coverage.accounts:
        SettingsReaderStack(
            app, naming.stack(config.id, "settings", account), config=config, account=account
        )
    for store in config.evidence.buckets:
        covering = CoverageStack(
            app,
            naming.stack(store.id, "coverage"),
            config=config,
            store=store,
            bundle=bundle,
            architecture=architecture,
        )
        # Its roles belong to the evidence stack, and what it writes has to be sealed.
        covering.add_stack_dependency(seals[store.region][0])
        by_region.setdefault(store.region, []).append(covering)
    return by_region


def _probe(
    app: cdk.App,
    config: Config,
    seals: dict[str, list[SealStack]],
    staged: Callable[[str], Bundle],
    architecture: str | None,
) -> dict[str, list[CanaryStack]]:
    """Add what probes, and the harmless roles it probes as; return the stacks by region."""
    by_region: dict[str, list[CanaryStack]] = {}
    for canaries in config.canaries:
        store = config.bucket(canaries.evidence)
        for account in canaries.accounts:
            CanaryIdentityStack(
                app,
                naming.stack(store.id, "canary", account),
                config=config,
                store=store,
                account=account,
            )
        probing = CanaryStack(
            app,
            naming.stack(store.id, "canary"),
            config=config,
            store=store,
            canaries=canaries,
            bundle=staged("canary"),
            architecture=architecture,
        )
        # It writes with a role of the evidence stack, and what it announces has to be sealed.
        probing.add_stack_dependency(seals[store.region][0])
        by_region.setdefault(store.region, []).append(probing)
    return by_region


def _watch_evidence(
    app: cdk.App,
    config: Config,
    stacks: _EvidenceStacks,
    *,
    covering: dict[str, list[CoverageStack]],
    probing: dict[str, list[CanaryStack]],
) -> None:
    buckets = config.evidence.buckets
    replicas = {store.name: store.replica.region for store in buckets if store.replica is not None}
    for at, region in enumerate(dict.fromkeys([*stacks.seals, *replicas.values()])):
        MonitoringStack(
            app,
            naming.stack(config.id, region, "monitoring"),
            config=config,
            account=config.evidence.account,
            region=region,
            watched=Watched(
                seals=stacks.seals.get(region, ()),
                reconciles=stacks.reconciles.get(region, ()),
                covering=covering.get(region, ()),
                probing=probing.get(region, ()),
                forwards=stacks.forwards.get(region, ()),
                buckets=[store for store in buckets if store.region == region],
                replicated=[store for store in buckets if replicas.get(store.name) == region],
            ),
            has_budget=at == 0 and naming.partition(region) not in WITHOUT_BUDGETS,
        )


def _one_queue_for_each_bucket(config: Config) -> None:
    """Raise `SettingsError` where one prefix feeds two exporters without a topic between.

    S3 refuses two destinations for one prefix; a topic can notify any number of queues.
    """
    seen: dict[tuple[str, str], str] = {}
    for feed, _ in feeds(config):
        first = seen.setdefault((feed.bucket, feed.prefix), feed.exporter)
        if first != feed.exporter and feed.notifies != "topic":
            raise SettingsError(
                f"s3://{feed.bucket}/{feed.prefix} feeds two exporters, {first} and "
                f"{feed.exporter}, but S3 notifies only one queue: have it notify a topic, and "
                "name the topic in the configuration"
            )
