"""Who acted: the record rules EN-01 to EN-07 (docs/sources/azure_entra.md), first match.

The category decides first. A rule sees a single record; where the directory could tell more, the
identity names the rule that would (`refinable_by`). Only its agent type distinguishes an agent's
user account from a person's.
"""

from __future__ import annotations

from collections.abc import Callable

from nhi_evidence.azure.text import non_empty
from nhi_evidence.identity import Hop, Identity, IdentityKind, Mechanism, decided
from nhi_evidence.sources.azure_entra.credential import credential, is_confidential, is_federated
from nhi_evidence.sources.azure_entra.record import (
    GraphCall,
    InitiatingApp,
    InitiatingUser,
    Initiator,
    ManagedIdentity,
    SignIn,
)
from nhi_evidence.sources.azure_entra.verdict import (
    BY_DIRECTORY,
    BY_FEDERATED_CREDENTIAL,
    agent_untold,
    canonical,
    chain,
    is_agent,
    is_agent_user,
)

Verdict = tuple[Identity, tuple[Hop, ...]]
"""Who acted, and through whom."""

_PUBLIC, _CONFIDENTIAL = "0", frozenset({"1", "2"})
"""`clientAuthMethod`: 0 is a public client, 1 a secret, 2 a certificate or assertion."""


def of_sign_in(sign_in: SignIn, category: str, tenant: str | None) -> Verdict:
    """Decide who signed in."""
    return _BY_CATEGORY.get(category, _user)(sign_in, tenant)


def _managed_identity(sign_in: SignIn, tenant: str | None) -> Verdict:
    managed = sign_in.managedServiceIdentity or ManagedIdentity()
    issuer = non_empty(managed.federatedTokenIssuer)
    verdict = decided(
        IdentityKind.MANAGED_IDENTITY,
        "EN-01",
        uid=non_empty(sign_in.servicePrincipalId) or non_empty(sign_in.appId),
        name=sign_in.servicePrincipalName,
        canonical_uid=canonical(tenant, "sp", non_empty(sign_in.servicePrincipalId)),
        credential_uid=non_empty(managed.federatedTokenId),
        credential_kind="federated_token" if non_empty(managed.federatedTokenId) else None,
        issuer=issuer,
        refinable_by=(BY_FEDERATED_CREDENTIAL,) if issuer else (),
    )
    hops = chain(
        (non_empty(managed.associatedResourceId), Mechanism.INSTANCE_METADATA, None), actor=verdict
    )
    return verdict, hops


def _service_principal(sign_in: SignIn, tenant: str | None) -> Verdict:
    agent_type = sign_in.agent.agentType if sign_in.agent else None
    agent = is_agent(agent_type)
    credential_uid, credential_kind = credential(sign_in)
    federated = is_federated(credential_kind)
    canonical_uid = canonical(tenant, "sp", non_empty(sign_in.servicePrincipalId))
    by_own_key = credential_uid is not None and not federated
    refinable = (BY_FEDERATED_CREDENTIAL,) if federated else ()
    verdict = decided(
        IdentityKind.AI_AGENT if agent else IdentityKind.APPLICATION,
        "EN-02a" if agent else "EN-02b",
        uid=non_empty(sign_in.servicePrincipalId) or non_empty(sign_in.appId),
        name=sign_in.servicePrincipalName,
        canonical_uid=canonical_uid,
        credential_uid=credential_uid,
        credential_kind=credential_kind,
        is_agentic=agent or None,
        labels=(*_agent_labels(sign_in), *_owner_labels(sign_in, tenant)),
        refinable_by=(*refinable, BY_DIRECTORY) if agent_untold(agent_type) else refinable,
        root_uid=canonical_uid if by_own_key else None,
        is_chain_complete=True if by_own_key and canonical_uid else (False if federated else None),
    )
    return verdict, ()


def _first_party(sign_in: SignIn, tenant: str | None) -> Verdict:
    credential_uid, credential_kind = credential(sign_in)
    verdict = decided(
        IdentityKind.PROVIDER_SERVICE,
        "EN-03",
        uid=non_empty(sign_in.servicePrincipalId) or non_empty(sign_in.appId),
        name=sign_in.servicePrincipalName or sign_in.appDisplayName,
        canonical_uid=canonical(tenant, "sp", non_empty(sign_in.servicePrincipalId)),
        credential_uid=credential_uid,
        credential_kind=credential_kind,
    )
    return verdict, ()


