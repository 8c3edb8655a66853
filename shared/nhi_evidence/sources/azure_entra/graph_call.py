"""A Microsoft Graph activity record -> Event: which principal called what in Graph."""

from __future__ import annotations

from nhi_evidence.azure.text import endpoint, milliseconds, non_empty
from nhi_evidence.event import About, Account, Actor, Call, Event, Rejection, Session, Target, User
from nhi_evidence.identity import with_unusable
from nhi_evidence.sources.azure_entra import identity, outcome
from nhi_evidence.sources.azure_entra.envelope import GRAPH_LOGS, EnvelopeView
from nhi_evidence.sources.azure_entra.graph_path import path_of
from nhi_evidence.sources.azure_entra.record import GRAPH_CALL, GraphCall, properties

_USER_TYPE_USER, _USER_TYPE_SERVICE = 1, 4
_OF_NHI = frozenset(
    {
        "agentidentities",
        "agentusers",
        "applications",
        "approleassignedto",
        "approleassignments",
        "federatedidentitycredentials",
        "oauth2permissiongrants",
        "serviceprincipals",
    }
)
"""Collections whose members are, contain or empower non-human identities, in lower case."""


def event(view: EnvelopeView, raw: bytes) -> Event | Rejection:
    """Return the event that a Graph activity record states, or why it states none.

    Raises as `msgspec.json.decode` does when a slice cannot be decoded.
    """
    call, unusable = properties(view.envelope, raw, GRAPH_CALL)
    time = view.time(call.timeGenerated)
    if isinstance(time, Rejection):
        return time
    method, uri = non_empty(call.requestMethod), non_empty(call.requestUri)
    if method is None or uri is None:
        return Rejection("event_name_missing")
    path = path_of(uri)
    verdict, hops = identity.of_graph_call(call, view.tenant)
    service_name = view.category or GRAPH_LOGS
    segments = {one.lower() for one in path.operation.split("/")}
    return Event(
        time=time[0],
        original_time=time[1],
        logged=view.logged(
            "graph_activity",
            uid=non_empty(call.requestId),
            correlation_uid=non_empty(call.operationId),
            event_code=view.category,
            region=non_empty(view.envelope.location),
        ),
        call=Call(
            service=GRAPH_LOGS,
            service_name=service_name,
            operation=f"{method.upper()} {path.operation}",
            operation_name=f"{method} {path.segment}",
            api_version=non_empty(call.apiVersion),
            request_uid=non_empty(call.clientRequestId),
            source=endpoint(non_empty(call.ipAddress) or non_empty(view.envelope.callerIpAddress)),
            user_agent=non_empty(call.userAgent),
        ),
        actor=Actor(
            identity=with_unusable(verdict, (*view.unusable, *unusable)),
            user=_principal(call, view.tenant),
            session=_session(call),
            hops=hops,
            app_uid=non_empty(call.appId),
        ),
        about=About(
            targets=(Target(uid=path.segment),) if path.segment else (),
            is_nhi=not _OF_NHI.isdisjoint(segments),
        ),
        outcome=outcome.of_call(view.envelope, call),
    )


def _principal(call: GraphCall, tenant: str | None) -> User | None:
    account = Account(tenant) if tenant else None
    user = non_empty(call.userId)
    if user is not None:
        return User(uid=user, type_id=_USER_TYPE_USER)
    uid = non_empty(call.servicePrincipalId) or non_empty(call.appId)
    return User(uid=uid, type_id=_USER_TYPE_SERVICE, account=account) if uid else None


def _session(call: GraphCall) -> Session | None:
    token = non_empty(call.signInActivityId)
    if token is None:
        return None
    return Session(
        credential_uid=token,
        issuer=non_empty(call.identityProvider),
        created_time=milliseconds(call.tokenIssuedAt),
    )
