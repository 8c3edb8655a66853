"""Settings of the exporters in Google Cloud and Azure, for the stacks and for the doctor."""

from __future__ import annotations

from nhi_evidence.adapters.azure import exporter as azure_exporter
from nhi_evidence.adapters.gcp import exporter as gcp_exporter
from nhi_evidence.adapters.gcp import gcs_source
from nhi_evidence.config import Config, azure_names, gcp_names, naming
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE, Azure, Gcp, SourceEntry
from nhi_evidence.pipeline.scope import Scope


def google(config: Config, gcp: Gcp, *, project_number: str) -> gcp_exporter.Settings:
    """Return the exporter's settings: files or messages, from this project only."""
    entry = _entry(config, GCP_SOURCE)
    store = config.bucket(entry.evidence)
    files = gcs_source.SourceBucket(
        bucket=gcp_names.staging_bucket(gcp.project),
        prefix=gcp_names.PREFIX,
        project_number=project_number,
    )
    announcing = gcp_names.topic_path(gcp.project, gcp_names.FILES_TOPIC)
    messages = gcp_names.topic_path(gcp.project, gcp_names.TOPIC)
    by_files = gcp.delivery == "files"
    return gcp_exporter.Settings(
        source=GCP_SOURCE,
        source_buckets=(files,) if by_files else (),
        announcing_topics=(announcing,) if by_files else (),
        source_topics=() if by_files else (messages,),
        bucket=store.bucket,
        bucket_owner=config.evidence.account,
        bucket_region=store.region,
        writer_role_arn=_writer(config, entry),
        audience=gcp.audience,
        scope=Scope(entry.scope),
        keep_out_of_scope_raw=entry.keep_out_of_scope_raw,
        project=gcp.project,
    )


def azure(
    config: Config, azure: Azure, *, namespace: str, creation_id: str, client_id: str
) -> azure_exporter.Settings:
    """Return the exporter's settings; the last three arguments are only known to Azure."""
    entry = _entry(config, AZURE_SOURCE)
    store = config.bucket(entry.evidence)
    return azure_exporter.Settings(
        hub_namespace=namespace,
        hub=azure_names.HUB,
        hub_creation_id=creation_id,
        bucket=store.bucket,
        bucket_owner=config.evidence.account,
        bucket_region=store.region,
        writer_role_arn=_writer(config, entry),
        token_audience=azure.audience,
        identity_client_id=client_id,
        scope=Scope(entry.scope),
        keep_out_of_scope_raw=entry.keep_out_of_scope_raw,
    )


def _entry(config: Config, source: str) -> SourceEntry:
    """Return the source of a cloud: the configuration has exactly one if it has the cloud."""
    return next(one for one in config.sources if one.source == source)


def _writer(config: Config, entry: SourceEntry) -> str:
    store = config.bucket(entry.evidence)
    return naming.role_arn(
        store.region, config.evidence.account, naming.writer(store.id, entry.source)
    )
