"""What one GET of a delivered file costs who makes it: `python -m tests.bench.requests`.

The server is another process that answers at once, so what is left is the client: boto3 as the
exporter uses it, the same signature with nothing but botocore's signer over urllib3, and obstore
(Rust) where it is installed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec

import boto3
import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

SIZE = 17_000
"""Bytes of a packed file of 150 records."""
GETS, ROUNDS = 100, 5
REGION = "eu-central-1"

_SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
body = b"x" * int(sys.argv[1])
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"0"')
        self.send_header("Last-Modified", "Mon, 02 Mar 2026 08:15:30 GMT")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def serving() -> Iterator[str]:
    """Serve from another process; yield its address."""
    command = [sys.executable, "-c", _SERVER, str(SIZE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.terminate()


def by_boto3(endpoint: str) -> Callable[[str], bytes]:
    """`get_object`, as the exporter calls it."""
    client = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(s3={"addressing_style": "path"}),
    )
    return lambda key: client.get_object(Bucket="logs", Key=key)["Body"].read()


def by_signer(endpoint: str) -> Callable[[str], bytes]:
    """The same request, signed by botocore's signer and sent by urllib3."""
    pool = urllib3.PoolManager()
    signer = S3SigV4Auth(Credentials("testing", "testing"), "s3", REGION)

    def get(key: str) -> bytes:
        request = AWSRequest("GET", f"{endpoint}/logs/{key}")
        signer.add_auth(request)
        answer = pool.request("GET", request.url or "", headers=dict(request.headers))
        assert answer.status == 200
        return answer.data

    return get


def by_obstore(endpoint: str) -> Callable[[str], bytes]:
    """Rust's object_store."""
    store = import_module("obstore.store").S3Store(
        "logs",
        region=REGION,
        endpoint=endpoint,
        access_key_id="testing",
        secret_access_key="testing",
        client_options={"allow_http": True},
    )
    return lambda key: bytes(store.get(key).bytes())


def main() -> None:
    """Print processor time and wall time of a GET by each, medians of interleaved rounds."""
    with serving() as endpoint:
        clients = {
            "boto3": by_boto3(endpoint),
            "botocore's signer, urllib3": by_signer(endpoint),
        }
        if find_spec("obstore"):
            clients["obstore"] = by_obstore(endpoint)
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in clients}
        for _ in range(ROUNDS):
            for name, get in clients.items():
                cpu, wall = time.process_time(), time.perf_counter()
                for number in range(GETS):
                    assert len(get(f"file{number}.json.gz")) == SIZE
                spent[name].append((time.process_time() - cpu, time.perf_counter() - wall))
        for name, rounds in spent.items():
            cpu, wall = (statistics.median(each) / GETS * 1e3 for each in zip(*rounds, strict=True))
            sys.stdout.write(f"GET of {SIZE} bytes, {name:28}{cpu:6.2f} ms CPU{wall:7.2f} ms\n")


if __name__ == "__main__":
    main()
