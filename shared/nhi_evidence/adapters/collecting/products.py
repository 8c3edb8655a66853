"""Reading whether GitHub, Okta and Vault export their logs: read-only calls, every answer kept.

https://docs.github.com/rest/enterprise-admin/audit-log
https://developer.okta.com/docs/reference/api/log-streaming
https://developer.hashicorp.com/vault/api-docs/system/audit
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.coverage import switches
from nhi_evidence.coverage.answers import Answer, Deployment, Reading
from nhi_evidence.coverage.gathering import gathered
from nhi_evidence.errors import SettingsError

GITHUB = "api.github.com"
NOT_SHOWN = "no call shows it: the settings page of the enterprise alone"


def host_of(address: str) -> str:
    """Return the host, with its port, of a product's address. Raises `SettingsError`."""
    parts = urlsplit(address)
    if not parts.netloc or parts.path not in {"", "/"} or parts.query or parts.username:
        raise SettingsError(f"{address}: not an address like https://vault.example.com:8200")
    return parts.netloc


def read_github(
    reader: RestReader,
    *,
    enterprise: str,
    api_requests: bool | None,
    at: int,
    deployment: Deployment,
) -> Reading:
    """Read the streams of an enterprise's audit log.

    No call shows whether they contain API requests: `api_requests` is what someone saw on the
    settings page, and is kept as such; None if nobody looked.
    """

    def walk() -> None:
        path = f"enterprises/{quote(enterprise, safe='')}/audit-log/streams"
        reader.ask(switches.GITHUB_STREAMS, enterprise, f"https://{GITHUB}/{path}?per_page=100")
        reader.answers.append(_seen(enterprise, api_requests))

    return gathered("github", walk, reader.answers, at=at, deployment=deployment)


def _seen(enterprise: str, api_requests: bool | None) -> Answer:
    if api_requests is None:
        return Answer(
            call=switches.GITHUB_API_EVENTS, scope=enterprise, status="failed", error=NOT_SHOWN
        )
    return Answer(
        call=switches.GITHUB_API_EVENTS,
        scope=enterprise,
        answer={"enabled": api_requests, "seen_by": "whoever collected, on the settings page"},
    )


def read_okta(reader: RestReader, *, host: str, at: int, deployment: Deployment) -> Reading:
    """Read the log streams of an organization, and whether its System Log can be read.

    No event is requested (`limit=0`), as events of people are among them.
    """

    def walk() -> None:
        reader.ask(switches.OKTA_LOG, host, f"https://{host}/api/v1/logs?limit=0")
        reader.ask(switches.OKTA_STREAMS, host, f"https://{host}/api/v1/logStreams?limit=200")

    return gathered("okta", walk, reader.answers, at=at, deployment=deployment)


def read_vault(reader: RestReader, *, host: str, at: int, deployment: Deployment) -> Reading:
    """Read the audit devices of a server; the token's policy needs `sudo` on `sys/audit`."""

    def walk() -> None:
        reader.ask(switches.VAULT_DEVICES, host, f"https://{host}/v1/sys/audit")

    return gathered("vault", walk, reader.answers, at=at, deployment=deployment)
