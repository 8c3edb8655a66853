"""Runs golden cases on a copy of the library, whose code a test changes from case to case.

For each line of its input, a case's path and its source, it forks a process that imports the copy
anew and answers with a line of JSON: the differences, or the traceback. The interpreter, other
libraries and compiled expressions, which no mutation is of, are loaded once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

OURS = {"nhi_evidence", "tests"}


def differing(case: str, source: str) -> list[str]:
    """Return what a case expects that the library, imported as it is now, does not give."""
    from nhi_evidence.pipeline.export import Mapper  # noqa: PLC0415 - anew in each process
    from nhi_evidence.pipeline.scope import Scope  # noqa: PLC0415
    from tests.cases.reader import differences, outcome, read  # noqa: PLC0415

    given = read(Path(case))
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=False)
    return differences(given, outcome(given, mapper))


def _load() -> None:
    """Load what every case needs of others' code, with the library as it is unchanged."""
    from nhi_evidence import sources  # noqa: PLC0415 - only this once
    from tests.cases.reader import cases  # noqa: PLC0415

    for source in sources.names():
        for path in list(cases(source).values())[:1]:
            differing(str(path), source)


def _answer(case: str, source: str) -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] in OURS]:
        del sys.modules[name]
    answer: object
    try:
        answer = differing(case, source)
    except Exception:
        answer = {"error": traceback.format_exc()}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer line by line until the input ends."""
    _load()
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            _answer(*line.rstrip("\n").split("\t"))
            os._exit(0)
        os.waitpid(process, 0)


if __name__ == "__main__":
    main()
