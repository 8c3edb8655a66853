"""From the configuration to what is deployed where: pure values the stacks are made of."""

from __future__ import annotations

from collections.abc import Mapping

from infra.aws.feed import Feed, Notifies
from infra.aws.web_identity import entra_issuer, entra_trust, google_trust
from nhi_evidence import sources
from nhi_evidence.adapters.aws.exporter import Settings as ExporterSettings
from nhi_evidence.adapters.aws.s3_source import SourceBucket
from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.documents import Statement, role_trust
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE, Files, SourceEntry, Trail
from nhi_evidence.errors import SettingsError
from nhi_evidence.pipeline.scope import Scope


def feeds(config: Config) -> tuple[tuple[Feed, SourceEntry], ...]:
    """Return every feed of files, with the entry that asks for it."""
    return tuple(
        (_feed(config, entry), entry)
        for entry in config.sources
        if entry.trail is not None or entry.files is not None
    )


def log_format(source: str) -> str | None:
    """Return the format a source's log has to be written in, where whoever logs chooses one."""
    try:
        return sources.table(source, "log_format.json").decode().strip()
    except SettingsError:
        return None


def exporter_settings(config: Config, feed: Feed, entry: SourceEntry) -> ExporterSettings:
    """Return what the exporter of a feed is told."""
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


def writer_trusts(config: Config, store: EvidenceBucket) -> Mapping[str, list[Statement]]:
    """Return each source kept in a bucket with whom its writer role trusts.

    A source outside AWS whose writer is not known yet is left out: a role nobody may take is made
    when somebody may.
    """
    exporters: dict[str, list[str]] = {}
    for feed, entry in feeds(config):
        if entry.evidence == store.name:
            exporters.setdefault(feed.source, []).append(feed.role_arn)
    condition = {"StringEquals": {"aws:PrincipalOrgID": config.organization.id}}
    trusts = {
        source: [role_trust("Exporter", arns, condition)] for source, arns in exporters.items()
    }
    for entry in config.sources_in(store.name):
        statement = _web_trust(config, store, entry.source)
        if statement is not None:
            trusts[entry.source] = [statement]
    return trusts


def operator_trust(config: Config, store: EvidenceBucket, function: str) -> Statement:
    """Return trust in one function of the evidence account, by the name it is deployed under."""
    arn = naming.role_arn(
        store.region, config.evidence.account, naming.function(store.name, function)
    )
    return role_trust(
        "Operator", [arn], {"StringEquals": {"aws:PrincipalOrgID": config.organization.id}}
    )


def web_identities(config: Config) -> Mapping[str, str]:
    """Return the subject key of each provider with the one subject that is known."""
    known: dict[str, str] = {}
    if config.gcp is not None and config.gcp.service_account_id is not None:
        known["accounts.google.com:sub"] = config.gcp.service_account_id
    if config.azure is not None and config.azure.managed_identity_object_id is not None:
        issuer = entra_issuer(config.azure.tenant)
        known[f"{issuer}:sub"] = config.azure.managed_identity_object_id
    return known


def _web_trust(config: Config, store: EvidenceBucket, source: str) -> Statement | None:
    gcp, azure = config.gcp, config.azure
    if source == GCP_SOURCE and gcp is not None and gcp.service_account_id is not None:
        return google_trust(service_account_id=gcp.service_account_id, audience=gcp.audience)
    if source == AZURE_SOURCE and azure is not None and azure.managed_identity_object_id:
        return entra_trust(
            region=store.region,
            account=config.evidence.account,
            tenant=azure.tenant,
            object_id=azure.managed_identity_object_id,
            audience=azure.audience,
        )
    return None


def _feed(config: Config, entry: SourceEntry) -> Feed:
    if entry.trail is not None:
        return _trail_feed(config, entry, config.trail(entry.trail))
    if entry.files is not None:
        return _files_feed(config, entry, entry.files)
    raise ValueError(f"{entry.source} comes neither from a trail nor as files")


def _trail_feed(config: Config, entry: SourceEntry, trail: Trail) -> Feed:
    here = config.log_archive.account
    made: Notifies = "new-bucket" if trail.kind == "new" else "existing-bucket"
    return Feed(
        source=entry.source,
        store=entry.evidence,
        name=trail.name,
        account=here,
        region=trail.region,
        bucket=trail.bucket,
        owner=here,
        # Files of an organization trail lie under its organization's id: no other's are read.
        prefix=f"{trail.prefix}AWSLogs/{config.organization.id}/",
        accounts=trail.accounts,
        kms_key=trail.kms_key,
        topic=trail.topic,
        notifies=made if trail.topic is None else "topic",
    )


def _files_feed(config: Config, entry: SourceEntry, files: Files) -> Feed:
    here = config.log_archive.account
    owned: Notifies = "existing-bucket" if files.account == here else "elsewhere"
    return Feed(
        source=entry.source,
        store=entry.evidence,
        name=files.bucket,
        account=here,
        region=files.region,
        bucket=files.bucket,
        owner=files.account,
        prefix=files.prefix,
        kms_key=files.kms_key,
        topic=files.topic,
        notifies=owned if files.topic is None else "topic",
    )
