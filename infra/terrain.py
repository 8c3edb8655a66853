"""Every stack of Google Cloud and Azure, from one configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infra.aws.environment import variables
from infra.azure.names import HUB
from infra.azure.site_template import HUB_CREATED
from infra.azure.stacks import AzureExportStack, AzureIdentityStack
from infra.bundle import BUILD, Bundle, archive, stage
from infra.gcp.build_source import build_source
from infra.gcp.names import (
    FILES_TOPIC,
    PREFIX,
    PROJECT_NUMBER,
    TOPIC,
    staging_bucket,
    topic_path,
)
from infra.gcp.stacks import GcpExportStack, GcpIdentityStack
from infra.teardown import Teardown
from nhi_evidence.adapters.azure import exporter as azure_exporter
from nhi_evidence.adapters.gcp import exporter as gcp_exporter
from nhi_evidence.adapters.gcp import gcs_source
from nhi_evidence.config import Config, naming
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE, Azure, Gcp, SourceEntry
from nhi_evidence.pipeline.scope import Scope

import cdktn  # isort: skip


def compose(
    app: cdktn.App,
    config: Config,
    *,
    staged: Callable[[str], Bundle] = stage,
    build: Path = BUILD,
    teardown: Teardown = Teardown.NONE,
) -> None:
    """Add the stacks of each cloud the configuration has to `app`.

    `staged` gives the bundle of a function; its archive is written under `build`.
    """
    if config.gcp is not None:
        _compose_gcp(
            app,
            config,
            config.gcp,
            bundle=staged("gcp_export"),
            build=build,
            teardown=teardown,
        )
    if config.azure is not None:
        _compose_azure(
            app,
            config,
            config.azure,
            bundle=staged("azure_export"),
            build=build,
            teardown=teardown,
        )


def _compose_gcp(
    app: cdktn.App, config: Config, gcp: Gcp, *, bundle: Bundle, build: Path, teardown: Teardown
) -> None:
    GcpIdentityStack(app, "gcp-identity", gcp=gcp)
    GcpExportStack(
        app,
        "gcp-export",
        gcp=gcp,
        declared=bundle.declaration,
        package=build_source(bundle, build),
        environment=variables(gcp_settings(config, gcp)),
        alarm_email=config.alarms.email,
        silence_hours=_entry(config, GCP_SOURCE).silence_hours,
        teardown=teardown,
    )


def _compose_azure(
    app: cdktn.App,
    config: Config,
    azure: Azure,
    *,
    bundle: Bundle,
    build: Path,
    teardown: Teardown,
) -> None:
    AzureIdentityStack(app, "azure-identity", azure=azure)
    AzureExportStack(
        app,
        "azure-export",
        azure=azure,
        declared=bundle.declaration,
        package=_packed(bundle, build),
        environment=variables(azure_settings(config, azure)),
        alarm_email=config.alarms.email,
        silence_hours=_entry(config, AZURE_SOURCE).silence_hours,
        teardown=teardown,
    )


def _packed(bundle: Bundle, build: Path) -> Path:
    """Return the archive of a bundle, which is named by its content and so made once."""
    path = build / f"{bundle.path.name}.zip"
    return path if path.exists() else archive(bundle, path)


def gcp_settings(config: Config, gcp: Gcp) -> gcp_exporter.Settings:
    """Return what the exporter is told: files or messages, of this project's own and no other."""
    entry = _entry(config, GCP_SOURCE)
    store = config.bucket(entry.evidence)
    files = gcs_source.SourceBucket(
        bucket=staging_bucket(gcp.project), prefix=PREFIX, project_number=PROJECT_NUMBER
    )
    by_files = gcp.delivery == "files"
    return gcp_exporter.Settings(
        source=GCP_SOURCE,
        source_buckets=(files,) if by_files else (),
        announcing_topics=(topic_path(gcp.project, FILES_TOPIC),) if by_files else (),
        source_topics=() if by_files else (topic_path(gcp.project, TOPIC),),
        bucket=store.bucket,
        bucket_owner=config.evidence.account,
        bucket_region=store.region,
        writer_role_arn=_writer(config, entry),
        audience=gcp.audience,
        scope=Scope(entry.scope),
        keep_out_of_scope_raw=entry.keep_out_of_scope_raw,
        project=gcp.project,
    )


def azure_settings(config: Config, azure: Azure) -> azure_exporter.Settings:
    """Return what the exporter is told; what only Azure knows, as the template's expressions."""
    entry = _entry(config, AZURE_SOURCE)
    store = config.bucket(entry.evidence)
    return azure_exporter.Settings(
        hub_namespace="[parameters('namespace')]",
        hub=HUB,
        hub_creation_id=HUB_CREATED,
        bucket=store.bucket,
        bucket_owner=config.evidence.account,
        bucket_region=store.region,
        writer_role_arn=_writer(config, entry),
        token_audience=azure.audience,
        identity_client_id="[parameters('clientId')]",
        scope=Scope(entry.scope),
        keep_out_of_scope_raw=entry.keep_out_of_scope_raw,
    )


def _entry(config: Config, source: str) -> SourceEntry:
    """Return the source of a cloud: the configuration has exactly one where it has the cloud."""
    return next(one for one in config.sources if one.source == source)


def _writer(config: Config, entry: SourceEntry) -> str:
    store = config.bucket(entry.evidence)
    return naming.role_arn(
        store.region, config.evidence.account, naming.writer(store.name, entry.source)
    )
