"""The platforms' token servers on this machine: a function's identity, with real signatures.

One loopback server implements the documented HTTP contracts of Google Cloud's metadata server, of
an Azure function app's identity endpoint, and for each of an OpenID Connect issuer, whose keys (RFC
7517) the embedded store fetches to verify the tokens presented to it.
"""

from __future__ import annotations

import secrets
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from nhi_evidence.adapters import clock

GOOGLE = "google"
ENTRA = "entra"

_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default"
_IDENTITY = "/msi/token"
_KEY_ID = "1"
_LIFETIME_SECONDS = 3600


class Subject(msgspec.Struct, frozen=True):
    """The identity a platform gives a function."""

    sub: str
    claims: dict[str, Any] = {}
    """What the platform says besides issuer, subject, audience and times."""


class EmbeddedIssuer:
    """A running token server. Use as a context manager."""

    def __init__(self, *, google: Subject, entra: Subject) -> None:
        """Play the platforms of one Google service account and one managed identity."""
        self._subjects = {GOOGLE: google, ENTRA: entra}
        self._key = rsa.generate_private_key(65537, 2048)
        self._header = secrets.token_hex(16)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._request_handler())
        self._server.daemon_threads = True
        self.asked: list[str] = []
        """Path and query of each request so far."""

    def __enter__(self) -> EmbeddedIssuer:
        """Start answering."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; nothing is left listening."""
        self._server.shutdown()
        self._server.server_close()

    def subject(self, platform: str) -> str:
        """Return the subject of a platform's tokens."""
        return self._subjects[platform].sub

    def issuer(self, platform: str) -> str:
        """Return the issuer URL of a platform, as its tokens state it."""
        return f"http://{self._address()}/{platform}"

    def keys_url(self, platform: str) -> str:
        """Return the URL of the issuer's public keys."""
        return f"{self.issuer(platform)}/keys"

    def environment(self) -> dict[str, str]:
        """Return the variables by which a function finds its platform's token server."""
        return {
            "GCE_METADATA_HOST": self._address(),
            "IDENTITY_ENDPOINT": f"http://{self._address()}{_IDENTITY}",
            "IDENTITY_HEADER": self._header,
        }

    def token(
        self,
        platform: str,
        audience: str,
        *,
        key: rsa.RSAPrivateKey | None = None,
        **changed: Any,
    ) -> str:
        """Return a signed token (RS256, RFC 7515); `changed` replaces claims."""
        subject = self._subjects[platform]
        now = clock.now() // 1000
        claims = {
            "iss": self.issuer(platform),
            "sub": subject.sub,
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME_SECONDS,
            **subject.claims,
            **changed,
        }
        head = _b64(msgspec.json.encode({"alg": "RS256", "typ": "JWT", "kid": _KEY_ID}))
        signed = f"{head}.{_b64(msgspec.json.encode(claims))}"
        signature = (key or self._key).sign(signed.encode(), padding.PKCS1v15(), SHA256())
        return f"{signed}.{_b64(signature)}"

    def answer(self, url: str, headers: Message) -> tuple[int, bytes]:
        """Return status and body of one request to the token server."""
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append(url)
        if parts.path.startswith(_ACCOUNT):
            return self._metadata(parts.path.removeprefix(_ACCOUNT), query, headers)
        if parts.path == _IDENTITY:
            return self._identity(query, headers)
        _, platform, document = [*parts.path.split("/", 2), "", ""][:3]
        if platform in self._subjects and document in {"keys", ".well-known/openid-configuration"}:
            return 200, self._keys() if document == "keys" else self._discovery(platform)
        return 404, b"not found"

    def _metadata(self, path: str, query: Mapping[str, str], headers: Message) -> tuple[int, bytes]:
        """Answer for Google.
        https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
        """
        if headers.get("Metadata-Flavor") != "Google":
            return 403, b"Missing required header: Metadata-Flavor"
        if path == "/token":
            return 200, msgspec.json.encode(
                {
                    "access_token": secrets.token_urlsafe(32),
                    "expires_in": _LIFETIME_SECONDS,
                    "token_type": "Bearer",
                }
            )
        if path != "/identity":
            return 404, b"not found"
        if not query.get("audience"):
            return 400, b"non-empty audience parameter required"
        return 200, self.token(GOOGLE, query["audience"]).encode()

    def _identity(self, query: Mapping[str, str], headers: Message) -> tuple[int, bytes]:
        """Answer for Azure. https://learn.microsoft.com/azure/app-service/overview-managed-identity"""
        if not secrets.compare_digest(headers.get("X-IDENTITY-HEADER", ""), self._header):
            return 401, b'{"statusCode":401,"message":"Unauthorized"}'
        if query.get("api-version") != "2019-08-01" or not query.get("resource"):
            return 400, b'{"statusCode":400,"message":"bad api-version or resource"}'
        resource = query["resource"]
        token = self.token(ENTRA, resource)
        until = clock.now() // 1000 + _LIFETIME_SECONDS
        answer = {
            "access_token": token,
            "expires_on": str(until),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": query.get("client_id", "00000000-0000-0000-0000-000000000000"),
        }
        return 200, msgspec.json.encode(answer)

    def _discovery(self, platform: str) -> bytes:
        metadata = {"issuer": self.issuer(platform), "jwks_uri": self.keys_url(platform)}
        return msgspec.json.encode(metadata)

    def _keys(self) -> bytes:
        public = self._key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "kid": _KEY_ID,
            "alg": "RS256",
            "use": "sig",
            "n": _b64(public.n.to_bytes(256)),
            "e": _b64(public.e.to_bytes(3)),
        }
        return msgspec.json.encode({"keys": [key]})

    def _address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class _Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as inherited
                """Log nothing; `asked` has every request."""

            def do_GET(self) -> None:
                status, body = issuer.answer(self.path, self.headers)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Metadata-Flavor", "Google")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return _Handler


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
