"""Read the claims of an Entra access token as Azure's logs repeat them.

The same claim occurs under its short name (`appid`, `oid`) and under a URI, in any case, as a text,
a number or a list. Used by every pack that reads tokens; decides nothing.
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

_URIS = {
    "http://schemas.microsoft.com/identity/claims/objectidentifier": "oid",
    "http://schemas.microsoft.com/identity/claims/tenantid": "tid",
    "http://schemas.microsoft.com/identity/claims/scope": "scp",
    "http://schemas.microsoft.com/identity/claims/identityprovider": "idp",
    "http://schemas.microsoft.com/claims/authnmethodsreferences": "amr",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier": "sub",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": "unique_name",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": "email",
}
"""URI in lower case to the short name of the same claim."""


_NAMESPACES = {
    "http_schemas_microsoft_com_identity": "http://schemas.microsoft.com/identity/claims/",
    "http_schemas_xmlsoap_org_ws_2005_05_identity": (
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
    ),
}
"""Namespace as Managed HSM spells it to the prefix of the URIs.

https://learn.microsoft.com/azure/key-vault/managed-hsm/logging
"""


class Claims(msgspec.Struct, frozen=True, gc=False):
    """The claims that the rules look at; one that cannot be used reads as absent."""

    oid: str | None = None
    """Object id of the principal in its tenant."""
    tid: str | None = None
    appid: str | None = None
    """The application that has the token; `azp` in version 2 tokens."""
    appidacr: str | None = None
    """How that application authenticated: 0 not, 1 with a secret, 2 a certificate or assertion."""
    idtyp: str | None = None
    """`app` or `user`."""
    scp: str | None = None
    """Delegated permissions; only a user's token has them."""
    upn: str | None = None
    name: str | None = None
    unique_name: str | None = None
    email: str | None = None
    iss: str | None = None
    sub: str | None = None
    idp: str | None = None
    uti: str | None = None
    """The token's id."""
    amr: str | None = None
    iat: str | None = None
    exp: str | None = None
    xms_mirid: str | None = None
    """The resource of a managed identity."""
    xms_act_fct: str | None = None
    """Facets of the acting principal, numbers separated by spaces; 11 is an agent identity, 13 an
    agent's user account."""
    xms_sub_fct: str | None = None
    """Facets of the subject, likewise."""
    xms_par_app_azp: str | None = None
    """The blueprint application that an agent identity was created from."""

    @property
    def user_name(self) -> str | None:
        """The user's name according to the token."""
        return self.upn or self.unique_name or self.email or self.name

    @property
    def facets(self) -> frozenset[str]:
        """Facets of the acting principal and of the subject."""
        return frozenset(f"{self.xms_act_fct or ''} {self.xms_sub_fct or ''}".split())


_FIELDS = frozenset(Claims.__struct_fields__)
_ALSO = {"azp": "appid", "azpacr": "appidacr", "preferred_username": "unique_name"}


def read(claims: Any) -> tuple[Claims | None, tuple[str, ...]]:
    """Read a decoded claims object; None if it has no claim we know.

    The second value names claims that could not be used.
    """
    if not isinstance(claims, dict):
        return None, () if claims is None else ("claims",)
    texts: dict[str, str] = {}
    unusable = []
    for key, value in _members(claims):
        short = key.lower()
        name = _URIS.get(short, short)
        name = _ALSO.get(name, name)
        if name not in _FIELDS or value is None:
            continue
        text = _text(value)
        if text is None:
            unusable.append(f"claims.{name}")
        elif text and (name not in texts or name == short):
            texts[name] = text
    return (Claims(**texts) if texts else None), tuple(unusable)


def _members(claims: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the claims; Managed HSM nests those named by a URI in one object per namespace."""
    for key, value in claims.items():
        namespace = _NAMESPACES.get(key.lower())
        inner = value.get("claims") if namespace and isinstance(value, dict) else None
        if isinstance(inner, dict):
            yield from ((f"{namespace}{name.lower()}", item) for name, item in inner.items())
        else:
            yield key, value


def _text(value: Any) -> str | None:
    """Return a claim as text: an integer's digits, a list joined by spaces; None for the rest."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, dict)):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list) and all(isinstance(one, (str, int)) for one in value):
        return " ".join(map(str, value))
    return None
