"""What the exporter spends on a file, its SDK included, beside what it spent at commit 76634f1.

    python -m tests.bench.exporter

Both run on the same files in turns, each in a process of its own, through boto3 against a third
process that answers at once. That commit comes out of this repository's history; without it, what
was measured once is printed. A file was one GET and three PUTs there, compressed at level 1.
"""

from __future__ import annotations

import gzip
import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nhi_evidence.demo.story import bulk

ROOT = Path(__file__).parents[2]
COMMIT = "76634f1"
FILES, RECORDS, ROUNDS = 60, 150, 3
TARGET = 0.6
RECORDED = 0.80
"""This code's part of that commit's cost, 29 November 2026, where there is no history to ask."""

_SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
files = {path.name: path.read_bytes() for path in Path(sys.argv[1]).iterdir()}
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"0"')
        self.send_header("x-amz-version-id", "v1")
        self.send_header("Last-Modified", "Mon, 02 Mar 2026 08:15:30 GMT")
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(files[self.path.partition("?")[0].rpartition("/")[2]])
    def handle_expect_100(self):
        super().handle_expect_100()
        self.wfile.flush()
        return True
    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"")
    def log_message(self, *_): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""

_BOTH = """
import sys, time, boto3
from botocore.config import Config
names = sys.argv[2].split(",")
client = boto3.client(
    "s3", region_name="eu-central-1", endpoint_url=sys.argv[1],
    aws_access_key_id="testing", aws_secret_access_key="testing",
    config=Config(s3={"addressing_style": "path"}),
)
OWNER = "111122223333"
"""

_LOOP = """
export()
for line in sys.stdin:
    began = time.process_time()
    export()
    print(time.process_time() - began, flush=True)
"""

_NOW = """
from concurrent.futures import ThreadPoolExecutor
from nhi_evidence.adapters.aws.fetch_ahead import MAX_OBJECTS, FetchAhead
from nhi_evidence.adapters.aws.s3_notification import ObjectRef
from nhi_evidence.adapters.aws.s3_source import S3Source, SourceBucket
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
source = S3Source(client, (SourceBucket("logs", OWNER),), mapper.source)
writer = S3EvidenceWriter(client, "evidence", owner=OWNER)
threads = ThreadPoolExecutor(MAX_OBJECTS)
def export():
    objects = [source.announce(ObjectRef("logs", name, "v1")) for name in names]
    ahead = FetchAhead(source, objects, threads).announced()
    lock_batch(mapper, ahead, writer, metadata={"writer": "bench"}).ensure_locked()
"""

_THEN = """
from nhi_evidence.adapters.s3_notification import ObjectRef
from nhi_evidence.adapters.s3_source import S3Source, SourceBucket
from nhi_evidence.adapters.s3_store import S3EvidenceWriter
from nhi_evidence.export import Mapper
from nhi_evidence.lock import lock
mapper = Mapper("aws_cloudtrail")
source = S3Source(client, (SourceBucket("logs", OWNER),), mapper.source)
writer = S3EvidenceWriter(client, "evidence", owner=OWNER)
def export():
    for name in names:
        delivery = source.fetch(ObjectRef("logs", name, "v1", 1))
        lock(mapper, delivery, writer, keep_source=True, metadata={"writer": "bench"})
"""


def name_of(number: int) -> str:
    """Key of a file as CloudTrail names it."""
    return f"111122223333_CloudTrail_eu-central-1_20260302T0815Z_{number:016}.json.gz"


def unpacked(folder: Path) -> Path | None:
    """Put the code of the commit into a folder; None without the history."""
    command = ["git", "-C", str(ROOT), "archive", COMMIT, "shared"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        # Debian's Python 3.11 has no filter yet, and later ones ask for one.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(folder)  # noqa: S202 what git wrote of our own files
    return folder / "shared"


@contextmanager
def running(code: str, *arguments: str, path: Path | None = None) -> Iterator[Any]:
    """Run a program that is told by a line when to go on, with our code or that of a folder."""
    environment = {"PYTHONPATH": str(path or ROOT / "shared"), "AWS_EC2_METADATA_DISABLED": "true"}
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def once(process: Any) -> float:
    """Let a program export all files; return its processor time, in milliseconds a file."""
    process.stdin.write("go\n")
    process.stdin.flush()
    return float(process.stdout.readline()) / FILES * 1e3


def measured() -> tuple[list[float], list[float]]:
    """Return what a file costs now and at that commit, round by round; no second without it."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name) / "files"
        folder.mkdir()
        for number in range(FILES):
            body = gzip.compress(bulk(seed=number, records=RECORDS), 6)
            (folder / name_of(number)).write_bytes(body)
        server = stack.enter_context(running(_SERVER, str(folder)))
        address = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        arguments = (address, ",".join(map(name_of, range(FILES))))
        programs = [stack.enter_context(running(_BOTH + _NOW + _LOOP, *arguments))]
        then = unpacked(Path(name) / "then")
        if then is not None:
            programs.append(
                stack.enter_context(running(_BOTH + _THEN + _LOOP, *arguments, path=then))
            )
        rounds = [[once(program) for program in programs] for _ in range(ROUNDS)]
    now, *before = map(list, zip(*rounds, strict=True))
    return now, before[0] if before else []


def text(now: list[float], then: list[float]) -> str:
    """Return the row, and whether the target is met."""
    cost = f"exporter        {statistics.median(now):.1f} ms of a processor a file of {RECORDS}"
    cost += f" records, its GET through boto3 in it, {FILES} files to an object"
    if not then:
        return f"{cost}; {RECORDED:.2f} of commit {COMMIT} when that was last measured\n"
    ratio = statistics.median(mine / theirs for mine, theirs in zip(now, then, strict=True))
    verdict = "met" if ratio <= TARGET else "not met"
    return (
        f"{cost}; {COMMIT}: {statistics.median(then):.1f} ms\n"
        f"  exporter / commit {COMMIT}  {ratio:.2f}  <= {TARGET}  {verdict}\n"
    )


if __name__ == "__main__":
    sys.stdout.write(text(*measured()))
