"""Keyless access, against SeaweedFS's own check of OpenID Connect tokens."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa

from nhi_evidence.adapters.azure import identity as azure_identity
from nhi_evidence.adapters.gcp import identity as gcp_identity
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.adapters.web_identity import role_client
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.issuer import ENTRA, GOOGLE, EmbeddedIssuer
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.errors import (
    SettingsError,
    StoreUnavailableError,
    TokenRefusedError,
    TokenUnavailableError,
)
from tests.web_identity import AUDIENCE, SOURCE, federated_store, issuer

Token = Callable[[], str]
TOKEN: dict[str, Token] = {
    GOOGLE: gcp_identity.token(AUDIENCE[GOOGLE]),
    ENTRA: azure_identity.token(AUDIENCE[ENTRA]),
}


@pytest.fixture(scope="module")
def platforms() -> Iterator[EmbeddedIssuer]:
    """Running token servers."""
    with issuer() as running:
        yield running


@pytest.fixture(scope="module")
def federated(
    platforms: EmbeddedIssuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedStore]:
    """A store that trusts them."""
    with federated_store(tmp_path_factory.mktemp("federated"), platforms) as running:
        yield running


@pytest.fixture(autouse=True)
def on_the_platform(platforms: EmbeddedIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process what a platform gives a function."""
    for name, value in platforms.environment().items():
        monkeypatch.setenv(name, value)


def writer(store: EmbeddedStore, source: str, token: Token) -> S3EvidenceWriter:
    client = role_client(
        iam.writer_role(source),
        session_name=f"nhi-evidence-{source}",
        token=token,
        region="us-east-1",
        endpoint_url=store.endpoint_url,
    )
    return S3EvidenceWriter(client, iam.EVIDENCE_BUCKET)


def key(source: str, name: str) -> str:
    return f"ev/v1/{source}/h=unknown/{name}/0"


@pytest.mark.parametrize("platform", [GOOGLE, ENTRA])
def test_a_platform_token_writes_only_under_its_own_prefix(
    federated: EmbeddedStore, platform: str
) -> None:
    """It can write under its source's `ev/` prefix; it can write nowhere else, and read nothing."""
    source = SOURCE[platform]
    own = writer(federated, source, TOKEN[platform])
    assert own.put_new(key(source, "own"), b"x", metadata={}).created
    assert not own.put_new(key(source, "own"), b"x", metadata={}).created
    others = {"aws_cloudtrail", *SOURCE.values()} - {source}
    elsewhere = [key(one, "foreign") for one in others] + [
        "log/v1/2026/checkpoint/000000000000",
        "op/v1/heartbeat/h=unknown/x",
        f"src/v1/{source}/h=unknown/x",
        f"ev/v2/{source}/x",
        f"ev/v1/{source}x/h=unknown/x",
        "x",
    ]
    for name in elsewhere:
        with pytest.raises(StoreUnavailableError, match=r"AccessDenied.*PutObject"):
            own.put_new(name, b"x", metadata={})
    client = own._client
    refused: list[Callable[[], object]] = [
        lambda: client.get_object(Bucket=iam.EVIDENCE_BUCKET, Key=key(source, "own")),
        lambda: client.list_objects_v2(Bucket=iam.EVIDENCE_BUCKET),
        lambda: client.delete_object(Bucket=iam.EVIDENCE_BUCKET, Key=key(source, "own")),
    ]
    for act in refused:
        with pytest.raises(ClientError, match="AccessDenied"):
            act()


@pytest.mark.parametrize(("platform", "other"), [(GOOGLE, ENTRA), (ENTRA, GOOGLE)])
def test_a_token_cannot_assume_another_source_s_role(
    federated: EmbeddedStore, platform: str, other: str
) -> None:
    """A valid token of one platform is refused by the other's writer role, and by AWS's."""
    for source in (SOURCE[other], "aws_cloudtrail"):
        with pytest.raises(TokenRefusedError, match=source):
            writer(federated, source, TOKEN[platform]).put_new(key(source, "x"), b"x", metadata={})


def test_access_keys_cannot_assume_a_federated_role(federated: EmbeddedStore) -> None:
    """The AWS exporter's identity, which has keys in this store, cannot take those roles."""
    for source in SOURCE.values():
        with pytest.raises(ClientError, match="AccessDenied"):
            federated.client(federated.exporter, role_arn=iam.writer_role(source))


STRANGE = {
    "signature": {"key": rsa.generate_private_key(65537, 2048)},
    "audience": {"aud": "api://other"},
    "audience although authorized party": {"aud": "other", "azp": AUDIENCE[GOOGLE]},
    "subject": {"sub": "104321098765432109877"},
    "subject with a space": {"sub": "104321098765432109876 "},
    "expired": {"exp": 1_700_000_000},
    "not yet valid": {"nbf": 4_000_000_000},
    "issuer": {"iss": "https://accounts.google.com"},
}


