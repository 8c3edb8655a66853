"""Consistency of lists: nothing is named twice, and nothing is named for a list that is empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File


def lists_fit(file: File) -> Iterator[tuple[Path, str]]:
    """Yield each value that a list has before, and a provider through which nothing is listed."""
    for path, values in _lists(file):
        for at, value in enumerate(values):
            if value.lower() in {one.lower() for one in values[:at]}:
                yield (*path, at), f'"{value}" is listed twice: remove one'
    gcp = file.gcp
    if gcp is not None and gcp.reconcile_provider is not None and not gcp.reconcile_projects:
        yield (
            ("gcp", "reconcile_provider"),
            "lists nothing without reconcile_projects: name the projects there, or remove it",
        )


def _lists(file: File) -> Iterator[tuple[Path, Sequence[str]]]:
    for at, trail in enumerate(file.trails):
        yield ("trails", at, "accounts"), trail.accounts
        yield ("trails", at, "data_events"), trail.data_events or ()
    for at, entry in enumerate(file.sources):
        for position, stream in enumerate(entry.streams):
            yield ("sources", at, "streams", position, "accounts"), stream.accounts
    for at, auditor in enumerate(file.auditors):
        yield ("auditors", at, "principals"), auditor.principals
    for at, subscriber in enumerate(file.subscribers):
        yield ("subscribers", at, "principals"), subscriber.principals
    if file.gcp is not None:
        yield ("gcp", "data_access"), file.gcp.data_access
        yield ("gcp", "reconcile_projects"), file.gcp.reconcile_projects
    if file.azure is not None:
        yield ("azure", "subscriptions"), file.azure.subscriptions
        yield ("azure", "resource_types"), file.azure.resource_types
    if file.coverage is not None:
        yield ("coverage", "identities"), file.coverage.identities
    if file.guardrails is not None:
        for key in ("targets", "pipeline_roles", "pipeline_principals"):
            yield ("guardrails", key), getattr(file.guardrails, key)
