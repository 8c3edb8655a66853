"""Consistency of `[azure]`: which of its subscriptions holds what is deployed."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File


def subscriptions_fit(file: File) -> Iterator[tuple[Path, str]]:
    """Yield what contradicts the subscription that holds what is deployed."""
    azure = file.azure
    if azure is None:
        return
    if azure.subscription is None and len({*azure.subscriptions}) > 1:
        yield (
            ("azure", "subscriptions"),
            'has several: say which one holds what is deployed, with subscription = "..."',
        )
    if azure.subscription is not None and azure.subscription not in azure.subscriptions:
        yield (
            ("azure", "subscription"),
            "is not in subscriptions: add it there, so that its own Activity Log is exported",
        )
