"""The delegation chain that one record shows: from the origin it names to the effective actor.

`userIdentity` names the session and at most its direct parents; the call that issued the session
is another record. So a chain is complete only if the actor itself is the root.
"""

from __future__ import annotations

from nhi_evidence.identity import MECHANISMS, Hop, Identity, Mechanism, acting_hop
from nhi_evidence.sources.aws_cloudtrail.record import UserIdentity, is_true
from nhi_evidence.sources.aws_cloudtrail.text import is_aws_service, is_console, milliseconds
from nhi_evidence.sources.aws_cloudtrail.verdict import canonical


def hops(principal: UserIdentity | None, actor: Identity) -> tuple[Hop, ...]:
    """Return the chain, origin first; empty if the record shows no delegation."""
    if principal is None or actor.uid is None:
        return ()
    forwarder = principal.invokedBy
    # The console signs with its user's own session: it forwards nobody's authority.
    forwards = (
        is_aws_service(forwarder)
        and not is_console(forwarder)
        and principal.type != "AWSService"
        and forwarder != actor.uid
    )
    if principal.sessionContext is None and not forwards:
        return ()
    parents = _parents(principal)
    if not parents and not forwards:
        return ()
    chain = [*parents, acting_hop(len(parents), actor)]
    if forwards and forwarder is not None:
        chain.append(_hop(len(chain), forwarder, Mechanism.PROVIDER_FORWARD_ACCESS))
    return tuple(chain)


def _parents(principal: UserIdentity) -> list[Hop]:
    context = principal.sessionContext
    if context is None:
        return []
    issuer = context.sessionIssuer
    minted = milliseconds(context.attributes.creationDate) if context.attributes else None
    authorities: list[tuple[str | None, Mechanism, str | None]] = []
    if principal.onBehalfOf is not None:
        behalf = principal.onBehalfOf
        authorities.append((behalf.userId, Mechanism.ON_BEHALF_OF, behalf.identityStoreArn))
    if context.webIdFederationData is not None:
        provider = context.webIdFederationData.federatedProvider
        authorities.append((provider, Mechanism.WEB_IDENTITY, provider))
    if context.sourceIdentity:
        authorities.append((context.sourceIdentity, Mechanism.ASSUME_ROLE, None))
    if principal.inScopeOf is not None:
        authorities.append((principal.inScopeOf.credentialsIssuedTo, Mechanism.ASSUME_ROLE, None))
    if context.ec2RoleDelivery:
        instance = (principal.principalId or "").partition(":")[2]
        authorities.append((instance, Mechanism.INSTANCE_METADATA, None))
    if principal.invokedByDelegate is not None:
        authorities.append((principal.invokedByDelegate.accountId, Mechanism.OTHER, None))
    if issuer is not None and principal.type == "FederatedUser":
        authorities.append((issuer.arn, Mechanism.SESSION_MINT, None))
    if issuer is not None and is_true(context.assumedRoot):
        authorities.append((issuer.arn, Mechanism.ASSUME_ROLE, None))
    named = [one for one in authorities if one[0]]
    return [
        Hop(
            hop=position,
            uid=uid or "",
            canonical_uid=(
                canonical(issuer.accountId, "user", issuer.principalId)
                if issuer is not None and mechanism is Mechanism.SESSION_MINT
                else None
            ),
            mechanism_id=mechanism.value,
            mechanism=MECHANISMS[mechanism],
            issuer=authority,
            created_time=minted,
        )
        for position, (uid, mechanism, authority) in enumerate(named)
    ]


def _hop(position: int, uid: str, mechanism: Mechanism) -> Hop:
    return Hop(hop=position, uid=uid, mechanism_id=mechanism.value, mechanism=MECHANISMS[mechanism])