def _user(sign_in: SignIn, tenant: str | None) -> Verdict:
    agent_type = sign_in.agent.agentType if sign_in.agent else None
    labels = _agent_labels(sign_in)
    if is_agent_user(agent_type):
        verdict = decided(
            IdentityKind.AI_AGENT_USER,
            "EN-04a",
            uid=non_empty(sign_in.userId),
            name=sign_in.userPrincipalName,
            canonical_uid=canonical(tenant, "user", non_empty(sign_in.userId)),
            is_agentic=True,
            labels=labels,
        )
        return verdict, ()
    agent = is_agent(agent_type)
    if agent or is_confidential(sign_in):
        credential_uid, credential_kind = credential(sign_in)
        return _on_behalf(
            "EN-04b" if agent else "EN-04c",
            app=non_empty(sign_in.servicePrincipalId) or non_empty(sign_in.appId),
            name=sign_in.appDisplayName,
            canonical_uid=canonical(tenant, "sp", non_empty(sign_in.servicePrincipalId)),
            credential=(credential_uid, credential_kind),
            user=non_empty(sign_in.userId) or non_empty(sign_in.userPrincipalName),
            is_agentic=agent or None,
            labels=labels,
            refinable_by=(BY_DIRECTORY,) if agent_untold(agent_type) else (),
        )
    if not non_empty(sign_in.userId) and not non_empty(sign_in.userPrincipalName):
        return decided(IdentityKind.UNKNOWN, "EN-07", labels=labels), ()
    verdict = decided(
        IdentityKind.HUMAN,
        "EN-04d",
        uid=non_empty(sign_in.userId),
        name=sign_in.userPrincipalName,
        refinable_by=(BY_DIRECTORY,) if agent_untold(agent_type) else (),
    )
    return verdict, ()


def _on_behalf(
    rule: str,
    *,
    app: str | None,
    name: str | None,
    canonical_uid: str | None,
    credential: tuple[str | None, str | None],
    user: str | None,
    is_agentic: bool | None = None,
    labels: tuple[str, ...] = (),
    refinable_by: tuple[str, ...] = (),
) -> Verdict:
    verdict = decided(
        IdentityKind.APPLICATION_OBO,
        rule,
        uid=app,
        name=name,
        canonical_uid=canonical_uid,
        credential_uid=credential[0],
        credential_kind=credential[1],
        subject=user,
        is_agentic=is_agentic,
        labels=labels,
        refinable_by=refinable_by,
        is_chain_complete=False,
    )
    return verdict, chain((user, Mechanism.ON_BEHALF_OF, None), actor=verdict)


def of_initiator(initiator: Initiator, tenant: str | None) -> Verdict:
    """Decide who made an audited change."""
    app, user = initiator.app, initiator.user
    if app is not None and not _names_app(app):
        app = None
    if user is not None and not _names_user(user):
        user = None
    if app is not None and user is not None and non_empty(user.id):
        return _on_behalf(
            "EN-05c",
            app=non_empty(app.servicePrincipalId)
            or non_empty(app.appId)
            or non_empty(app.displayName),
            name=app.displayName,
            canonical_uid=canonical(tenant, "sp", non_empty(app.servicePrincipalId)),
            credential=(None, None),
            user=non_empty(user.id),
            is_agentic=is_agent(app.agentType) or None,
            refinable_by=(BY_DIRECTORY,),
        )
    if app is not None:
        agent = is_agent(app.agentType)
        verdict = decided(
            IdentityKind.AI_AGENT if agent else IdentityKind.APPLICATION,
            "EN-05a" if agent else "EN-05b",
            uid=non_empty(app.servicePrincipalId)
            or non_empty(app.appId)
            or non_empty(app.displayName),
            name=app.displayName or app.servicePrincipalName,
            canonical_uid=canonical(tenant, "sp", non_empty(app.servicePrincipalId)),
            is_agentic=agent or None,
            refinable_by=() if agent else (BY_DIRECTORY,),
        )
        return verdict, ()
    if user is None:
        return decided(IdentityKind.UNKNOWN, "EN-07"), ()
    agent = is_agent(user.agentType)
    verdict = decided(
        IdentityKind.AI_AGENT_USER if agent else IdentityKind.HUMAN,
        "EN-05d" if agent else "EN-05e",
        uid=non_empty(user.id),
        name=user.userPrincipalName or user.displayName,
        canonical_uid=canonical(tenant, "user", non_empty(user.id)) if agent else None,
        is_agentic=agent or None,
        refinable_by=(BY_DIRECTORY,) if agent_untold(user.agentType) else (),
    )
    return verdict, ()


