"""Which credential a sign-in used: an id, never the secret, chosen by `clientCredentialType`.

https://learn.microsoft.com/graph/api/resources/signin (beta)
"""

from __future__ import annotations

from nhi_evidence.azure.text import non_empty
from nhi_evidence.sources.azure_entra.record import SignIn

_FEDERATED = "federated_identity_credential"
_KINDS = {
    "clientsecret": "client_secret",
    "certificate": "certificate",
    "clientassertion": "client_assertion",
    "federatedidentitycredential": _FEDERATED,
    "managedidentity": "managed_identity",
}


def credential(sign_in: SignIn) -> tuple[str | None, str | None]:
    """Return id and kind of the credential that a client authenticated with.

    The key id comes before the thumbprint: the audit log names credentials by key id.
    """
    kind = _KINDS.get((non_empty(sign_in.clientCredentialType) or "").lower())
    key = non_empty(sign_in.servicePrincipalCredentialKeyId)
    thumbprint = non_empty(sign_in.servicePrincipalCredentialThumbprint)
    federated = non_empty(sign_in.federatedCredentialId)
    if kind == _FEDERATED or (federated and not key):
        return federated, _FEDERATED
    if key or thumbprint:
        return key or thumbprint, kind or ("certificate" if thumbprint else "client_credential")
    return None, kind


def is_federated(kind: str | None) -> bool:
    """Whether a workload of another issuer is behind the credential."""
    return kind == _FEDERATED


def is_confidential(sign_in: SignIn) -> bool:
    """Whether the client authenticated with a credential of its own."""
    return non_empty(sign_in.clientCredentialType) is not None or credential(sign_in)[0] is not None
