"""Reading Google Cloud and Azure over HTTP, from a server that answers like the providers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest

from nhi_evidence.adapters.azure import settings_reader as azure
from nhi_evidence.adapters.gcp import settings_reader as gcp
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.coverage.answers import Deployment, Reading, Source
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import google, microsoft
from nhi_evidence.errors import SettingsError

DEPLOYMENT = Deployment(
    (
        Source(source="gcp_audit", destinations=(google.DESTINATION,)),
        Source(source="azure_monitor", event_hubs=(microsoft.NAMESPACE,)),
    )
)
TOKEN = "token-of-documentation"


class Provider:
    """Answers paths, and records requests."""

    def __init__(self) -> None:
        self.paths: dict[str, Any] = {}
        self.codes: dict[str, int] = {}
        self.asked: list[tuple[str, str]] = []
        self.headers: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                self.rfile.read(length)
                path = unquote(urlsplit(self.path).path)
                outer.asked.append((self.command, path))
                outer.headers.append(self.headers.get("Authorization", ""))
                query = urlsplit(self.path).query
                body = outer.paths.get(f"{path}?{query}", outer.paths.get(path))
                code = outer.codes.get(path, 200 if body is not None else 404)
                data = json.dumps(body).encode()
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 as above
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def provider() -> Iterator[Provider]:
    answering = Provider()
    thread = threading.Thread(target=answering.server.serve_forever)
    thread.start()
    yield answering
    answering.server.shutdown()
    thread.join()
    answering.server.server_close()


def reader(provider: Provider, hosts: tuple[str, ...]) -> RestReader:
    return RestReader(dict.fromkeys(hosts, TOKEN), dict.fromkeys(hosts, provider.url))


def of_google(provider: Provider) -> Reading:
    names = [project.removeprefix("projects/") for project in google.PROJECTS]
    provider.paths["/v1/projects"] = {"projects": [{"projectId": name} for name in names]}
    for answer in google.answers():
        version = "v2" if answer.scope.startswith("folders/") else "v1"
        path = {
            "cloudresourcemanager.projects.getAncestry": f"/v1/{answer.scope}:getAncestry",
            "cloudresourcemanager.getIamPolicy": f"/{version}/{answer.scope}:getIamPolicy",
            "logging.sinks.list": f"/v2/{answer.scope}/sinks",
        }[answer.call]
        provider.paths.setdefault(path, answer.answer)
    return gcp.read_settings(reader(provider, gcp.HOSTS), at=1, deployment=DEPLOYMENT)


def of_azure(provider: Provider) -> Reading:
    base = "/providers/Microsoft.Insights/diagnosticSettings"
    for answer in microsoft.answers():
        path = {
            "Microsoft.Resources/subscriptions": "/subscriptions",
            "Microsoft.ResourceGraph/resources": "/providers/Microsoft.ResourceGraph/resources",
            "Microsoft.Insights/diagnosticSettingsCategories": f"{answer.scope}{base}Categories",
            "graph:subscribedSkus": "/v1.0/subscribedSkus",
        }.get(answer.call)
        if answer.call == "Microsoft.Insights/diagnosticSettings":
            path = f"{answer.scope}{base}"
            if answer.scope == microsoft.TENANT:
                path = f"{answer.scope}/diagnosticSettings"
        if path is not None:
            provider.paths.setdefault(path, answer.answer)
    return azure.read_settings(reader(provider, azure.HOSTS), at=1, deployment=DEPLOYMENT)


def verdicts(reading: Reading) -> dict[str, Verdict]:
    return {one.cell: one.verdict for one in matrix([reading]).cells}


def test_google_answers_match_the_estate(provider: Provider) -> None:
    reading = of_google(provider)
    assert verdicts(estate.reading("gcp", 1)) == verdicts(reading)
    assert set(provider.headers) == {f"Bearer {TOKEN}"}
    policies = [path for _, path in provider.asked if path.endswith(":getIamPolicy")]
    assert len(policies) == len(set(policies)) == 5
    assert TOKEN not in msgspec.json.encode(reading).decode()
    assert all(answer.raw for answer in reading.answers[1:] if answer.status == "ok")


def test_a_group_that_is_exempted_is_looked_up(provider: Provider) -> None:
    path = f"/v1/{google.ORGANIZATION}:getIamPolicy"
    config = google.audit_config("DATA_READ", exempted=("group:quiet@example.com",))
    provider.paths[path] = {"auditConfigs": [config]}
    provider.paths["/v1/groups:lookup"] = {"name": "groups/1"}
    members = {"memberships": [{"preferredMemberKey": [{"id": "bot@example.com"}]}]}
    provider.paths["/v1/groups/1/memberships:searchTransitiveMemberships"] = members
    calls = {(answer.call, answer.scope) for answer in of_google(provider).answers}
    assert (google.MEMBERS, "group:quiet@example.com") in calls


def test_pages_are_one_answer(provider: Provider) -> None:
    provider.paths["/v1/projects"] = {"projects": []}
    first = "/v1/projects?filter=lifecycleState%3AACTIVE"
    provider.paths[first] = {"projects": [{"projectId": "a"}], "nextPageToken": "2"}
    provider.paths[f"{first}&pageToken=2"] = {"projects": [{"projectId": "b"}]}
    reading = gcp.read_settings(reader(provider, gcp.HOSTS), at=1, deployment=DEPLOYMENT)
    assert [one["projectId"] for one in reading.answers[1].answer["projects"]] == ["a", "b"]


def test_azure_answers_match_the_estate(provider: Provider) -> None:
    reading = of_azure(provider)
    expected = verdicts(estate.reading("azure", 1))
    expected["azure_agent.agent_action.foundry_tools"] = Verdict.UNKNOWN  # no connection is asked
    assert expected == verdicts(reading)


@pytest.mark.parametrize(
    ("code", "status"), [(403, "denied"), (404, "absent"), (500, "failed"), (302, "failed")]
)
def test_refusals_are_answers(provider: Provider, code: int, status: str) -> None:
    """A redirect is not followed: a token goes only to the host it is for."""
    path = f"/v1/{google.ORGANIZATION}:getIamPolicy"
    provider.codes[path] = code
    reading = of_google(provider)
    answer = reading.single("cloudresourcemanager.getIamPolicy", google.ORGANIZATION)
    assert answer is not None
    assert (answer.status, answer.error) == (status, str(code))
    assert verdicts(reading)["gcp.secret_access.secret_manager"] is Verdict.UNKNOWN


def test_more_resources_than_one_answer_holds_are_unknown(provider: Provider) -> None:
    resource = {"id": microsoft.VAULT, "type": "microsoft.keyvault/vaults"}
    many = {"data": [resource] * 1000, "resultTruncated": "true"}
    provider.paths["/providers/Microsoft.ResourceGraph/resources"] = many
    short = msgspec.json.decode(msgspec.json.encode(many))
    short["data"] = short["data"][:1]
    provider.paths["/providers/Microsoft.ResourceGraph/resources"] = short
    assert verdicts(of_azure(provider))["azure.secret_access.key_vault"] is Verdict.UNKNOWN


def test_a_token_goes_over_https_alone() -> None:
    asking = RestReader({"example.com": TOKEN})
    with pytest.raises(SettingsError, match="HTTPS"):
        asking.ask("x", "y", "http://example.com/")
    asking.ask("x", "y", "https://another.example/")
    assert asking.answers[0].error == "no token for another.example"
