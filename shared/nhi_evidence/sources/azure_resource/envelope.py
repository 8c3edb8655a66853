"""What a record's envelope states in every category: the category, time and subscription."""

from __future__ import annotations

import msgspec

from nhi_evidence.azure.text import first_instant, non_empty, provider_of, subscription_of
from nhi_evidence.event import Logged, Rejection
from nhi_evidence.sources.azure_resource.record import Envelope

_PROVIDER = "Azure"

KEY_VAULT = ("AuditEvent",)
STORAGE = ("StorageDelete", "StorageRead", "StorageWrite")
KUBERNETES = ("kube-audit", "kube-audit-admin")
PROVIDERS = {
    **dict.fromkeys(KEY_VAULT, ("microsoft.keyvault",)),
    **dict.fromkeys(STORAGE, ("microsoft.storage",)),
    **dict.fromkeys(KUBERNETES, ("microsoft.containerservice", "microsoft.kubernetes")),
}
"""The providers of each category: other services use the same names for other logs."""
CATEGORIES = (*KEY_VAULT, *STORAGE, *KUBERNETES)
"""The diagnostic settings categories that this pack reads."""


class EnvelopeView(msgspec.Struct, frozen=True):
    """A record's envelope, and what could not be read in it."""

    envelope: Envelope
    unusable: tuple[str, ...]

    @property
    def category(self) -> str:
        """The category, in lower case; empty if the record states none."""
        return (self.envelope.category or "").strip().lower()

    @property
    def provider(self) -> str | None:
        """The resource provider as the resource id spells it."""
        return provider_of(self.envelope.resourceId)

    def time(self, *own: str | None) -> tuple[int, str] | Rejection:
        """Return the first readable time, the record's own before the envelope's."""
        candidates = (*own, self.envelope.time)
        return first_instant(candidates, is_unusable="time" in self.unusable)

    def operation(self) -> str | Rejection:
        """Return the operation, or a rejection if the record names none."""
        name = self.envelope.operationName
        return name if name and name.strip() else Rejection("event_name_missing")

    def logged(
        self,
        product: str,
        record_class: str,
        *,
        uid: str | None = None,
        event_code: str | None = None,
        correlation_uid: str | None = None,
        version: str | None = None,
    ) -> Logged:
        """Return where the record was logged, and as what."""
        return Logged(
            provider=_PROVIDER,
            product=product,
            record_class=record_class,
            event_code=event_code or self.envelope.category,
            version=version,
            uid=uid,
            correlation_uid=correlation_uid or non_empty(self.envelope.correlationId),
            account=subscription_of(self.envelope.resourceId),
            region=non_empty(self.envelope.location),
        )

    @property
    def api_version(self) -> str | None:
        """The API version that the caller asked for."""
        version = self.envelope.operationVersion
        return str(version) if version not in (None, "") else None
