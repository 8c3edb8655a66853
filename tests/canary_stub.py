"""AWS as a canary meets it, on loopback: it allows what it is told to, and refuses the rest.

Every call is kept with its nonce and who signed it, and can be had as CloudTrail would record it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.loopback import Handler, Loopback

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_NONCE = re.compile(r"nhi-canary/(nhic[0-9a-f]{20})")
_BY_PATH = {"s3": "ListBuckets", "bedrock": "InvokeModel"}
_JSON = {"secretsmanager", "ssm", "cloudtrail", "bedrock"}

IDENTITY = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account>"
    b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
BUCKETS = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
ALLOWED = {"GetCallerIdentity": IDENTITY, "ListBuckets": BUCKETS}
"""What the canary's own role may, and what it is answered."""


class Call(NamedTuple):
    """One call that came."""

    service: str
    operation: str
    nonce: str
    key_id: str
    agent: str
    body: str


class CanaryStub(Loopback):
    """A context manager."""

    def __init__(self, *, key_id: str) -> None:
        """Know the canary by its access key id; any other key belongs to nobody."""
        self.key_id = key_id
        self.allowed = dict(ALLOWED)
        self.calls: list[Call] = []
        super().__init__(self._handler())

    def answer(self, headers: Any, path: str, body: str) -> tuple[int, str, bytes]:
        """Keep a call; return status, content type and body."""
        scope = _SCOPE.search(headers.get("Authorization", ""))
        assert scope is not None
        key_id, _, service = scope.groups()
        service = service.replace("bedrock-runtime", "bedrock")
        operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
        operation = operation or parse_qs(body).get("Action", [""])[0] or _BY_PATH[service]
        agent = headers["User-Agent"]
        nonce = _NONCE.search(agent)
        assert nonce is not None, agent
        self.calls.append(Call(service, operation, nonce[1], key_id, agent, f"{path} {body}"))
        if key_id == self.key_id and operation in self.allowed:
            return 200, "text/xml", self.allowed[operation]
        code = "AccessDenied" if key_id == self.key_id else "InvalidClientTokenId"
        if service in _JSON:
            return 400, "application/x-amz-json-1.1", b'{"__type":"%sException"}' % code.encode()
        if service == "ec2":
            code = "UnauthorizedOperation"
            text = f"<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>"
        else:
            text = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>"
        return 403, "text/xml", text.encode()

    def _handler(self) -> type[Handler]:
        stub = self

        class _Aws(Handler):
            def _answered(self) -> None:
                body = self.body().decode()
                path = urlsplit(self.path).path
                status, kind, answered = stub.answer(self.headers, path, body)
                self.reply(status, answered, {"Content-Type": kind})

            do_GET = do_POST = do_PUT = _answered  # noqa: N815 as inherited

        return _Aws
