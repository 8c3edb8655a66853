"""The delegation chain that one entry shows: from the origin it names to the effective actor.

`serviceAccountDelegationInfo` lists the real authorities behind a service account, in the order
in which they delegated. `metadata.identityDelegationChain` of a call that issues a token lists the
accounts the token goes through; the account it is for comes last.
https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog#AuthenticationInfo
"""

from __future__ import annotations

from nhi_evidence.identity import MECHANISMS, Hop, Identity, Mechanism
from nhi_evidence.sources.gcp_audit import principals
from nhi_evidence.sources.gcp_audit.identity import RecordContext
from nhi_evidence.sources.gcp_audit.record import Authentication, Delegate

_METADATA_SERVER = "@compute-system.iam.gserviceaccount.com"
"""The service agent that gives a virtual machine the tokens of its service account."""
_ACCOUNT = "/serviceAccounts/"


def hops(
    who: Authentication | None, actor: Identity, context: RecordContext, *, minted: tuple[str, ...]
) -> tuple[Hop, ...]:
    """Return the chain, origin first; empty if the record shows no delegation.

    `minted` are the accounts that a token issued by this call goes through.
    """
    if who is None or actor.uid is None:
        return ()
    key = principals.key_uid(who.service_account_key_name)
    chain: list[Hop] = []
    for delegate in who.service_account_delegation_info or ():
        hop = _delegate(len(chain), delegate, key)
        if hop is not None:
            chain.append(hop)
    if context.mapped_principal and who.principal_subject:
        chain.append(
            _hop(0, who.principal_subject, Mechanism.TOKEN_EXCHANGE, issuer=context.provider)
        )
    if not chain and not minted:
        return ()
    direct = actor.credential_uid is not None and not chain
    chain.append(
        _hop(
            len(chain),
            actor.uid,
            Mechanism.KEY_USE if direct else Mechanism.UNKNOWN,
            canonical_uid=actor.canonical_uid,
            credential_uid=actor.credential_uid if direct else None,
        )
    )
    for name in minted:
        account = name.partition(_ACCOUNT)[2] or name
        chain.append(
            _hop(len(chain), account, Mechanism.IMPERSONATION, canonical_uid=_uid(account))
        )
    return tuple(chain)


def _delegate(position: int, delegate: Delegate, key: str | None) -> Hop | None:
    """Read one authority; None for one that the record does not name."""
    email = principals.delegate_email(delegate)
    pool = principals.pool(delegate.principal_subject)
    claims = (
        (delegate.third_party_principal.third_party_claims or {})
        if delegate.third_party_principal
        else {}
    )
    claimed = claims.get("sub")
    uid = email or delegate.principal_subject or (claimed if isinstance(claimed, str) else None)
    if not uid:
        return None
    mechanism = Mechanism.IMPERSONATION
    if uid.endswith(_METADATA_SERVER):
        mechanism = Mechanism.INSTANCE_METADATA
    elif pool is not None:
        mechanism = Mechanism.TOKEN_EXCHANGE
    return _hop(
        position,
        uid,
        mechanism,
        canonical_uid=pool.canonical_uid if pool else _uid(uid),
        issuer=pool.issuer if pool else None,
        credential_uid=key if key and principals.key_owner(key) == uid else None,
    )


def _uid(account: str) -> str | None:
    return principals.account_uid(account) if principals.is_service_account(account) else None


def _hop(
    position: int,
    uid: str,
    mechanism: Mechanism,
    *,
    canonical_uid: str | None = None,
    credential_uid: str | None = None,
    issuer: str | None = None,
) -> Hop:
    return Hop(
        hop=position,
        uid=uid,
        canonical_uid=canonical_uid,
        credential_uid=credential_uid,
        mechanism_id=mechanism.value,
        mechanism=MECHANISMS[mechanism],
        issuer=issuer,
    )
