"""Platform tokens: how long one is kept, what is requested, and that no secret can get in."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from nhi_evidence.adapters import platform_token, web_identity
from nhi_evidence.adapters.azure import identity as azure_identity
from nhi_evidence.adapters.gcp import identity as gcp_identity
from nhi_evidence.adapters.platform_token import EARLY_MS, PlatformToken
from nhi_evidence.embedded.issuer import ENTRA, GOOGLE, EmbeddedIssuer
from nhi_evidence.errors import TokenUnavailableError
from tests.web_identity import issuer

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="platforms")
def _platforms(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedIssuer]:
    with issuer() as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


def test_a_token_is_kept_until_shortly_before_it_ends(platforms: EmbeddedIssuer) -> None:
    """It is requested once while valid, and again from five minutes before its end."""
    end = 2_000_000_000
    tokens: list[str] = []
    instant = [0]

    def fetch() -> str:
        tokens.append(platforms.token(GOOGLE, "a", exp=end + len(tokens) * 3600))
        return tokens[-1]

    token = PlatformToken("the platform", fetch, now=lambda: instant[0])
    instant[0] = end * 1000 - EARLY_MS - 1
    assert [token(), token()] == [tokens[0]] * 2
    instant[0] += 1
    assert [token(), token()] == [tokens[1]] * 2
    assert len(tokens) == 2


@pytest.mark.parametrize("answer", ["", "a.b", "a.!.c", "a.e30.c", "<html>", "a.bnVsbA.c"])
def test_an_invalid_token_is_not_returned(answer: str) -> None:
    """An answer that is not a JSON Web Token with an expiry is refused, without showing it."""
    with pytest.raises(TokenUnavailableError, match="the platform answers with no JSON Web Token"):
        PlatformToken("the platform", lambda: answer)()


def test_claims_are_read_in_every_form() -> None:
    """An audience may be a list (RFC 7519, 4.1.3), and base64 comes without its padding."""
    text = "eyJpc3MiOiJpIiwic3ViIjoicyIsImV4cCI6MSwiYXVkIjpbImEiLCJiIl19"
    assert platform_token.Claims("i", "s", 1, ("a", "b")) == platform_token.claims(f"x.{text}.y")


def test_each_platform_is_asked_as_it_documents(platforms: EmbeddedIssuer) -> None:
    """With the exact audience; in Google's full format; with Azure's API version and identity."""
    gcp_identity.token("https://evidence.example.com/a b")()
    azure_identity.token("api://evidence")()
    azure_identity.token("api://evidence", client_id="0f0f0f0f")()
    google, system, user = (parse_qs(urlsplit(url).query) for url in platforms.asked)
    assert {"audience": ["https://evidence.example.com/a b"], "format": ["full"]} == google
    assert {"resource": ["api://evidence"], "api-version": ["2019-08-01"]} == system
    assert system | {"client_id": ["0f0f0f0f"]} == user
    claims = platform_token.claims(azure_identity.token("api://evidence")())
    assert claims is not None
    assert (platforms.issuer(ENTRA), "api://evidence") == (claims.iss, claims.aud)


SECRETS = re.compile(
    r"aws_access_key|aws_secret|AWS_ACCESS|AWS_SECRET|GOOGLE_APPLICATION|google\.auth|"
    r"service_account_(?:file|info)|ClientSecret|CLIENT_SECRET|CertificateCredential|"
    r"ConnectionString|connection_string|SharedAccessKey|AccountKey|\.pem\b"
)
OPERATOR = {"log_listing.py", "staged_files.py"}
"""A command lists logs with its user's credentials; no function imports this."""
PROBES = {"aws_calls.py"}
"""Makes calls with a key that no account has, and with a session it is given: neither lasts."""


def test_no_parameter_takes_a_secret() -> None:
    """The keyless code has no parameter that could take a key, a secret or a file."""
    expected = {"role_arn", "session_name", "token", "region", "endpoint_url"}
    assert expected == set(inspect.signature(web_identity.role_client).parameters)
    assert {"audience"} == set(inspect.signature(gcp_identity.token).parameters)
    assert {"audience", "client_id"} == set(inspect.signature(azure_identity.token).parameters)


def test_no_shipped_code_names_a_static_credential() -> None:
    """No code of a function reads a key, names a variable with one, or passes one on."""
    shipped = [
        path
        for folder in ("shared/nhi_evidence/adapters", "functions")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name not in OPERATOR | PROBES
    ]
    assert len(shipped) > 10
    modules = re.compile("|".join(sorted(name.removesuffix(".py") for name in OPERATOR)))
    assert [] == [path.name for path in shipped if modules.search(path.read_text("utf-8"))]
    offenders = [
        f"{path.name}: {match[0]}"
        for path in shipped
        for match in SECRETS.finditer(path.read_text(encoding="utf-8"))
    ]
    assert [] == offenders
    assert [] == [where for path in shipped for where in _positional_sessions(path)]


def _positional_sessions(path: Path) -> list[str]:
    """Return calls of `Session` with positional arguments: the first two would be a key."""
    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Session") and node.args
    ]
