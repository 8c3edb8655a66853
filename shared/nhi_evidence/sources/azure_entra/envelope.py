"""What a record's envelope states in every category: the category, tenant, time and ids."""

from __future__ import annotations

import msgspec

from nhi_evidence.azure.text import (
    first_instant,
    non_empty,
    provider_of,
    subscription_of,
    tenant_of,
)
from nhi_evidence.event import Logged, Rejection
from nhi_evidence.sources.azure_entra.record import Envelope

_PROVIDER = "Azure"
_ENTRA = "Microsoft Entra ID"

AUDIT_LOGS = "AuditLogs"
GRAPH_LOGS = "MicrosoftGraphActivityLogs"
SIGN_IN_LOGS = "SignInLogs"
NON_INTERACTIVE_LOGS = "NonInteractiveUserSignInLogs"
PROVIDERS = frozenset({"microsoft.aadiam", "microsoft.authorization"})
"""The providers of these categories: other services have an `AuditLogs` of their own."""
CATEGORIES = (
    AUDIT_LOGS,
    "ManagedIdentitySignInLogs",
    GRAPH_LOGS,
    "MicrosoftServicePrincipalSignInLogs",
    "NonInteractiveUserSignInLogs",
    "ServicePrincipalSignInLogs",
    "SignInLogs",
)
"""The diagnostic settings categories that this pack reads."""

_BY_NAME = {name.lower(): name for name in CATEGORIES} | {
    "signinlogs": "SignInLogs",
    "aadnoninteractiveusersigninlogs": "NonInteractiveUserSignInLogs",
    "aadserviceprincipalsigninlogs": "ServicePrincipalSignInLogs",
    "aadmanagedidentitysigninlogs": "ManagedIdentitySignInLogs",
}
"""Category by its name, or by the table of a Log Analytics row, in lower case."""
BY_EVENT_TYPE = {
    "interactiveuser": "SignInLogs",
    "noninteractiveuser": "NonInteractiveUserSignInLogs",
    "serviceprincipal": "ServicePrincipalSignInLogs",
    "managedidentity": "ManagedIdentitySignInLogs",
}
"""Category by `signInEventTypes` of a Microsoft Graph object, in lower case."""


class EnvelopeView(msgspec.Struct, frozen=True):
    """A record's envelope, and what could not be read in it."""

    envelope: Envelope
    unusable: tuple[str, ...]

    @property
    def category(self) -> str | None:
        """The category in the record's own words."""
        return non_empty(self.envelope.category) or non_empty(self.envelope.type)

    @property
    def provider(self) -> str | None:
        """The resource provider as the resource id spells it; a flat record has none."""
        return provider_of(self.envelope.resourceId)

    @property
    def is_of_another_service(self) -> bool:
        """Whether a record is about a subscription's resource of another provider.

        Entra's logs belong to a tenant, but role assignments name their subscription.
        """
        provider, resource = (self.provider or "").lower(), self.envelope.resourceId
        return (
            bool(provider) and provider not in PROVIDERS and subscription_of(resource) is not None
        )

    @property
    def known_category(self) -> str | None:
        """The category as this pack spells it, if the envelope's category or table is known."""
        for name in (self.envelope.category, self.envelope.type):
            known = _BY_NAME.get((name or "").strip().lower())
            if known is not None:
                return known
        return None

    @property
    def tenant(self) -> str | None:
        """The tenant in whose log the record was written."""
        envelope = self.envelope
        is_row = envelope.type is not None or envelope.aadTenantId is not None
        return (
            non_empty(envelope.aadTenantId)
            or (None if is_row else non_empty(envelope.tenantId))
            or non_empty(tenant_of(envelope.resourceId))
        )

    def time(self, own: str | None) -> tuple[int, str] | Rejection:
        """Return the first readable time, the record's own before the envelope's."""
        candidates = (own, self.envelope.time, self.envelope.timeGenerated)
        return first_instant(candidates, is_unusable="time" in self.unusable)

    def logged(
        self,
        record_class: str,
        *,
        uid: str | None,
        correlation_uid: str | None,
        event_code: str | None,
        region: str | None = None,
    ) -> Logged:
        """Return where the record was logged, and as what."""
        version = self.envelope.operationVersion
        return Logged(
            provider=_PROVIDER,
            product=_ENTRA,
            record_class=record_class,
            event_code=event_code,
            version=None if version is None else str(version),
            uid=uid,
            correlation_uid=non_empty(self.envelope.correlationId) or correlation_uid,
            account=self.tenant,
            region=region,
        )
