"""What no emulator has of signatures, of tokens taken across clouds, and of published code.

Asked of what is there because it happened: a checkpoint that the sealer signed, evidence that an
exporter of another cloud wrote, a listing that a function of the evidence account fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from nhi_evidence.adapters.azure import resource_ids
from nhi_evidence.config import Config, azure_names
from nhi_evidence.config.aws.key_policy import signing_keys
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE
from nhi_evidence.evidence import note
from nhi_evidence.evidence.checkpoint import read_signed
from tests.conform.estate_facts import NOT_ASKED, EstateFact, Live
from tests.conform.reconciled_facts import statements_on

SIGNING = "signing RAW"
"""The one fact that is asked of a trial key (`--kms-key`), or of an estate."""


def signed_checkpoint(live: Live, config: Config) -> str:
    """Whether each key of the log signed the newest checkpoint itself, by its public half."""
    store = config.evidence.buckets[0]
    s3, kms = live.client("s3"), live.client("kms")
    year = f"{datetime.now(UTC):%Y}"
    newest = _newest(s3, store.bucket, f"log/v1/{year}/checkpoint/")
    if newest is None:
        return f"{NOT_ASKED}no checkpoint of this year"
    body = s3.get_object(Bucket=store.bucket, Key=newest)["Body"].read()
    origin = f"{store.log}/{year}"
    try:
        keys = [
            note.from_spki(origin, kms.get_public_key(KeyId=f"alias/{each.alias}")["PublicKey"])
            for each in signing_keys(config, store)
        ]
        signers = read_signed(body, keys, origin).signers
    except note.NoteError as error:
        return f"{newest}: {error}"
    return "every key" if {*signers} == {*keys} else f"{len(signers)} of {len(keys)} keys"


def _newest(s3: Any, bucket: str, prefix: str) -> str | None:
    newest = ""
    while True:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, StartAfter=newest)
        keys = [str(each["Key"]) for each in listed.get("Contents", [])]
        newest = keys[-1] if keys else newest
        if not keys or not listed.get("IsTruncated"):
            return newest or None


def _written(source: str) -> Callable[[Live, Config], str]:
    """Return the question whether an exporter of another cloud has written."""

    def ask(live: Live, config: Config) -> str:
        if source not in {each.source for each in config.sources}:
            return f"{NOT_ASKED}no source {source} in this configuration"
        store = next(each.evidence for each in config.sources if each.source == source)
        bucket = config.bucket(store).bucket
        prefix = f"ev/v1/{source}/"
        listed = live.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        return "evidence" if listed.get("Contents") else "none"

    return ask


def google_listing(live: Live, config: Config) -> str:
    """Whether a listing of Google's was fetched with a token that AWS vouched for."""
    if config.gcp is None or config.gcp.reconcile_provider is None:
        return f"{NOT_ASKED}no reconcile_provider of [gcp]"
    return _listed(live, config, GCP_SOURCE)


def azure_listing(live: Live, config: Config) -> str:
    """Whether a listing of Resource Manager's was, for the Activity Log."""
    if config.azure is None or config.azure.reconcile_client_id is None:
        return f"{NOT_ASKED}no reconcile_client_id of [azure]"
    return _listed(live, config, "azure_activity")


def _listed(live: Live, config: Config, source: str) -> str:
    store = config.evidence.buckets[0]
    reasons = [each.reasons for each in statements_on(live.client("s3"), store.bucket, source)]
    if not reasons:
        return f"{NOT_ASKED}no statement on {source} in the last days"
    if any(not {"not_asked", "refused"} & {*each} for each in reasons):
        return "a listing"
    return ", ".join(sorted({code for each in reasons for code in each}))


_DIGEST = re.compile(r"sha|md5|digest|hash|checksum", re.IGNORECASE)


def code_digests(live: Live, config: Config) -> str:
    """Name what Azure states of published code that looks like its digest."""
    if config.azure is None:
        return f"{NOT_ASKED}no Azure in this configuration"
    site = f"https://management.azure.com{resource_ids.site(config.azure.home)}"
    commands: list[tuple[str, ...]] = [
        ("az", "rest", "--method", "get", "--url", f"{site}{part}?api-version=2024-04-01")
        for part in ("", "/deployments")
    ]
    commands.append(
        ("az", "storage", "blob", "list", "--auth-mode", "login", "--output", "json",
         "--account-name", azure_names.storage_name(config.azure.home), "--container-name",
         "packages")
    )  # fmt: skip
    stated: set[str] = set()
    for command in commands:
        printed = live.run(*command)
        try:
            stated |= {path for path in _named(json.loads(printed), "") if _DIGEST.search(path)}
        except ValueError:
            return printed if printed.startswith(NOT_ASKED) else f"{NOT_ASKED}{printed}"
    return ", ".join(sorted(stated)) or "none"


def _named(value: Any, path: str) -> Iterator[str]:
    """Yield the path of every value that is there."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _named(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, path)
    elif value not in (None, "", False, 0):
        yield path


EXCHANGED = (
    EstateFact(
        SIGNING,
        "every key",
        "KMS signs the checkpoint itself, by MessageType RAW, and the log is read by public keys",
        "an auditor of the evidence account, once a checkpoint is there",
        signed_checkpoint,
    ),
    EstateFact(
        "AWS takes the token of Google's function for its writer role",
        "evidence",
        "the trust names accounts.google.com, subject and audience; emulators verify no token",
        "an auditor of the evidence account, an hour after `make deploy-gcp`",
        _written(GCP_SOURCE),
    ),
    EstateFact(
        "AWS takes the token of Azure's function for its writer role",
        "evidence",
        "the trust names the tenant's issuer, subject and audience; emulators verify no token",
        "an auditor of the evidence account, an hour after `make deploy-azure`",
        _written(AZURE_SOURCE),
    ),
    EstateFact(
        "Google takes the token of an AWS function",
        "a listing",
        "the pool trusts token_issuer and the function's role; Google's exchange is asked nowhere",
        "an auditor of the evidence account, a day after reconcile_provider is deployed",
        google_listing,
    ),
    EstateFact(
        "Entra takes the token of an AWS function",
        "a listing",
        "a federated credential names token_issuer and role; Entra's exchange is asked nowhere",
        "an auditor of the evidence account, a day after reconcile_client_id is deployed",
        azure_listing,
    ),
    EstateFact(
        "Azure states no digest of published code",
        "none",
        "the doctor calls the code of Azure's function not seen; with a digest it could compare",
        "az, with Storage Blob Data Reader on the host's storage",
        code_digests,
    ),
)
