"""The crossing beyond the clouds: the CI job in GitHub, Vault, an API gateway, Kubernetes and Okta.

The job's stolen token logs in to Vault, which knows its issuer and subject from the role's claims;
it calls the API gateway, whose authorizer accepts the same issuer; with the session it got from
AWS, it queries a cluster; and before that an agent of the same account lists its tools. GitHub
records the job, not its token: no record there states issuer and subject.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from nhi_evidence.demo.story.aws_crossing import SESSION_KEY
from nhi_evidence.demo.story.crossing import AGENT, FOREIGN, ISSUER, SUBJECT
from nhi_evidence.demo.story.records import SHARED_SERVICES, START, Recorder, role_session
from nhi_evidence.demo.story.step import Step

ENTERPRISE = "example-corp"
"""Of GitHub."""
OKTA = "example-org"
"""The organization at Okta."""
_REPOSITORY = "example-org/deploy"
_ACCESSOR = "hmac-sha256:" + "5e" * 32
_HASH = "hmac-sha256:" + "c4" * 32
API = "a1b2c3d4e5"
"""Id of the API behind the gateway."""
_CLUSTER_USER = f"arn:aws:sts::{SHARED_SERVICES}:assumed-role/ci-deploy/GitHubActions"


class PlatformFile(NamedTuple):
    """One file of a platform, as it is delivered to S3."""

    source: str
    name: str
    body: bytes
    records: int


LISTS_TOOLS = "list tools"
"""Name of the step in which an agent asks what there is, before it touches anything."""

STEPS: dict[str, tuple[Step, ...]] = {
    "aws_cloudtrail": (
        Step(LISTS_TOOLS, 41, "bedrock-agentcore", "InvokeGateway", "success", "Agent Action"),
        Step("call tool", 41, "bedrock-agentcore", "InvokeGateway", "denied", "Agent Action"),
    ),
    "github_audit": (
        Step("start", 30, "workflows", "workflows.created_workflow_run", "success", "Execution"),
        Step("start", 31, "workflows", "workflows.prepared_workflow_job", "success", "Execution"),
        Step("enumerate", 31, "api", "GET /user/repos", "success", "Enumeration"),
    ),
    "vault_audit": (
        Step("mint", 35, "jwt", "update auth/github/login", "success", "Credential Validation"),
        Step(
            "probe", 35, "system", "update sys/capabilities-self", "success", "Permission Probing"
        ),
        Step("read secret", 36, "kv", "read secret/data/ci/targets", "success", "Secret Access"),
        Step("read secret", 36, "kv", "read secret/data/prod/db", "denied", "Secret Access"),
    ),
    "aws_api_gateway": (
        Step("call", 37, "execute-api", "GET /orders", "success", "Data Access"),
        Step("call", 37, "execute-api", "DELETE /orders/{id}", "denied", "Data Access"),
    ),
    "k8s_audit": (
        Step("enumerate", 38, "core", "list secrets", "denied", "Secret Access"),
        Step("run", 38, "core", "get pods/exec", "success", "Execution"),
    ),
    "okta_system": (Step("mint", 40, "app", "app.oauth2.token.grant", "denied", "Token Issuance"),),
}
"""What happens on each platform, in order."""


def attack(recorder: Recorder, source: str) -> list[dict[str, Any]]:
    """Return the records of one platform, one per step."""
    makers = {
        "aws_cloudtrail": _agent,
        "github_audit": _github,
        "vault_audit": _vault,
        "aws_api_gateway": _gateway,
        "k8s_audit": _kubernetes,
        "okta_system": _okta,
    }
    return [makers[source](recorder, position, step) for position, step in enumerate(STEPS[source])]


@cache
def platform_files(*, seed: int = 7) -> tuple[PlatformFile, ...]:
    """Return a file of each platform: lines of JSON, or for Okta joined values."""
    files = []
    for source in sorted(STEPS):
        records = attack(Recorder(seed + 3), source)
        line_break = b"" if source == "okta_system" else b"\n"
        lines = (json.dumps(record, separators=(",", ":")).encode() for record in records)
        body = b"".join(line + line_break for line in lines)
        if source == "aws_cloudtrail":
            body = b'{"Records":[' + body.strip().replace(b"\n", b",") + b"]}"
        files.append(PlatformFile(source, f"{source}/2026/03/02/08/story", body, len(records)))
    return tuple(files)


def _instant(step: Step, position: int) -> str:
    moment = START + timedelta(minutes=step.minute, seconds=position * 7)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z"


def _epoch(step: Step, position: int) -> int:
    moment = START + timedelta(minutes=step.minute, seconds=position * 7)
    return int(moment.timestamp()) * 1000


def _agent(recorder: Recorder, position: int, step: Step) -> dict[str, Any]:
    lists = step.name == LISTS_TOOLS
    answer: dict[str, Any] = {"jsonrpc": "2.0", "id": position}
    if step.outcome == "denied":
        answer["error"] = {"code": -32002, "message": "Insufficient permissions"}
    return recorder.record(
        timedelta(minutes=step.minute, seconds=position * 7),
        role_session(SHARED_SERVICES, "AmazonBedrockAgentCoreRuntime-shop", "agent"),
        step.service,
        step.operation,
        account=SHARED_SERVICES,
        request={"body": {"id": position, "method": "tools/list" if lists else "tools/call"}},
        response={"statusCode": 200, "body": answer},
        category="Data",
    )


def _github(recorder: Recorder, position: int, step: Step) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "@timestamp": _epoch(step, position),
        "_document_id": recorder.uid(),
        "action": step.operation,
        "actor": "github-actions[bot]",
        "actor_id": 41898282,
        "actor_is_bot": True,
        "actor_ip": "192.0.2.80",
        "business": ENTERPRISE,
        "business_id": 3082,
        "org": "example-org",
        "org_id": 86825428,
        "repo": _REPOSITORY,
        "repo_id": 1296269,
        "programmatic_access_type": "GitHub App server-to-server token",
        "hashed_token": "EJmtcbNI26UXIHgh0fnmlmRsDcqsW6y9zLP4xwk9S+s=",
    }
    if step.service == "workflows":
        entry |= {"workflow_run_id": 5555555555, "head_branch": "main", "event": "push"}
        return entry
    method, _, route = step.operation.partition(" ")
    return entry | {
        "action": "api.request",
        "actor_ip": FOREIGN,
        "request_method": method,
        "route": route,
        "status_code": 200,
        "user_agent": AGENT,
    }


def _vault(recorder: Recorder, position: int, step: Step) -> dict[str, Any]:
    operation, _, path = step.operation.partition(" ")
    is_login = step.service == "jwt"
    point = {"jwt": "auth/github/", "system": "sys/", "kv": "secret/"}[step.service]
    token = {
        "accessor": _ACCESSOR,
        "client_token": _HASH,
        "display_name": f"github-{SUBJECT}",
        "entity_id": "7d2e3179-f69b-450c-7179-ac8ee8bd8ca9",
        "metadata": {"role": "deploy", "iss": ISSUER, "sub": SUBJECT},
        "policies": ["ci", "default"],
        "token_type": "service",
    }
    entry: dict[str, Any] = {
        "time": _instant(step, position),
        "type": "response",
        "auth": {} if is_login else token,
        "request": {
            "id": recorder.uid(),
            "operation": operation,
            "path": path,
            "mount_point": point,
            "mount_type": step.service,
            "mount_class": "auth" if is_login else "secret",
            "namespace": {"id": "root"},
            "remote_address": FOREIGN,
        },
        "response": {"auth": token} if is_login else {"data": {"data": _HASH}},
    }
    if step.outcome == "denied":
        entry["error"] = "1 error occurred:\n\t* permission denied\n\n"
    return entry


def _gateway(recorder: Recorder, position: int, step: Step) -> dict[str, Any]:
    method = step.operation.partition(" ")[0]
    return {
        "format": "nhi-evidence/1",
        "requestId": recorder.uid(),
        "requestTimeEpoch": str(_epoch(step, position)),
        "accountId": SHARED_SERVICES,
        "apiId": API,
        "stage": "prod",
        "domainName": f"{API}.execute-api.us-east-1.amazonaws.com",
        "httpMethod": method,
        "routeKey": step.operation,
        "resourcePath": "-",
        "status": "403" if step.outcome == "denied" else "200",
        "sourceIp": FOREIGN,
        "iss": ISSUER,
        "sub": SUBJECT,
        "jti": "example-0c6d8c1e",
        "apiKeyId": "-",
        "userArn": "-",
    }


def _kubernetes(recorder: Recorder, position: int, step: Step) -> dict[str, Any]:
    verb, _, resource = step.operation.partition(" ")
    plain, _, below = resource.partition("/")
    is_denied = step.outcome == "denied"
    name = f"/cart-7d9/{below}" if below else ""
    query = "?command=sh&command=-c&command=example&container=cart" if below else ""
    reference = {"resource": plain, "namespace": "shop", "apiVersion": "v1"}
    event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": recorder.uid(),
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/shop/{plain}{name}{query}",
        "verb": verb,
        "user": {
            "username": "ci-deploy",
            "uid": f"aws-iam-authenticator:{SHARED_SERVICES}:AROACIJOBQQQQEXAMPLE",
            "groups": ["deployers", "system:authenticated"],
            "extra": {"accessKeyId": [SESSION_KEY], "arn": [_CLUSTER_USER]},
        },
        "sourceIPs": [FOREIGN],
        "userAgent": "kubectl/v1.31.0",
        "objectRef": reference | ({"name": "cart-7d9", "subresource": below} if below else {}),
        "responseStatus": {"metadata": {}, "code": 403 if is_denied else 101 if below else 200},
        "requestReceivedTimestamp": _instant(step, position),
        "annotations": {
            "authorization.k8s.io/decision": "forbid" if is_denied else "allow",
        },
    }
    message = json.dumps(event, separators=(",", ":"))
    return {"id": f"{position:056d}", "timestamp": _epoch(step, position), "message": message}


def _okta(recorder: Recorder, position: int, step: Step) -> dict[str, Any]:
    return {
        "version": "0",
        "id": recorder.uid(),
        "detail-type": "SystemLog",
        "source": f"aws.partner/okta.com/{OKTA}/evidence",
        "account": SHARED_SERVICES,
        "region": "us-east-1",
        "detail": {
            "uuid": recorder.uid(),
            "published": _instant(step, position),
            "eventType": step.operation,
            "version": "0",
            "actor": {
                "id": "0oa1abcd2EFGH3ijk4l5",
                "type": "PublicClientApp",
                "alternateId": "unknown",
                "displayName": "Deploy service",
            },
            "client": {"ipAddress": FOREIGN, "userAgent": {"rawUserAgent": AGENT}},
            "outcome": {"result": "FAILURE", "reason": "no_matching_scope"},
            "transaction": {"type": "WEB", "id": recorder.uid(), "detail": {}},
            "debugContext": {"debugData": {"requestUri": "/oauth2/v1/token"}},
        },
    }
