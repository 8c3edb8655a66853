"""A sign-in record of any category -> Event."""

from __future__ import annotations

from nhi_evidence.azure.text import endpoint, non_empty
from nhi_evidence.event import (
    About,
    Account,
    Actor,
    Call,
    Event,
    Outcome,
    Rejection,
    Result,
    Session,
    Target,
    User,
)
from nhi_evidence.identity import with_unusable
from nhi_evidence.sources.azure_entra import identity, outcome
from nhi_evidence.sources.azure_entra.envelope import EnvelopeView
from nhi_evidence.sources.azure_entra.record import SIGN_IN, SignIn, properties

OPERATION = "Sign-in activity"
"""The operation of every sign-in in the catalog, whatever the record calls it."""
_USER_TYPE_USER, _USER_TYPE_SERVICE = 1, 4
_OF_PRINCIPALS = frozenset(
    {
        "ManagedIdentitySignInLogs",
        "ServicePrincipalSignInLogs",
        "MicrosoftServicePrincipalSignInLogs",
    }
)


def event(view: EnvelopeView, category: str, raw: bytes) -> Event | Rejection:
    """Return the event that a sign-in states, or why it states none.

    Its time is when the sign-in began.

    Raises as `msgspec.json.decode` does when a slice cannot be decoded.
    """
    sign_in, unusable = properties(view.envelope, raw, SIGN_IN)
    time = view.time(sign_in.createdDateTime)
    if isinstance(time, Rejection):
        return time
    verdict, hops = identity.of_sign_in(sign_in, category, view.tenant)
    result = outcome.of_sign_in(view.envelope, sign_in)
    types = sign_in.signInEventTypes or ()
    event_code = view.category or (types[0] if types else None)
    spelt = event_code or category
    return Event(
        time=time[0],
        original_time=time[1],
        logged=view.logged(
            "signin",
            uid=non_empty(sign_in.id),
            correlation_uid=non_empty(sign_in.correlationId),
            event_code=event_code,
        ),
        call=Call(
            service=category,
            service_name=spelt,
            operation=OPERATION,
            operation_name=view.envelope.operationName or spelt,
            request_uid=None,
            source=endpoint(
                non_empty(sign_in.ipAddress) or non_empty(view.envelope.callerIpAddress)
            ),
            user_agent=non_empty(sign_in.userAgent),
        ),
        actor=Actor(
            identity=with_unusable(verdict, (*view.unusable, *unusable)),
            user=_principal(sign_in, category, view.tenant),
            session=_session(sign_in),
            hops=hops,
            app_uid=non_empty(sign_in.appId),
            app_name=non_empty(sign_in.appDisplayName),
        ),
        about=_about(sign_in, result),
        outcome=result,
    )


def _principal(sign_in: SignIn, category: str, tenant: str | None) -> User | None:
    if category in _OF_PRINCIPALS:
        uid = non_empty(sign_in.servicePrincipalId)
        name, type_id = non_empty(sign_in.servicePrincipalName), _USER_TYPE_SERVICE
        owner = tenant
    else:
        uid, name = non_empty(sign_in.userId), non_empty(sign_in.userPrincipalName)
        type_id, owner = _USER_TYPE_USER, non_empty(sign_in.homeTenantId)
    if uid is None and name is None:
        return None
    return User(uid=uid, name=name, type_id=type_id, account=Account(owner) if owner else None)


def _session(sign_in: SignIn) -> Session | None:
    uid = non_empty(sign_in.sessionId)
    return Session(uid=uid) if uid else None


def _about(sign_in: SignIn, result: Outcome) -> About:
    uid = (
        non_empty(sign_in.resourceServicePrincipalId)
        or non_empty(sign_in.resourceIdentity)
        or non_empty(sign_in.resourceId)
    )
    name = non_empty(sign_in.resourceDisplayName)
    token = non_empty(sign_in.uniqueTokenIdentifier)
    issued = token if result.result is Result.SUCCESS else None
    return About(
        targets=(Target(uid=uid, name=name),) if uid or name else (),
        service=Target(uid=uid, name=name) if uid or name else None,
        issued_credentials=(issued,) if issued else (),
        issued_session=(
            Session(uid=non_empty(sign_in.sessionId), credential_uid=issued) if issued else None
        ),
    )
