"""The canaries of Google Cloud and Entra, used by a federated AWS role without a secret.

https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers
https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from nhi_evidence.adapters.listing import google, http_json, microsoft
from nhi_evidence.adapters.probing.http_calls import Runner
from nhi_evidence.adapters.probing.outcome import Done
from nhi_evidence.errors import SourceUnavailableError

Identity = Callable[[str], str]
"""Returns an identity token of this function's role for an audience."""

_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
_CREDENTIALS = "https://iamcredentials.googleapis.com"
_GOOGLE_HOSTS = (
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "secretmanager.googleapis.com",
)
_GRAPH = "graph.microsoft.com"
_LIFETIME = "600s"

TAKING = 2
"""Maximum number of calls it takes to become a canary; they count like any other."""


class GoogleCanary(msgspec.Struct, frozen=True):
    """A project's service account, impersonated through a pool's provider."""

    project: str
    account: str
    """Its e-mail address, which records name."""
    provider: str
    """`//iam.googleapis.com/projects/<n>/locations/global/workloadIdentityPools/<p>/providers/<p>`."""
    federated: str
    """`principal://...`, which the record of the token exchange names."""
    sts: str = google.STS
    bases: dict[str, str] = {}
    """Other addresses for hosts, used by tests."""

    @property
    def principal(self) -> str:
        """The identity that records name."""
        return self.account


class EntraCanary(msgspec.Struct, frozen=True):
    """A tenant's application with a federated credential and no permissions."""

    tenant: str
    client_id: str
    object_id: str
    """Object id of its service principal, which records name."""
    login: str = microsoft.LOGIN
    bases: dict[str, str] = {}
    """Other addresses for hosts, used by tests."""

    @property
    def principal(self) -> str:
        """The identity that records name."""
        return self.object_id


def google_runner(canary: GoogleCanary, identity: Identity, done: Done) -> Runner:
    """Return a runner that probes as the service account, for ten minutes.

    Raises as `http_json.ask` does, and `TokenUnavailableError`.
    """
    federated = google.exchanged(canary.provider, identity, scopes=_PLATFORM, sts=canary.sts)
    base = canary.bases.get("iamcredentials.googleapis.com", _CREDENTIALS)
    url = f"{base}/v1/projects/-/serviceAccounts/{canary.account}:generateAccessToken"
    answer = http_json.ask(
        url, token=federated, document={"scope": [_PLATFORM], "lifetime": _LIFETIME}
    )
    token = answer.get("accessToken")
    if not isinstance(token, str) or not token:
        raise SourceUnavailableError(f"{url}: the answer has no accessToken")
    values = {
        "{project}": canary.project,
        "{principal}": canary.account,
        "{provider}": canary.provider,
        "{token}": token,
        "{identity}": identity(f"https:{canary.provider}"),
    }
    return Runner(dict.fromkeys(_GOOGLE_HOSTS, token), values, done, canary.bases)


def entra_runner(canary: EntraCanary, identity: Identity, done: Done) -> Runner:
    """Return a runner that probes as the application. Raises as `google_runner` does."""
    token = microsoft.exchanged(
        canary.tenant,
        canary.client_id,
        identity,
        resource=f"https://{_GRAPH}",
        login=canary.login,
    )
    values = {
        "{tenant}": canary.tenant,
        "{client}": canary.client_id,
        "{principal}": canary.object_id,
    }
    return Runner({_GRAPH: token}, values, done, canary.bases)
