"""Fuzz decode and map, guided by coverage. Bounded by time; prints executions.

python -m tests.fuzz --seconds 600 --seed 20261129
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

# Only what is imported in here is instrumented, so nothing of ours may be imported before.
with atheris.instrument_imports(include=["nhi_evidence"]):
    from tests.fuzz.target import one_input, seeds


def main() -> None:
    """Fuzz for the time asked for; libFuzzer closes with the number of executions."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the mutations; 0 draws one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, data in seeds().items():
            Path(folder, name).write_bytes(data)
        options = [
            f"-max_total_time={arguments.seconds}",
            f"-seed={arguments.seed}",
            "-max_len=4096",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
