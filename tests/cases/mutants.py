"""Runs golden cases on a copy of the library, whose code a test changes from case to case.

For each line of its input (a case's path, its source, the file that is changed) it forks a process
that imports anew what depends on the file, and answers with a line of JSON: the differences, or the
traceback. Everything else is loaded once. Were too little imported anew, the mutation would not
show, and its test fail.
"""

from __future__ import annotations

import ast
import gc
import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

LOADS_PACKS = "nhi_evidence.sources"
"""Imports packs by name, so that no statement of it tells."""


def differing(case: str, source: str) -> list[str]:
    """Return what a case expects that the library, imported as it is now, does not give."""
    from nhi_evidence.pipeline.export import Mapper  # noqa: PLC0415 - anew in each process
    from nhi_evidence.pipeline.scope import Scope  # noqa: PLC0415
    from tests.cases.reader import differences, outcome, read  # noqa: PLC0415

    case_files = read(Path(case))
    mapper = Mapper(source, scope=Scope.ALL, keep_out_of_scope_raw=False)
    return differences(case_files, outcome(case_files, mapper))


def _load() -> None:
    """Load what every case needs of others' code, with the library as it is unchanged."""
    from nhi_evidence import sources  # noqa: PLC0415 - only this once
    from tests.cases.reader import cases  # noqa: PLC0415

    for source in sources.names():
        for path in list(cases(source).values())[:1]:
            differing(str(path), source)


def _imports() -> Mapping[str, set[str]]:
    """Return each of our loaded modules with the modules its statements import."""
    return {
        name: _imported(Path(str(module.__file__)))
        for name, module in sys.modules.items()
        if name.partition(".")[0] in {"nhi_evidence", "tests"} and module.__file__
    }


def _imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return names


def _depending(changed: str, imports: Mapping[str, set[str]]) -> set[str]:
    """Return a module and the packs' loader, and what imports them, directly or not."""
    depending = {changed, LOADS_PACKS}
    while more := {name for name, of in imports.items() if of & depending} - depending:
        depending |= more
    return depending


def _answer(case: str, source: str, changed: str, imports: Mapping[str, set[str]]) -> None:
    module = "nhi_evidence." + changed.removesuffix(".py").replace("/", ".")
    for name in _depending(module, imports):
        sys.modules.pop(name, None)
        package, _, last = name.rpartition(".")
        if package in sys.modules:  # else `from package import last` is what it was
            vars(sys.modules[package]).pop(last, None)
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
    imports = _imports()
    # A look at what a process shares with its parent would copy it.
    gc.collect()
    gc.freeze()
    gc.disable()
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            case, source, changed = line.rstrip("\n").split("\t")
            _answer(case, source, changed, imports)
            os._exit(0)
        os.waitpid(process, 0)


if __name__ == "__main__":
    main()
