"""STS's answers to a web identity token, over HTTP: a final refusal, or retryable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nhi_evidence.adapters import web_identity
from nhi_evidence.errors import StoreUnavailableError, TokenRefusedError

ROLE = "arn:aws:iam::222222222222:role/nhi-evidence-writer-gcp_audit"


class Sts:
    """An STS that gives every exchange one answer."""

    status, code = 400, "Throttling"

    def __init__(self) -> None:
        self.asked = 0
        sts = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as inherited
                pass

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                sts.asked += 1
                body = (
                    '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
                    f"<Type>Sender</Type><Code>{sts.code}</Code><Message>said so</Message>"
                    "</Error><RequestId>r</RequestId></ErrorResponse>"
                ).encode()
                self.send_response(sts.status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    running = Sts()
    threading.Thread(target=running.server.serve_forever, daemon=True).start()
    yield running
    running.server.shutdown()
    running.server.server_close()


def failure(sts: Sts) -> StoreUnavailableError:
    """Return the error of the first call that needs a session."""
    client = web_identity.role_client(
        ROLE,
        session_name="test",
        token=lambda: "a.b.c",
        region="eu-central-1",
        endpoint_url=sts.url,
    )
    with pytest.raises(StoreUnavailableError) as caught:
        client.put_object(Bucket="evidence", Key="k", Body=b"x")
    return caught.value


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "Throttling"),
        (400, "ThrottlingException"),
        (400, "IDPCommunicationError"),
        (400, "RequestTimeout"),
        (503, "ServiceUnavailable"),
        (500, "InternalFailure"),
    ],
)
def test_a_busy_sts_is_not_a_refusal(sts: Sts, status: int, code: str) -> None:
    """It answers with the status of a refusal but accepts the same token later: unavailable."""
    sts.status, sts.code = status, code
    error = failure(sts)
    assert not isinstance(error, TokenRefusedError)
    assert ROLE in str(error)
    assert code in str(error)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidIdentityToken"),
        (400, "ExpiredTokenException"),
        (403, "AccessDenied"),
    ],
)
def test_a_refused_token_is_reported_as_such(sts: Sts, status: int, code: str) -> None:
    """The role does not accept it: it is asked once, and the error has the token's claims."""
    sts.status, sts.code = status, code
    error = failure(sts)
    assert isinstance(error, TokenRefusedError)
    assert "the token is not a JSON Web Token" in str(error)
    assert 1 == sts.asked