def _names_app(app: InitiatingApp) -> bool:
    """Whether an object names an application: exporters also write objects full of nulls."""
    texts = (app.appId, app.displayName, app.servicePrincipalId, app.servicePrincipalName)
    return any(non_empty(text) for text in texts)


def _names_user(user: InitiatingUser) -> bool:
    """Whether an object names a user."""
    return any(non_empty(text) for text in (user.id, user.userPrincipalName, user.displayName))


def of_graph_call(call: GraphCall, tenant: str | None) -> Verdict:
    """Decide who called Microsoft Graph; the call's own token is its credential."""
    principal, app, user = (
        non_empty(call.servicePrincipalId),
        non_empty(call.appId),
        non_empty(call.userId),
    )
    token = non_empty(call.signInActivityId)
    credential = (token, "access_token" if token else None)
    method = None if call.clientAuthMethod is None else str(call.clientAuthMethod)
    if user is None and non_empty(call.scopes) and not non_empty(call.roles):
        # A delegated token is a user's, even if the record does not say whose.
        return decided(
            IdentityKind.UNKNOWN,
            "EN-06d",
            credential_uid=credential[0],
            credential_kind=credential[1],
            refinable_by=(BY_DIRECTORY,),
        ), ()
    if user is None and (principal or app):
        verdict = decided(
            IdentityKind.APPLICATION,
            "EN-06a",
            uid=principal or app,
            canonical_uid=canonical(tenant, "sp", principal),
            credential_uid=credential[0],
            credential_kind=credential[1],
            refinable_by=(BY_DIRECTORY,),
            is_chain_complete=False,
        )
        return verdict, ()
    if user is not None and app is not None and (principal or method in _CONFIDENTIAL):
        return _on_behalf(
            "EN-06b",
            app=principal or app,
            name=None,
            canonical_uid=canonical(tenant, "sp", principal),
            credential=credential,
            user=user,
            refinable_by=(BY_DIRECTORY,),
        )
    if user is None:
        return decided(IdentityKind.UNKNOWN, "EN-07"), ()
    public = method == _PUBLIC
    verdict = decided(
        IdentityKind.HUMAN if public else IdentityKind.UNKNOWN,
        "EN-06c" if public else "EN-06d",
        uid=user,
        credential_uid=credential[0],
        credential_kind=credential[1],
        refinable_by=(BY_DIRECTORY,),
    )
    return verdict, ()


def _agent_labels(sign_in: SignIn) -> tuple[str, ...]:
    if sign_in.agent is None:
        return ()
    kind = sign_in.agent.agentType
    parent = non_empty(sign_in.agent.agentSubjectParentId) or non_empty(sign_in.agent.parentAppId)
    labels = [f"agent_type:{kind}"] if kind and (is_agent(kind) or agent_untold(kind)) else []
    return (*labels, f"agent_parent:{parent}") if labels and parent else tuple(labels)


def _owner_labels(sign_in: SignIn, tenant: str | None) -> tuple[str, ...]:
    owner = non_empty(sign_in.appOwnerTenantId)
    return ("third_party",) if owner and tenant and owner.lower() != tenant.lower() else ()


_BY_CATEGORY: dict[str, Callable[[SignIn, str | None], Verdict]] = {
    "ManagedIdentitySignInLogs": _managed_identity,
    "ServicePrincipalSignInLogs": _service_principal,
    "MicrosoftServicePrincipalSignInLogs": _first_party,
}
