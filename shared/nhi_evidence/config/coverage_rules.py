"""Consistency of `[coverage]` with the rest of a configuration."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence import sources
from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File

_VAULT = "vault"


def coverage_fits(file: File) -> Iterator[tuple[Path, str]]:
    """Yield what in `[coverage]` contradicts the rest of the file."""
    if file.coverage is None:
        return
    accounts = file.coverage.accounts
    for at, account in enumerate(accounts):
        path: Path = ("coverage", "accounts", at)
        if account == file.evidence.account:
            yield path, "is the evidence account, where there is nothing to record: remove it"
    for at, arn in enumerate(file.coverage.identities):
        if arn.startswith("arn:") and arn.split(":")[4] not in accounts:
            path = ("coverage", "identities", at)
            yield path, f"is in {arn.split(':')[4]}, which is not in accounts: add it there"
    for key, section in (("gcp_provider", "gcp"), ("azure_client_id", "azure")):
        if getattr(file.coverage, key) is not None and getattr(file, section) is None:
            yield ("coverage", key), f"needs the table [{section}]: add it, or remove this"
    if file.coverage.vault is not None:
        yield from _is_taken(file)


def _is_taken(file: File) -> Iterator[tuple[Path, str]]:
    taken = {entry.source for entry in file.sources}
    takers = [name for name in sources.names() if _VAULT in sources.platforms(name)]
    if taken.isdisjoint(takers):
        named = " or ".join(f'"{name}"' for name in takers)
        yield (
            ("coverage", "vault"),
            f"no source uses it: add [[sources]] with source = {named}, or remove it",
        )
