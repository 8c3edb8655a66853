"""The settings of each function, from the configuration, for the stacks and for the doctor."""

from __future__ import annotations

from collections.abc import Sequence

from nhi_evidence.adapters.aws.canary import Settings as CanarySettings
from nhi_evidence.adapters.aws.collector import Settings as CoverageSettings
from nhi_evidence.adapters.aws.exporter import Settings as ExporterSettings
from nhi_evidence.adapters.aws.forwarder import Settings as ForwarderSettings
from nhi_evidence.adapters.aws.reconciler import Settings as ReconcilerSettings
from nhi_evidence.adapters.aws.s3_source import SourceBucket
from nhi_evidence.adapters.aws.sealer import Settings as SealerSettings
from nhi_evidence.adapters.collecting.clouds import GooglePlace, MicrosoftPlace, VaultPlace
from nhi_evidence.adapters.listing.activity import ActivityScope
from nhi_evidence.adapters.listing.entra import EntraScope, Log
from nhi_evidence.adapters.listing.google import GoogleScope
from nhi_evidence.adapters.listing.hours import ApiScope
from nhi_evidence.adapters.probing.clouds import EntraCanary, GoogleCanary
from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws import canary_roles, coverage_roles
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.aws.subscription import Subscription
from nhi_evidence.config.azure_names import ACTIVITY_CATEGORIES
from nhi_evidence.config.tables import Canaries, SourceEntry
from nhi_evidence.coverage.deployed import deployment
from nhi_evidence.errors import SettingsError
from nhi_evidence.pipeline.scope import Scope


def exporter_settings(config: Config, feed: Feed, entry: SourceEntry) -> ExporterSettings:
    """Return the settings of a feed's exporter."""
    return ExporterSettings(
        source=feed.source,
        source_buckets=(
            SourceBucket(
                bucket=feed.bucket, owner=feed.owner, prefix=feed.prefix, accounts=feed.accounts
            ),
        ),
        bucket=config.bucket(entry.evidence).bucket,
        bucket_owner=config.evidence.account,
        writer_role_arn=feed.writer_arn(config.evidence.account),
        scope=Scope(entry.scope),
        keep_out_of_scope_raw=entry.keep_out_of_scope_raw,
    )


def sealer_settings(config: Config, store: EvidenceBucket, keys: Sequence[str]) -> SealerSettings:
    """Return the settings of a bucket's sealer; `keys` are the ARNs of its signing keys."""
    return SealerSettings(
        bucket=store.bucket,
        bucket_owner=config.evidence.account,
        log_name=store.log,
        signing_keys=tuple(keys),
        retention_days=store.retention_days,
        grace_days=store.grace_days,
    )


def reconciler_settings(config: Config, store: EvidenceBucket) -> ReconcilerSettings:
    """Return the settings of the function that reconciles a bucket."""
    account = config.evidence.account
    operator = naming.operator(store.id, "recon")
    return ReconcilerSettings(
        bucket=store.bucket,
        bucket_owner=account,
        log_name=store.log,
        signing_keys=(f"alias/{naming.signing_key(store.id)}",),
        operator_role=naming.role_arn(store.region, account, operator),
        grace_days=store.grace_days,
        listings=listings(config),
    )


def listings(config: Config) -> tuple[ApiScope, ...]:
    """Return what the function that reconciles lists through the APIs of other clouds."""
    scopes: list[ApiScope] = []
    gcp, azure = config.gcp, config.azure
    if gcp is not None and gcp.reconcile_provider is not None:
        scopes += [
            GoogleScope(resource=f"projects/{project}", provider=gcp.reconcile_provider)
            for project in gcp.reconcile_projects
        ]
    if azure is not None and azure.reconcile_client_id is not None:
        client = azure.reconcile_client_id
        logs: tuple[Log, ...] = ("audit", "service_principal", "managed_identity")
        scopes += [EntraScope(azure.tenant, client, log) for log in logs if azure.entra]
        scopes += [
            ActivityScope(azure.tenant, client, subscription, ACTIVITY_CATEGORIES)
            for subscription in azure.subscriptions
        ]
    return tuple(scopes)


def coverage_settings(config: Config, store: EvidenceBucket) -> CoverageSettings:
    """Return the settings of the function that reads settings. Raises `SettingsError`."""
    table, account = config.coverage, config.evidence.account
    if table is None:
        raise SettingsError("[coverage] is missing")
    google = None
    if table.gcp_provider is not None:
        google = GooglePlace(table.gcp_provider, table.service_accounts)
    microsoft = None
    if config.azure is not None and table.azure_client_id is not None:
        microsoft = MicrosoftPlace(
            config.azure.tenant, table.azure_client_id, table.service_principals
        )
    config_role, coverage_role = (
        naming.role_arn(store.region, account, naming.operator(store.id, kind))
        for kind in coverage_roles.KINDS
    )
    return CoverageSettings(
        bucket=store.bucket,
        bucket_owner=account,
        region=store.region,
        config_role=config_role,
        coverage_role=coverage_role,
        deployment=deployment(config),
        accounts=table.accounts,
        canaries=config.canaries_of(store.name) is not None,
        identities=table.arns,
        reader_role=coverage_roles.reader_arn(store, "{account}"),
        google=google,
        microsoft=microsoft,
        vault=None
        if table.vault is None
        else VaultPlace(table.vault.address, table.vault.role, table.vault.mount),
    )


def canary_settings(config: Config, store: EvidenceBucket, canaries: Canaries) -> CanarySettings:
    """Return the settings of the function that probes; `canaries` are those of the bucket."""
    account = config.evidence.account
    return CanarySettings(
        bucket=store.bucket,
        bucket_owner=account,
        coverage_role=naming.role_arn(
            store.region, account, naming.operator(store.id, naming.PLANS)
        ),
        log_name=store.log,
        region=store.region,
        accounts=canaries.accounts,
        canary_role=canary_roles.canary_arn(store, "{account}"),
        google=_google_canary(config, store, canaries),
        entra=_entra_canary(config, canaries),
    )


def _google_canary(
    config: Config, store: EvidenceBucket, canaries: Canaries
) -> GoogleCanary | None:
    table = canaries.google
    if table is None or table.provider is None:
        return None
    function = naming.role_arn(
        store.region, config.evidence.account, naming.function(store.id, naming.CANARY)
    )
    pool = table.provider.rpartition("/providers/")[0]
    return GoogleCanary(
        project=table.project,
        account=naming.google_canary(config.id, table.project),
        provider=table.provider,
        federated=f"principal:{pool}/subject/{function}",
    )


def _entra_canary(config: Config, canaries: Canaries) -> EntraCanary | None:
    table = canaries.entra
    if table is None or table.client_id is None or table.object_id is None or not config.azure:
        return None
    return EntraCanary(config.azure.tenant, table.client_id, table.object_id)


def forwarder_settings(what: Subscription) -> ForwarderSettings:
    """Return the settings of the function that forwards."""
    return ForwarderSettings(
        bucket=what.store.bucket,
        bucket_owner=what.account,
        subscriber_bucket=what.subscriber.bucket,
        subscriber_bucket_owner=what.account,
    )
