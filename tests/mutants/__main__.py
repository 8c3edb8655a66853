"""Make mutants and run the tests on each; every one that lives must be listed with a reason.

python -m tests.mutants                     all of them
python -m tests.mutants catalog/ --list     what there is to change in some files
python -m tests.mutants --part 1/4          a quarter, for a job of its own
python -m tests.mutants --due               of files whose code the table has no figures of
python -m tests.mutants --again OUTPUT      of files whose run is in OUTPUT, those that lived

After tests were added, `--again` is enough: what was noticed still is. A file whose code has
changed since is run as a whole. `python -m tests.docs mutants < OUTPUT` puts the figures into the
table of CONTRIBUTING.md.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import tomllib
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.mutants import outcome, quick, run
from tests.mutants.code_digest import code_digest
from tests.mutants.mutate import Mutant, mutants
from tests.mutants.outcome import Figures, Outcome
from tests.mutants.run import Fate, Target

HERE = Path(__file__).parent
TABLE = run.ROOT / "CONTRIBUTING.md"

SLOWER = 5
"""A run that uses so many times the processor time of the unchanged code, and 3 seconds, hangs."""


def targets() -> list[Target]:
    """Return which files are mutated."""
    table = tomllib.loads((HERE / "targets.toml").read_text())
    return msgspec.convert(table["targets"], list[Target])


def listed() -> dict[str, dict[str, str]]:
    """Return which mutants may live: file to mutant to reason."""
    return tomllib.loads((HERE / "survivors.toml").read_text())


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Task(NamedTuple):
    """The mutants of one file that are run."""

    target: Target
    source: bytes
    mutants: list[Mutant]
    noticed: int
    """How many more a run before noticed, of the same code: they are not run again."""
    part: str
    """Which part of the file is run, if not all of it: its figures are not the file's."""

    @classmethod
    def of(cls, target: Target, before: Outcome, part: int, parts: int) -> Task:
        """Return what is left to run of a file after a run before."""
        source = (run.PACKAGE / target.file).read_bytes()
        chosen = list(mutants(source))[part - 1 :: parts]
        figures = before.figures.get(target.file)
        if figures is None or figures.code != code_digest(source):
            lived = chosen
        else:
            lived = [each for each in chosen if (target.file, each.name) in before.lived]
        label = f", part {part} of {parts}" if parts > 1 else ""
        return cls(target, source, lived, len(chosen) - len(lived), label)


def tasks(options: argparse.Namespace) -> list[Task]:
    """Return what a command asks to run."""
    before = Outcome({}, set())
    if options.again is not None:
        before = outcome.read(options.again.read_text())
    counted = outcome.rows(TABLE.read_text(encoding="utf-8")) if options.due else {}
    part, parts = map(int, options.part.split("/"))
    chosen = [
        Task.of(target, before, part, parts)
        for target in targets()
        if not options.files or target.file.startswith(tuple(options.files))
        if options.again is None or target.file in before.figures
    ]
    return [
        task
        for task in chosen
        if task.target.file not in counted
        or counted[task.target.file].code != code_digest(task.source)
    ]


def main() -> int:
    """Return 0 when the mutants that live are those that are listed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", nargs="*", help="beginnings of files below the package")
    parser.add_argument("--list", action="store_true", help="print the mutants and run none")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="every Nth, from the Kth")
    parser.add_argument("--due", action="store_true", help="files without figures of their code")
    parser.add_argument("--again", type=Path, metavar="OUTPUT", help="what a run printed")
    options = parser.parse_args()
    chosen = tasks(options)
    if options.list:
        for task in chosen:
            for mutant in task.mutants:
                _say(f"{task.target.file}:{mutant.line}: {mutant.name}")
        return 0
    run.preload()
    with tempfile.TemporaryDirectory() as folder, run.copy(Path(folder)) as package:
        # Each is run, whatever the others come to.
        are_good = [_is_good(task, _fates(package, task)) for task in chosen]
    return 0 if all(are_good) else 1


def _fates(package: Path, task: Task) -> dict[str, Fate]:
    """Run the mutants of a file, and say which live."""
    if not task.mutants:
        return {}
    target, source = task.target, task.source
    limit = _unchanged(package, target)
    path = package / target.file
    changed = [
        source[: each.start] + each.replacement + source[each.end :] for each in task.mutants
    ]
    start = partial(run.be_tested, package, target.tests)
    noticed = quick.noticed(path, changed, start=start, slower=SLOWER)
    _say(f"{target.file}: {len(noticed)} of {len(changed)} noticed at once")
    run.forget_compiled(path)
    fates = {}
    for place, mutant in enumerate(task.mutants):
        fate = Fate.KILLED
        if place not in noticed:
            path.write_bytes(changed[place])
            fate = run.fate(package, target.tests, limit)
            path.write_bytes(source)
        fates[mutant.name] = fate
        if fate is Fate.SURVIVED:
            _say(f"survived {target.file}:{mutant.line}: {mutant.name}")
    return fates


def _unchanged(package: Path, target: Target) -> int:
    """Run the tests on the unchanged copy, which they pass; return when a mutant's run hangs."""
    for _ in range(2):  # the first run compiles
        before = _used()
        fate = run.fate(package, target.tests, 600, keep_compiled=True)
        assert fate is Fate.SURVIVED, f"{target.tests} fail unmutated"
    return int(SLOWER * (_used() - before)) + 3


def _used() -> float:
    """Processor seconds of all runs until now."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _is_good(task: Task, fates: dict[str, Fate]) -> bool:
    """Say what became of the mutants of a file; whether those that live are those listed."""
    file = task.target.file
    may_live = set(listed().get(file, {}))
    lived = {name for name, fate in fates.items() if fate is Fate.SURVIVED}
    for name in sorted(lived - may_live):
        _say(f"NOT NOTICED {file}: {name}")
    # A reason for what is noticed, or is no longer there, is not true any more.
    outdated = may_live - lived if not task.part else (may_live - lived) & set(fates)
    for name in sorted(outdated):
        _say(f"OUTDATED in survivors.toml {file}: {name}")
    figures = Figures(
        file=file + task.part,
        mutants=len(fates) + task.noticed,
        noticed=len(fates) - len(lived) + task.noticed,
        listed=len(lived & may_live),
        unnoticed=len(lived - may_live),
        code=code_digest(task.source),
    )
    _say(str(figures))
    return not (lived - may_live or outdated)


if __name__ == "__main__":
    sys.exit(main())
