"""An audit record -> Event: who changed what in the directory."""

from __future__ import annotations

import re

import msgspec

from nhi_evidence.azure.text import endpoint, non_empty, subscription_of
from nhi_evidence.event import About, Account, Actor, Call, Event, Rejection, Target, User
from nhi_evidence.identity import with_unusable
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.reading.lenient_decoder import LenientDecoder, decode_leniently, nested
from nhi_evidence.sources.azure_entra import identity, outcome
from nhi_evidence.sources.azure_entra.changes import changes
from nhi_evidence.sources.azure_entra.envelope import AUDIT_LOGS, EnvelopeView
from nhi_evidence.sources.azure_entra.record import (
    AUDIT,
    EMPTY,
    Audit,
    Detail,
    InitiatingApp,
    InitiatingUser,
    Initiator,
    properties,
)
from nhi_evidence.sources.azure_entra.targets import about, read_targets

_DASHES = re.compile("[\u2010-\u2015\u2212]")
_USER_TYPE_USER, _USER_TYPE_SERVICE = 1, 4
_USER_AGENT = "user-agent"

_initiator = LenientDecoder(Initiator, fold_case=True)
_encode = msgspec.json.Encoder().encode


def is_audit(view: EnvelopeView, raw: bytes) -> bool:
    """Whether a record without a known category is shaped like an audit record."""
    audit, _ = properties(view.envelope, raw, AUDIT)
    return audit.activityDisplayName is not None and (
        bool(bytes(audit.initiatedBy)) or bool(bytes(audit.targetResources))
    )


def event(view: EnvelopeView, raw: bytes) -> Event | Rejection:
    """Return the event that an audit record states, or why it states none.

    Raises as `msgspec.json.decode` does when a slice cannot be decoded.
    """
    audit, unusable = properties(view.envelope, raw, AUDIT)
    time = view.time(audit.activityDateTime)
    if isinstance(time, Rejection):
        return time
    name = audit.activityDisplayName or view.envelope.operationName
    if not name or not name.strip():
        return Rejection("event_name_missing")
    initiator, misshapen = _read_initiator(audit)
    targets, unreadable = read_targets(audit)
    changed = changes(targets)
    verdict, hops = identity.of_initiator(initiator, view.tenant)
    user, app = initiator.user or InitiatingUser(), initiator.app or InitiatingApp()
    return Event(
        time=time[0],
        original_time=time[1],
        logged=view.logged(
            "audit",
            uid=non_empty(audit.id),
            correlation_uid=non_empty(audit.correlationId),
            event_code=view.category,
        ),
        call=Call(
            service=AUDIT_LOGS,
            service_name=audit.loggedByService or view.category or name,
            operation=operation_key(name),
            operation_name=name,
            source=endpoint(non_empty(user.ipAddress) or non_empty(view.envelope.callerIpAddress)),
            user_agent=non_empty(audit.userAgent) or _user_agent(audit),
        ),
        actor=Actor(
            identity=with_unusable(verdict, (*view.unusable, *unusable, *misshapen, *unreadable)),
            user=_principal(initiator, view.tenant),
            hops=hops,
            app_uid=non_empty(app.appId),
            app_name=non_empty(app.displayName),
        ),
        about=_about(view, about(targets, changed, view.tenant)),
        outcome=outcome.of_audit(view.envelope, audit),
        request=msgspec.Raw(_encode(changed)) if changed else None,
    )


def _about(view: EnvelopeView, listed: About) -> About:
    """Fall back to the envelope's resource if no target is listed, as for elevated access."""
    resource = non_empty(view.envelope.resourceId)
    if listed.targets or resource is None or subscription_of(resource) is None:
        return listed
    return msgspec.structs.replace(listed, targets=(Target(uid=resource),))


@bounded_cache(results=1024, longest=256)
def operation_key(name: str) -> str:
    """Spell an activity as in the catalog: plain hyphens, single spaces, none at the ends.

    `Update application - Certificates and secrets management` is logged with an en dash (U+2013)
    and a trailing space.
    """
    return " ".join(_DASHES.sub("-", name).split())


def _read_initiator(audit: Audit) -> tuple[Initiator, tuple[str, ...]]:
    if bytes(audit.initiatedBy) in {bytes(EMPTY), b"null"}:
        return Initiator(), ()
    try:
        return _initiator.part_leniently(nested(audit.initiatedBy), "initiatedBy")
    except msgspec.ValidationError:
        return Initiator(), ("initiatedBy",)


def _principal(initiator: Initiator, tenant: str | None) -> User | None:
    user, app = initiator.user, initiator.app
    if user is not None and (non_empty(user.id) or non_empty(user.userPrincipalName)):
        home = non_empty(user.homeTenantId)
        return User(
            uid=non_empty(user.id),
            name=non_empty(user.userPrincipalName) or non_empty(user.displayName),
            type_id=_USER_TYPE_USER,
            account=Account(home) if home else None,
        )
    if app is None:
        return None
    uid, name = non_empty(app.servicePrincipalId), non_empty(app.displayName)
    if uid is None and name is None:
        return None
    return User(
        uid=uid,
        name=name,
        type_id=_USER_TYPE_SERVICE,
        account=Account(tenant) if tenant else None,
    )


def _user_agent(audit: Audit) -> str | None:
    """Return the user agent, which is among the additional details."""
    if bytes(audit.additionalDetails) in {bytes(EMPTY), b"null"}:
        return None
    try:
        elements = msgspec.json.decode(nested(audit.additionalDetails), type=list[msgspec.Raw])
        details = [decode_leniently(Detail, one, "", [], fold_case=True) for one in elements]
    except msgspec.ValidationError:
        return None
    return next((one.value for one in details if (one.key or "").lower() == _USER_AGENT), None)
