"""Every stack of Google Cloud and Azure, from one configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infra.aws.environment import variables
from infra.azure.site_template import HUB_CREATED
from infra.azure.stacks import AzureExportStack, AzureIdentityStack
from infra.bundle import BUILD, Bundle, packed, stage
from infra.gcp.build_source import build_source
from infra.gcp.names import (
    PROJECT_NUMBER,
)
from infra.gcp.stacks import GcpExportStack, GcpIdentityStack
from infra.teardown import Teardown
from nhi_evidence.adapters import cloud_settings
from nhi_evidence.adapters.azure import exporter as azure_exporter
from nhi_evidence.adapters.gcp import exporter as gcp_exporter
from nhi_evidence.config import Config, federated
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE, Azure, Gcp, SourceEntry

import cdktn  # isort: skip


def compose(
    app: cdktn.App,
    config: Config,
    *,
    staged: Callable[[str], Bundle] = stage,
    build: Path = BUILD,
    teardown: Teardown = Teardown.NONE,
) -> dict[str, Path]:
    """Add the stacks of each configured cloud to `app`; return each function's archive.

    `staged` returns the bundle of a function; its archive is written under `build`.
    """
    packages: dict[str, Path] = {}
    if config.gcp is not None:
        packages["gcp_export"] = _compose_gcp(
            app,
            config,
            config.gcp,
            bundle=staged("gcp_export"),
            build=build,
            teardown=teardown,
        )
    if config.azure is not None:
        packages["azure_export"] = _compose_azure(
            app,
            config,
            config.azure,
            bundle=staged("azure_export"),
            build=build,
            teardown=teardown,
        )
    return packages


def _compose_gcp(
    app: cdktn.App, config: Config, gcp: Gcp, *, bundle: Bundle, build: Path, teardown: Teardown
) -> Path:
    package = build_source(bundle, build)
    GcpIdentityStack(
        app,
        "gcp-identity",
        deployment=config.id,
        gcp=gcp,
        issuer=config.evidence.token_issuer,
        subjects=federated.subjects(config, lists=bool(gcp.reconcile_projects)),
        canaries=federated.google_canaries(config),
    )
    GcpExportStack(
        app,
        "gcp-export",
        deployment=config.id,
        gcp=gcp,
        declared=bundle.declaration,
        package=package,
        environment=variables(gcp_settings(config, gcp)),
        alarm_email=config.alarms.email,
        silence_hours=_entry(config, GCP_SOURCE).silence_hours,
        teardown=teardown,
    )
    return package


def _compose_azure(
    app: cdktn.App,
    config: Config,
    azure: Azure,
    *,
    bundle: Bundle,
    build: Path,
    teardown: Teardown,
) -> Path:
    package = packed(bundle, build)
    AzureIdentityStack(
        app,
        "azure-identity",
        deployment=config.id,
        azure=azure,
        issuer=config.evidence.token_issuer,
        subjects=federated.subjects(config),
        canaries=federated.entra_canaries(config),
    )
    AzureExportStack(
        app,
        "azure-export",
        deployment=config.id,
        azure=azure,
        declared=bundle.declaration,
        package=package,
        environment=variables(azure_settings(config, azure)),
        alarm_email=config.alarms.email,
        silence_hours=_entry(config, AZURE_SOURCE).silence_hours,
        teardown=teardown,
    )
    return package


def gcp_settings(config: Config, gcp: Gcp) -> gcp_exporter.Settings:
    """Return the exporter's settings, with the project's number as a Terraform reference."""
    return cloud_settings.google(config, gcp, project_number=PROJECT_NUMBER)


def azure_settings(config: Config, azure: Azure) -> azure_exporter.Settings:
    """Return the exporter's settings, with what only Azure knows as template expressions."""
    return cloud_settings.azure(
        config,
        azure,
        namespace="[parameters('namespace')]",
        creation_id=HUB_CREATED,
        client_id="[parameters('clientId')]",
    )


def _entry(config: Config, source: str) -> SourceEntry:
    """Return the source of a cloud: a configuration with that cloud has exactly one."""
    return next(one for one in config.sources if one.source == source)
