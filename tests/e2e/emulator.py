"""MiniStack with IAM enforced and TLS: several AWS accounts on this machine.

The access key id is the account: whoever signs as `222233334444` is that account's root.
https://github.com/ministackorg/ministack
"""

from __future__ import annotations

import os
import secrets
import socket
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".tools" / "emulator" / "bin" / "ministack"
"""Made by `make e2e`: it pins an SDK of its own, so it has an environment of its own."""

SECRET = "test"
REGION = "eu-central-1"
_LOOPBACK = "127.0.0.1"
_READY_SECONDS = 60.0
_STOP_SECONDS = 3.0


class Emulator:
    """One running emulator; a context manager. Nothing outlives it."""

    def __init__(self, folder: Path, *, region: str = REGION) -> None:
        """Keep certificate, state and log under `folder`."""
        self.folder = folder
        self.region = region
        self.port = _free_port()
        self.certificate = folder / "certificate.pem"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where every service answers."""
        return f"https://{_LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        """What the emulator and the functions in it print."""
        return self.folder / "emulator.log"

    def environment(self, account: str) -> dict[str, str]:
        """Return what a child process needs to act as the root of `account`, and nothing else."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CA_BUNDLE": str(self.certificate),
            "NODE_EXTRA_CA_CERTS": str(self.certificate),
            "SSL_CERT_FILE": str(self.certificate),
        }

    def client(self, service: str, account: str, region: str | None = None, **request: Any) -> Any:
        """Return a client of one service as the root of `account`, in its region or another."""
        return self.session(account).client(
            service,  # type: ignore[call-overload]
            region_name=region,
            endpoint_url=self.endpoint,
            verify=str(self.certificate),
            config=Config(
                retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **request
            ),
        )

    def session(self, account: str) -> boto3.session.Session:
        """Return a session of the root of `account`."""
        return boto3.session.Session(
            aws_access_key_id=account, aws_secret_access_key=SECRET, region_name=self.region
        )

    def credentials(self, role: str, account: str) -> dict[str, str]:
        """Return the environment of a session of a role that the root of `account` takes."""
        session = self.client("sts", account).assume_role(RoleArn=role, RoleSessionName="e2e")
        return {
            "AWS_ACCESS_KEY_ID": session["Credentials"]["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["Credentials"]["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["Credentials"]["SessionToken"],
        }

    def __enter__(self) -> Emulator:
        self.folder.mkdir(parents=True, exist_ok=True)
        key = self._certify()
        settings = {
            "AUTH": "true",  # any other word is off
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(self.certificate),
            "MINISTACK_SSL_KEY": str(key),
            "MINISTACK_REGION": self.region,
            # The address it hands out, in queue URLs and to the functions it runs.
            "MINISTACK_HOST": _LOOPBACK,
            "BIND_HOST": _LOOPBACK,
            "GATEWAY_PORT": str(self.port),
            "TMPDIR": str(self.folder),
            "STATE_DIR": str(self.folder / "state"),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "LAMBDA_EXECUTOR": "local",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [PROGRAM],
                env=self.environment("000000000000") | settings,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # Under TLS it waits for connections nobody holds any more.
            process.kill()
            process.wait()

    def _wait(self) -> None:
        trusted = ssl.create_default_context(cafile=str(self.certificate))
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                with urlopen(f"{self.endpoint}/_ministack/health", context=trusted, timeout=2):  # noqa: S310 our own loopback
                    return
            except (URLError, OSError):
                time.sleep(0.1)
        words = self.log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"the emulator did not start:\n{words}")

    def _certify(self) -> Path:
        """Make a certificate of this machine that everybody in the test is told to trust."""
        secret = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "emulator")])
        begins = datetime.now(UTC) - timedelta(hours=1)
        names = [x509.DNSName("localhost"), x509.DNSName("*.localhost")]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(secret.public_key())
            .serial_number(secrets.randbits(64))
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=2))
            .add_extension(
                x509.SubjectAlternativeName([*names, x509.IPAddress(ip_address(_LOOPBACK))]),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(secret, hashes.SHA256())
        )
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key = self.folder / "key.pem"
        key.touch(mode=0o600)
        key.write_bytes(
            secret.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return key


def wait_until(what: str, happens: Any, *, seconds: float = 30.0) -> Any:
    """Return the first true answer of `happens`, or fail saying what did not come."""
    deadline = time.monotonic() + seconds
    while not (answer := happens()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)
    return answer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])
