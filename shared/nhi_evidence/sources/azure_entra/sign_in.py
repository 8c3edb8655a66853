"""A sign-in record of any category -> Event."""

from __future__ import annotations

from nhi_evidence.azure.text import endpoint
from nhi_evidence.event import (
    About,
    Account,
    Actor,
    Call,
    Event,
    Outcome,
    Result,
    Session,
    Target,
    User,
)
from nhi_evidence.sources.azure_entra import identity, outcome
from nhi_evidence.sources.azure_entra.envelope import Stated, labelled
from nhi_evidence.sources.azure_entra.record import SIGN_IN, SignIn, properties, stated

OPERATION = "Sign-in activity"
"""As every sign-in is called, where the record itself has no operation."""
_USER_TYPE_USER, _USER_TYPE_SERVICE = 1, 4
_OF_PRINCIPALS = frozenset(
    {
        "ManagedIdentitySignInLogs",
        "ServicePrincipalSignInLogs",
        "MicrosoftServicePrincipalSignInLogs",
    }
)


def event(said: Stated, category: str, raw: bytes) -> Event:
    """Return the event a sign-in states; its time is when the sign-in began.

    Raises what the JSON reader raises when a slice does not decode, and `TimeUnreadable`.
    """
    sign_in, unusable = properties(said.envelope, raw, SIGN_IN)
    time, original = said.time(sign_in.createdDateTime)
    verdict, hops = identity.of_sign_in(sign_in, category, said.tenant)
    came_of_it = outcome.of_sign_in(said.envelope, sign_in)
    types = sign_in.signInEventTypes or ()
    spelt = said.category or (types[0] if types else category)
    return Event(
        time=time,
        original_time=original,
        logged=said.logged(
            "signin",
            uid=stated(sign_in.id),
            correlation_uid=stated(sign_in.correlationId),
            event_code=spelt,
        ),
        call=Call(
            service=category,
            service_name=spelt,
            operation=OPERATION,
            operation_name=said.envelope.operationName or spelt,
            request_uid=None,
            source=endpoint(stated(sign_in.ipAddress) or stated(said.envelope.callerIpAddress)),
            user_agent=stated(sign_in.userAgent),
        ),
        actor=Actor(
            identity=labelled(verdict, (*said.unusable, *unusable)),
            user=_principal(sign_in, category, said.tenant),
            session=_session(sign_in),
            hops=hops,
            app_uid=stated(sign_in.appId),
            app_name=stated(sign_in.appDisplayName),
        ),
        about=_about(sign_in, came_of_it),
        outcome=came_of_it,
    )


def _principal(sign_in: SignIn, category: str, tenant: str | None) -> User | None:
    if category in _OF_PRINCIPALS:
        uid = stated(sign_in.servicePrincipalId)
        name, type_id = stated(sign_in.servicePrincipalName), _USER_TYPE_SERVICE
        owner = tenant
    else:
        uid, name = stated(sign_in.userId), stated(sign_in.userPrincipalName)
        type_id, owner = _USER_TYPE_USER, stated(sign_in.homeTenantId)
    if uid is None and name is None:
        return None
    return User(uid=uid, name=name, type_id=type_id, account=Account(owner) if owner else None)


def _session(sign_in: SignIn) -> Session | None:
    uid = stated(sign_in.sessionId)
    return Session(uid=uid) if uid else None


def _about(sign_in: SignIn, came_of_it: Outcome) -> About:
    uid = (
        stated(sign_in.resourceServicePrincipalId)
        or stated(sign_in.resourceIdentity)
        or stated(sign_in.resourceId)
    )
    name = stated(sign_in.resourceDisplayName)
    token = stated(sign_in.uniqueTokenIdentifier)
    issued = token if came_of_it.result is Result.SUCCESS else None
    return About(
        targets=(Target(uid=uid, name=name),) if uid or name else (),
        issued_credentials=(issued,) if issued else (),
        issued_session=(
            Session(uid=stated(sign_in.sessionId), credential_uid=issued) if issued else None
        ),
    )