@pytest.mark.parametrize("changed", STRANGE.values(), ids=STRANGE)
def test_a_wrong_token_gives_a_clear_error(
    federated: EmbeddedStore, platforms: EmbeddedIssuer, changed: dict[str, object]
) -> None:
    """A wrong signature, audience, subject, time or issuer is each refused; nothing is written."""
    token = platforms.token(GOOGLE, AUDIENCE[GOOGLE], **changed)  # type: ignore[arg-type]
    where = key("gcp_audit", "wrong-token")
    with pytest.raises(TokenRefusedError) as refused:
        writer(federated, "gcp_audit", lambda: token).put_new(where, b"x", metadata={})
    message = str(refused.value)
    assert iam.writer_role("gcp_audit") in message
    assert "the token states iss " in message
    assert token not in message
    assert token.rpartition(".")[2] not in message
    listed = federated.client(federated.admin).list_object_versions(
        Bucket=iam.EVIDENCE_BUCKET, Prefix=where
    )
    assert "Versions" not in listed


def test_after_a_refusal_the_next_delivery_tries_again(
    federated: EmbeddedStore, platforms: EmbeddedIssuer
) -> None:
    """Once the role accepts the token it is used: a refusal does not break the client."""
    answers = [platforms.token(GOOGLE, "api://other"), platforms.token(GOOGLE, AUDIENCE[GOOGLE])]
    own = writer(federated, "gcp_audit", lambda: answers.pop(0))
    with pytest.raises(TokenRefusedError):
        own.put_new(key("gcp_audit", "again"), b"x", metadata={})
    assert own.put_new(key("gcp_audit", "again"), b"x", metadata={}).created


def test_a_session_is_kept_and_renewed_before_it_ends(
    federated: EmbeddedStore, platforms: EmbeddedIssuer
) -> None:
    """One exchange serves many writes; close to its end the session is renewed automatically."""
    tokens: list[str] = []

    def token() -> str:
        tokens.append(platforms.token(GOOGLE, AUDIENCE[GOOGLE]))
        return tokens[-1]

    own = writer(federated, "gcp_audit", token)
    for number in range(3):
        own.put_new(key("gcp_audit", f"kept-{number}"), b"x", metadata={})
    assert len(tokens) == 1
    credentials = own._client._request_signer._credentials  # type: ignore[attr-defined]
    real = credentials._time_fetcher
    credentials._time_fetcher = lambda: real() + (credentials._expiry_time - real()) * 0.9
    own.put_new(key("gcp_audit", "renewed"), b"x", metadata={})
    assert len(tokens) == 2


@pytest.mark.slow
def test_a_run_longer_than_a_session_goes_on(platforms: EmbeddedIssuer, tmp_path: Path) -> None:
    """After a session has ended, its keys are useless and the writer has new ones."""
    with federated_store(tmp_path, platforms, session_seconds=2) as store:
        own = writer(store, "azure_monitor", TOKEN[ENTRA])
        put_within_a_session(own, key("azure_monitor", "before"))
        credentials = own._client._request_signer._credentials  # type: ignore[attr-defined]
        first = credentials._frozen_credentials
        session = boto3.session.Session(first.access_key, first.secret_key, first.token)
        old = session.client("s3", endpoint_url=store.endpoint_url, region_name="us-east-1")
        with pytest.raises(ClientError) as ended:
            for number in itertools.count():
                name = key("azure_monitor", f"old-{number}")
                old.put_object(Bucket=iam.EVIDENCE_BUCKET, Key=name, Body=b"x")
                time.sleep(0.1)
        assert ended.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        put_within_a_session(own, key("azure_monitor", "after"))


def put_within_a_session(own: S3EvidenceWriter, name: str) -> None:
    """Put an object, again where the machine let two seconds pass on the way to the store."""
    for _ in range(100):
        try:
            assert own.put_new(name, b"x", metadata={}).created
        except StoreUnavailableError as error:
            assert "InvalidAccessKeyId" in str(error), error  # the store has forgotten the session
        else:
            return
    raise AssertionError("no session is of use")


