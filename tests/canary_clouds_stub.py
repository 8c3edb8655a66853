"""Google Cloud and Entra as a canary meets them, on loopback: they know one identity, each.

Tokens are given for the identity token of the function alone. Every call is kept, and can be had as
an audit log would record it.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback import Handler, Loopback

PROJECT = "example-canary"
ACCOUNT = f"nhi-evidence-canary@{PROJECT}.iam.gserviceaccount.com"
POOL = "iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/nhi"
PROVIDER = f"//{POOL}/providers/aws"
FEDERATED = (
    f"principal://{POOL}/subject/arn:aws:iam::222233334444:role/nhi-evidence-main-170b2e-canary"
)
TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
CLIENT = "11112222-bbbb-3333-cccc-4444dddd5555"
OBJECT = "00aa00aa-bb11-cc22-dd33-44ee44ee44ee"
OF_GOOGLE, OF_ACCOUNT, OF_GRAPH = "federated-token", "account-token", "graph-token"

_AGENT = re.compile(r"nhi-canary/([0-9a-z-]+)")
_ALLOWED = re.compile(r"/serviceAccounts$|:testIamPermissions$|/tokeninfo$")
_METHODS = {
    "/serviceAccounts": ("iam", "google.iam.admin.v1.ListServiceAccounts"),
    ":testIamPermissions": ("cloudresourcemanager", "TestIamPermissions"),
    ":access": (
        "secretmanager",
        "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion",
    ),
    ":generateAccessToken": ("iamcredentials", "GenerateAccessToken"),
    ":setIamPolicy": ("cloudresourcemanager", "SetIamPolicy"),
    "/keys": ("iam", "google.iam.admin.v1.CreateServiceAccountKey"),
    "/sinks/nhi-evidence-none": ("logging", "google.logging.v2.ConfigServiceV2.UpdateSink"),
    "/v1/token": ("sts", "google.identity.sts.v1.SecurityTokenService.ExchangeToken"),
}
"""How a path ends, to service and method as audit logs name them."""


class Call(NamedTuple):
    """One call that came."""

    method: str
    path: str
    body: str
    headers: dict[str, str]
    status: int

    @property
    def nonce(self) -> str:
        """What marks it; empty where it is not a probe."""
        marked = _AGENT.search(self.headers.get("user-agent", ""))
        return marked[1] if marked else ""


class CloudStub(Loopback):
    """A context manager."""

    def __init__(self) -> None:
        """Know one identity token for each audience."""
        self.calls: list[Call] = []
        self.statuses: dict[str, int] = {}
        """How a path ends, to another status than is right."""
        super().__init__(self._handler())
        self.url = self.endpoint_url

    @property
    def probes(self) -> list[Call]:
        """Those that are marked."""
        return [call for call in self.calls if call.nonce]

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: str
    ) -> tuple[int, Any]:
        """Keep a call; return status and document."""
        split = urlsplit(target)
        path = unquote(split.path)
        status, document = self._judged(path, split.query, headers, body)
        for end, other in self.statuses.items():
            if path.endswith(end):
                status = other
        self.calls.append(Call(method, path, unquote(body), headers, status))
        return status, document

    def _judged(self, path: str, query: str, headers: dict[str, str], body: str) -> tuple[int, Any]:
        form = {name: values[0] for name, values in parse_qs(body).items()}
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if path == "/v1/token":
            known = form.get("subject_token") == f"identity for https:{PROVIDER}"
            return (200, {"access_token": OF_GOOGLE}) if known else (400, {"error": "invalid"})
        if path.endswith("/oauth2/v2.0/token"):
            known = form.get("client_assertion") == "identity for api://AzureADTokenExchange"
            return (
                (200, {"access_token": OF_GRAPH}) if known else (401, {"error": "invalid_client"})
            )
        if path == "/tokeninfo":
            return (200, {}) if query == f"access_token={OF_ACCOUNT}" else (400, {})
        if path.endswith(f"/{ACCOUNT}:generateAccessToken") and bearer == OF_GOOGLE:
            return 200, {"accessToken": OF_ACCOUNT}
        if bearer not in {OF_ACCOUNT, OF_GRAPH}:
            return 401, {"error": {"status": "UNAUTHENTICATED"}}
        return (200, {}) if _ALLOWED.search(path) else (403, {"error": {"status": "DENIED"}})

    def entries(self, second: int) -> list[dict[str, Any]]:
        """Return what Google's audit logs have of the probes: of tokeninfo nothing."""
        every = []
        for number, call in enumerate(self.probes):
            end = next((one for one in _METHODS if call.path.endswith(one)), None)
            if end is None:
                continue
            service, method = _METHODS[end]
            payload: dict[str, Any] = {
                "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
                "serviceName": f"{service}.googleapis.com",
                "methodName": method,
                "resourceName": f"projects/{PROJECT}",
                "authenticationInfo": {"principalEmail": ACCOUNT},
                "requestMetadata": {
                    "callerIp": "203.0.113.7",
                    "callerSuppliedUserAgent": call.headers["user-agent"],
                },
            }
            if service == "sts":
                payload["authenticationInfo"] = {"principalSubject": "arn:aws:iam::x"}
                payload["metadata"] = {"mapped_principal": FEDERATED}
            if call.status != 200:
                payload["status"] = {"code": 7, "message": "PERMISSION_DENIED"}
            every.append(
                {
                    "insertId": f"canary-{number}",
                    "logName": f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Fdata_access",
                    "timestamp": f"2026-03-02T07:10:{second + number:02}.000000001Z",
                    "resource": {"type": "project", "labels": {"project_id": PROJECT}},
                    "protoPayload": payload,
                }
            )
        return every

    def records(self) -> list[dict[str, Any]]:
        """Return what Entra's diagnostic settings send of the probes."""
        every = []
        for number, call in enumerate(self.probes):
            common = {
                "time": f"2026-03-02T07:10:{number:02}.0000000Z",
                "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
                "tenantId": TENANT,
                "callerIpAddress": "203.0.113.7",
            }
            own = {"appId": CLIENT, "servicePrincipalId": OBJECT, "ipAddress": "203.0.113.7"}
            if call.path.endswith("/token"):
                properties = {
                    **own,
                    "id": f"sign-in-{number}",
                    "createdDateTime": common["time"],
                    "correlationId": call.headers["client-request-id"],
                    "status": {"errorCode": 7000215, "failureReason": "Invalid client secret"},
                    "clientCredentialType": "clientSecret",
                }
                every.append(
                    {
                        **common,
                        "category": "ServicePrincipalSignInLogs",
                        "operationName": "Sign-in activity",
                        "resultType": "7000215",
                        "properties": properties,
                    }
                )
                continue
            call_properties: dict[str, Any] = {
                **own,
                "requestId": f"request-{number}",
                "timeGenerated": common["time"],
                "clientRequestId": call.headers["client-request-id"],
                "requestMethod": call.method,
                "responseStatusCode": call.status,
                "tenantId": TENANT,
                "requestUri": f"https://graph.microsoft.com{call.path}",
                "userAgent": call.headers["user-agent"],
            }
            every.append(
                {
                    **common,
                    "category": "MicrosoftGraphActivityLogs",
                    "operationName": "Microsoft Graph Activity",
                    "resultSignature": str(call.status),
                    "properties": call_properties,
                }
            )
        return every

    def _handler(self) -> type[Handler]:
        stub = self

        class _Cloud(Handler):
            def _answered(self) -> None:
                body = self.body().decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, document = stub.answer(self.command, self.path, headers, body)
                answered = json.dumps(document).encode()
                is_elsewhere = status in {301, 302}
                self.reply(
                    status, answered, {"Location": f"{stub.url}/elsewhere"} if is_elsewhere else {}
                )

            do_GET = do_POST = do_PATCH = _answered  # noqa: N815 as inherited

        return _Cloud
