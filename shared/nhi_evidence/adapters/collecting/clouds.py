"""Settings of Google Cloud, Microsoft and Vault, read as a federated AWS role.

https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds
https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import msgspec

from nhi_evidence.adapters.azure import settings_reader as azure
from nhi_evidence.adapters.collecting import products
from nhi_evidence.adapters.gcp import settings_reader as gcp
from nhi_evidence.adapters.listing import google, http_json, microsoft
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.coverage.answers import Deployment, Reading
from nhi_evidence.coverage.gathering import refused
from nhi_evidence.errors import EvidenceError

_READ_ONLY = (
    "https://www.googleapis.com/auth/cloud-platform.read-only "
    "https://www.googleapis.com/auth/cloud-identity.groups.readonly"
)
Identity = Callable[[str], str]
"""Returns an identity token of this function's role for an audience."""


class GooglePlace(msgspec.Struct, frozen=True):
    """Google Cloud, reached through the provider of a workload identity pool."""

    provider: str
    identities: tuple[str, ...] = ()
    """E-mail addresses of service accounts whose state is read."""
    sts: str = google.STS
    bases: dict[str, str] = {}
    """Other addresses for hosts, used by tests."""


class MicrosoftPlace(msgspec.Struct, frozen=True):
    """Azure and Entra, reached through a tenant's application with a federated credential."""

    tenant: str
    client_id: str
    identities: tuple[str, ...] = ()
    """Object ids of service principals whose state is read."""
    login: str = microsoft.LOGIN
    bases: dict[str, str] = {}
    """Other addresses for hosts, used by tests."""


class VaultPlace(msgspec.Struct, frozen=True):
    """A Vault server that accepts AWS identity tokens (its JWT method)."""

    address: str
    """`https://...`; also the audience of the identity token."""
    role: str
    mount: str = "jwt"


def read_vault(
    place: VaultPlace, identity: Identity, *, at: int, deployment: Deployment
) -> Reading:
    """Read Vault's audit devices as a role of its JWT method.

    https://developer.hashicorp.com/vault/api-docs/auth/jwt
    """
    try:
        host = products.host_of(place.address)
        answer = http_json.ask(
            f"{place.address}/v1/auth/{quote(place.mount)}/login",
            document={"role": place.role, "jwt": identity(place.address)},
        )
    except EvidenceError as error:
        return refused("vault", str(error), at=at, deployment=deployment)
    auth = answer.get("auth")
    token = auth.get("client_token") if isinstance(auth, dict) else None
    if not isinstance(token, str) or not token:
        reason = f"{place.address}: the answer has no client_token"
        return refused("vault", reason, at=at, deployment=deployment)
    reader = RestReader({host: token}, {host: place.address})
    return products.read_vault(reader, host=host, at=at, deployment=deployment)


def read_google(
    place: GooglePlace, identity: Identity, *, at: int, deployment: Deployment
) -> Reading:
    """Read Google Cloud's settings; without a token, the reading says only why there is none."""
    try:
        token = google.exchanged(place.provider, identity, scopes=_READ_ONLY, sts=place.sts)
    except EvidenceError as error:
        return refused("gcp", str(error), at=at, deployment=deployment)
    reader = RestReader(dict.fromkeys(gcp.HOSTS, token), place.bases)
    return gcp.read_settings(reader, at=at, deployment=deployment, identities=place.identities)


def read_microsoft(
    place: MicrosoftPlace, identity: Identity, *, at: int, deployment: Deployment
) -> Reading:
    """Read the settings of Azure and Entra, which take a token each: Resource Manager and Graph.

    With only one of them, the calls that need the other are failed answers that say why it is
    missing. Without any token, the reading says only why there is none.
    """
    tokens: dict[str, str] = {}
    refusals: dict[str, str] = {}
    for host in azure.HOSTS:
        try:
            tokens[host] = microsoft.exchanged(
                place.tenant, place.client_id, identity, resource=f"https://{host}",
                login=place.login,
            )  # fmt: skip
        except EvidenceError as error:
            refusals[host] = str(error)
    if not tokens:
        return refused("azure", refusals[azure.HOSTS[0]], at=at, deployment=deployment)
    reader = RestReader(tokens, place.bases, refusals=refusals)
    return azure.read_settings(reader, at=at, deployment=deployment, identities=place.identities)
