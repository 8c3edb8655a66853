"""What surrounds the line: memory of one export, import of the entry, size of the bundle."""

from __future__ import annotations

import gzip
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.bundle import stage
from nhi_evidence.demo.story import bulk

ROOT = Path(__file__).parents[2]

_PEAK = """
import sys
from pathlib import Path
def peak():
    # Not getrusage: its maximum is inherited from the process that started this one.
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
before = peak()
body = Path(sys.argv[1]).read_bytes()
for packed in mapper.packer.pack(mapper.units(Delivery(unit="b/k@1", body=body))):
    del packed
print(peak() - before)
"""

_IMPORTS = {
    "boto3.client": "import boto3; boto3.client('s3', region_name='us-east-1')",
    # The framework is what the platform brings; it is loaded before the function is.
    "functions_framework": "import functions_framework",
    "gcp_export": "import sys; sys.path.insert(0, 'functions/gcp_export'); import main",
    # So are the Azure library and its worker's.
    "azure.functions": "import azure.functions",
    "azure_export": "import sys; sys.path.insert(0, 'functions/azure_export'); import function_app",
    "aws_export": "import sys; sys.path.insert(0, 'functions/aws_export'); import handler",
}


def memory(records: int) -> tuple[float, float]:
    """Return inflated size and peak growth, in MB, of exporting one file in a fresh process."""
    document = bulk(seed=11, records=records)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.json.gz"
        path.write_bytes(gzip.compress(document, 6))
        peak = int(_python(_PEAK, str(path)))
    return len(document) / 1e6, peak * 1024 / 1e6


def imports(rounds: int) -> dict[str, float]:
    """Return CPU seconds, medians over interleaved fresh processes."""
    spent: dict[str, list[float]] = {name: [] for name in _IMPORTS}
    for _ in range(rounds):
        for name, code in _IMPORTS.items():
            timed = f"import time; t = time.process_time(); {code}; print(time.process_time() - t)"
            spent[name].append(float(_python(timed)))
    return {name: statistics.median(times) for name, times in spent.items()}


def bundle() -> float:
    """Return MB of the Lambda bundle as it is deployed."""
    with tempfile.TemporaryDirectory() as folder:
        return stage("aws_export", into=Path(folder)).size / 1e6


def _python(code: str, *arguments: str) -> str:
    return _run([sys.executable, "-c", code, *arguments])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