def test_a_platform_that_issues_no_token_is_named(
    platforms: EmbeddedIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any answer without a token is an error that names the platform and quotes the answer."""
    with pytest.raises(TokenUnavailableError, match=r"the metadata server .*400.*audience"):
        gcp_identity.token("")()
    monkeypatch.setenv("GCE_METADATA_HOST", f"{urlsplit(platforms.issuer(GOOGLE)).netloc}/google")
    with pytest.raises(TokenUnavailableError, match=r"the metadata server .*404"):
        gcp_identity.token("a")()
    with pytest.raises(TokenUnavailableError, match=r"managed identity endpoint .*400"):
        azure_identity.token("")()
    monkeypatch.setenv("IDENTITY_ENDPOINT", platforms.keys_url(ENTRA))
    with pytest.raises(
        TokenUnavailableError, match="managed identity endpoint gives an invalid answer"
    ):
        azure_identity.token("api://x")()
    monkeypatch.delenv("IDENTITY_HEADER")
    with pytest.raises(SettingsError, match="IDENTITY_HEADER is not set"):
        azure_identity.token("api://x")()


PROGRAM = """
import json, sys
opened, reached = [], []
def watch(event, arguments):
    if event == "open":
        opened.append(str(arguments[0]))
    if event == "socket.connect":
        reached.append(arguments[1][1])
sys.addaudithook(watch)
from nhi_evidence.adapters.azure import identity as azure_identity
from nhi_evidence.adapters.gcp import identity as gcp_identity
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.adapters.web_identity import role_client
from nhi_evidence.errors import EvidenceError
said = []
for kind, audience, role, bucket, key, endpoint in json.load(sys.stdin):
    token = {"google": gcp_identity, "entra": azure_identity}[kind].token(audience)
    client = role_client(
        role, session_name="nhi", token=token, region="us-east-1", endpoint_url=endpoint
    )
    try:
        S3EvidenceWriter(client, bucket).put_new(key, b"x", metadata={})
        said.append("written")
    except EvidenceError as error:
        said.append(type(error).__name__)
print(json.dumps([said, opened, sorted(set(reached))]))
"""


def test_static_credentials_are_never_used(
    federated: EmbeddedStore, platforms: EmbeddedIssuer, tmp_path: Path
) -> None:
    """The store's own administrator keys are everywhere an SDK looks, and are never used.

    A valid token writes as its role, not as the administrator; a refused one writes nothing. None
    of the files is opened, and only the platform and the store are contacted.
    """
    admin = federated.admin
    shared, config, google = (tmp_path / name for name in ("credentials", "config", "key.json"))
    pair = f"aws_access_key_id={admin.access_key}\naws_secret_access_key={admin.secret_key}\n"
    shared.write_text(f"[default]\n{pair}[hostile]\n{pair}")
    config.write_text(f"[profile hostile]\nregion=eu-west-3\n{pair}[default]\n{pair}")
    google.write_text(json.dumps({"type": "service_account", "private_key": "x"}))
    token_file = tmp_path / "token"
    token_file.write_text(platforms.token(GOOGLE, AUDIENCE[GOOGLE]))
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text(shared.read_text())
    (home / ".aws" / "config").write_text(config.read_text())
    environment = {
        **platforms.environment(),
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": admin.access_key,
        "AWS_SECRET_ACCESS_KEY": admin.secret_key,
        "AWS_PROFILE": "hostile",
        "AWS_SHARED_CREDENTIALS_FILE": str(shared),
        "AWS_CONFIG_FILE": str(config),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file),
        "AWS_ROLE_ARN": iam.writer_role("azure_monitor"),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/credentials",
        "GOOGLE_APPLICATION_CREDENTIALS": str(google),
        "CLOUDSDK_CONFIG": str(tmp_path),
        "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000001",
        "AZURE_CLIENT_SECRET": "hostile",
        "AZURE_TENANT_ID": "00000000-0000-0000-0000-000000000002",
        "HTTP_PROXY": "",
        "NO_PROXY": "*",
    }
    tries = [
        (kind, audience, iam.writer_role(SOURCE[kind]), iam.EVIDENCE_BUCKET, where)
        for kind in SOURCE
        for audience, where in (
            (AUDIENCE[kind], key(SOURCE[kind], "keyless")),
            (AUDIENCE[kind], key("aws_cloudtrail", f"keyless-{kind}")),
            ("api://refused", key(SOURCE[kind], "refused")),
        )
    ]
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps([(*one, federated.endpoint_url) for one in tries]),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,  # hung, however busy the machine
    )
    results, opened, reached = json.loads(ran.stdout)
    assert ["written", "StoreUnavailableError", "TokenRefusedError"] * 2 == results
    assert [] == [path for path in opened if path.startswith(str(tmp_path))]
    expected = {urlsplit(platforms.issuer(GOOGLE)).port, urlsplit(federated.endpoint_url).port}
    assert sorted(expected) == reached  # type: ignore[type-var]
