"""GitHub, Okta and Vault queried over HTTP, the state of identities, and the verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from nhi_evidence.adapters.aws.settings_reader import Reader, ask_identities
from nhi_evidence.adapters.azure import settings_reader as azure
from nhi_evidence.adapters.collecting import clouds, products
from nhi_evidence.adapters.gcp import settings_reader as gcp
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.cli import exit_codes
from nhi_evidence.coverage import answers, gathering, switches
from nhi_evidence.coverage.answers import Deployment, Reading, Source
from nhi_evidence.coverage.cells import settings
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.errors import SettingsError
from tests.cli.command import run
from tests.coverage.test_rest_readers import DEPLOYMENT, Provider, provider, reader

__all__ = ["provider"]

HOST = "product.example.com"
OURS = Deployment(
    tuple(Source(source=name) for name in ("github_audit", "okta_system", "vault_audit"))
)
STREAMS = "/enterprises/example/audit-log/streams"
S3_STREAM = {"id": 1, "stream_type": "Amazon S3", "enabled": True, "paused_at": None}
EXAMPLE = Path(__file__).parents[2] / "nhi-evidence.example.toml"


def verdicts(reading: Reading) -> dict[str, Verdict]:
    return {one.cell: one.verdict for one in matrix([reading]).cells}


def of_github(provider: Provider, *, api_requests: bool | None) -> dict[str, Verdict]:
    asking = RestReader({products.GITHUB: "token"}, {products.GITHUB: provider.url})
    return verdicts(
        products.read_github(
            asking, enterprise="example", api_requests=api_requests, at=1, deployment=OURS
        )
    )


@pytest.mark.parametrize(
    ("seen", "expected"),
    [(True, Verdict.CONFIGURED), (False, Verdict.GAP), (None, Verdict.UNKNOWN)],
)
def test_github_streams_and_its_switch_that_no_call_shows(
    provider: Provider, seen: bool | None, expected: Verdict
) -> None:
    provider.paths[STREAMS] = [S3_STREAM]
    judged = of_github(provider, api_requests=seen)
    assert (Verdict.CONFIGURED, expected) == (
        judged["github.data_access.clone"],
        judged["github.credential_validation.token"],
    )


@pytest.mark.parametrize(
    "streams", [[], [{**S3_STREAM, "enabled": False}], [{**S3_STREAM, "paused_at": "2026-03-01"}]]
)
def test_a_stream_that_is_off_or_paused_is_a_gap(provider: Provider, streams: list[Any]) -> None:
    provider.paths[STREAMS] = streams
    assert of_github(provider, api_requests=True)["github.data_access.clone"] is Verdict.GAP


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        ([{"name": "evidence", "status": "ACTIVE"}], Verdict.CONFIGURED),
        ([{"name": "evidence", "status": "INACTIVE"}], Verdict.ELSEWHERE),
        ([], Verdict.ELSEWHERE),
        (None, Verdict.UNKNOWN),
        ({"odd": 1}, Verdict.UNKNOWN),
        ([{"name": "without a status"}], Verdict.UNKNOWN),
    ],
    ids=["active", "inactive", "none", "refused", "no list", "no status"],
)
def test_okta_s_log_arrives_here_only_through_a_stream(
    provider: Provider, streams: Any, expected: Verdict
) -> None:
    provider.paths["/api/v1/logs"] = []
    provider.paths["/api/v1/logStreams"] = streams
    provider.codes["/api/v1/logStreams"] = 200 if streams is not None else 403
    asking = RestReader({HOST: "token"}, {HOST: provider.url})
    judged = verdicts(products.read_okta(asking, host=HOST, at=1, deployment=OURS))
    assert judged["okta.log_tampering.stream"] is expected
    assert judged["okta.enumeration.reads"] is Verdict.IMPOSSIBLE
    assert ("GET", "/api/v1/logs") in provider.asked


DEVICES = {
    name: {"type": kind, "options": {"hmac_accessor": "false"}}
    for name, kind in (("file/", "file"), ("socket/", "socket"))
}


def of_vault(provider: Provider, *, login: Any) -> Reading:
    provider.paths["/v1/auth/jwt/login"] = login
    provider.paths["/v1/sys/audit"] = {"data": DEVICES, **DEVICES}
    place = clouds.VaultPlace(provider.url, "nhi-evidence")
    return clouds.read_vault(place, lambda audience: f"for {audience}", at=1, deployment=OURS)


def test_vault_is_asked_with_an_identity_token_and_no_secret(provider: Provider) -> None:
    reading = of_vault(provider, login={"auth": {"client_token": "hvs.given"}})
    assert [("POST", "/v1/auth/jwt/login"), ("GET", "/v1/sys/audit")] == provider.asked
    assert "Bearer hvs.given" == provider.headers[1]
    assert verdicts(reading)["vault.enumeration.mounts"] is Verdict.CONFIGURED
    assert b"hvs.given" not in answers.write(reading)


@pytest.mark.parametrize("login", [{}, {"auth": None}, {"auth": {"client_token": 7}}, None])
def test_a_login_without_a_token_leaves_vault_unknown(provider: Provider, login: Any) -> None:
    reading = of_vault(provider, login=login)
    assert gathering.is_empty(reading)
    assert verdicts(reading)["vault.enumeration.mounts"] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "address", ["vault.example.com", "https://a/b", "https://x@a", "https://a?b", ""]
)
def test_an_invalid_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="not an address"):
        products.host_of(address)


def test_collecting_commands_ask_and_write(tmp_path: Path) -> None:
    """Nobody answers here, which is kept as an answer and reported with the code for incomplete."""
    (tmp_path / "token").write_text("token")
    common = ("--token", tmp_path / "token", "--config", EXAMPLE)
    for name in ("okta", "vault"):
        out = tmp_path / name
        result = run("collect", name, *common, "--out", out, "--address", "https://127.0.0.1:1")
        assert exit_codes.INCOMPLETE == result.code, result.err
        assert len(list(out.glob(f"{name}-*.json"))) == 1
        judged = run("coverage", "--config-dir", out, "--json").json
        assert "CONFIGURED" not in judged["verdicts"]
    wrong = run("collect", "vault", *common, "--out", tmp_path, "--address", "vault")
    assert exit_codes.FAILED == wrong.code
    assert "not an address like" in wrong.err


# Identities


def test_the_state_of_users_and_roles_of_the_account_is_read() -> None:
    with mock_aws():
        session = boto3.session.Session("testing", "testing", region_name="us-east-1")
        iam = session.client("iam")
        iam.create_user(UserName="deployer")
        key = iam.create_access_key(UserName="deployer")["AccessKey"]["AccessKeyId"]
        asking = Reader(session, "us-east-1", "123456789012")
        ask_identities(
            asking,
            [
                "arn:aws:iam::123456789012:user/ci/deployer",
                "arn:aws:iam::123456789012:user/gone",
                "arn:aws:iam::123456789012:role/none",
                "arn:aws:iam::999999999999:user/another",
            ],
        )
    states = [(one.call, one.status, one.request) for one in asking.answers]
    assert [
        ("iam:GetUser", "ok", {"UserName": "deployer"}),
        ("iam:ListAccessKeys", "ok", {"UserName": "deployer"}),
        ("iam:GetAccessKeyLastUsed", "ok", {"AccessKeyId": key}),
        ("iam:GetUser", "absent", {"UserName": "gone"}),
        ("iam:ListAccessKeys", "absent", {"UserName": "gone"}),
        ("iam:GetRole", "absent", {"RoleName": "none"}),
    ] == states


def test_the_state_of_service_accounts_and_principals_is_read(provider: Provider) -> None:
    """What is deleted is absent, and the answer names whose state it is."""
    email, gone = "ci@example.iam.gserviceaccount.com", "gone@example.iam.gserviceaccount.com"
    provider.paths[f"/v1/projects/-/serviceAccounts/{email}"] = {"email": email, "disabled": True}
    provider.paths[f"/v1/projects/-/serviceAccounts/{email}/keys"] = {"keys": []}
    reading = gcp.read_settings(
        reader(provider, gcp.HOSTS), at=1, deployment=DEPLOYMENT, identities=[email, gone]
    )
    get = "iam.projects.serviceAccounts.get"
    assert {email: "ok", gone: "absent"} == {
        one.scope.rpartition("/")[2]: one.status for one in reading.all(get)
    }
    keys = reading.single("iam.projects.serviceAccounts.keys.list", scope_of(email))
    assert keys is not None
    assert {"keys": []} == keys.answer
    provider.paths["/v1.0/servicePrincipals/id"] = {"appId": "app", "accountEnabled": False}
    provider.paths["/v1.0/applications(appId='app')"] = {"passwordCredentials": []}
    entra = azure.read_settings(
        reader(provider, azure.HOSTS), at=1, deployment=DEPLOYMENT, identities=["id"]
    )
    calls = ["graph:servicePrincipals", "graph:applications"]
    assert ["ok", "ok"] == [one.status for call in calls for one in entra.all(call)]


def scope_of(email: str) -> str:
    return f"projects/-/serviceAccounts/{email}"


def test_settings_name_the_calls_collectors_make() -> None:
    """Each of these calls is one that a setting names in `reads`."""
    calls = {switches.GITHUB_STREAMS, switches.OKTA_LOG, switches.OKTA_STREAMS}
    assert calls <= {call for each in settings().values() for call in each.reads}
