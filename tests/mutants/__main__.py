"""Make mutants and run the tests on each; every one that lives must be listed with a reason.

python -m tests.mutants                     all of them
python -m tests.mutants catalog/ --list     what there is to change in some files
python -m tests.mutants --part 1/4          a quarter, for a job of its own
python -m tests.mutants --again OUTPUT      of files whose run is in OUTPUT, those that lived

After tests were added, `--again` is enough: what was noticed still is. `python -m tests.docs
mutants < OUTPUT` puts the figures into CONTRIBUTING.md.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import tomllib
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import msgspec

from tests.mutants import outcome, quick, run
from tests.mutants.mutate import Mutant, mutants
from tests.mutants.outcome import Figures, Outcome
from tests.mutants.run import Fate, Target

HERE = Path(__file__).parent
Places = set[tuple[str, str]]
"""Mutants by file and name."""

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


def main() -> int:
    """Return 0 when the mutants that live are those that are listed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", nargs="*", help="beginnings of files below the package")
    parser.add_argument("--list", action="store_true", help="print the mutants and run none")
    parser.add_argument(
        "--part", default="1/1", metavar="K/N", help="every Nth mutant, from the Kth"
    )
    parser.add_argument("--again", type=Path, metavar="OUTPUT", help="what a run printed")
    options = parser.parse_args()
    if options.again is not None:
        return _again(outcome.read(options.again.read_text()))
    part, parts = (int(number) for number in options.part.split("/"))
    chosen = [
        (target, mutant)
        for target in targets()
        if not options.files or target.file.startswith(tuple(options.files))
        for mutant in mutants((run.PACKAGE / target.file).read_bytes())
    ][part - 1 :: parts]
    if options.list:
        for target, mutant in chosen:
            _say(f"{target.file}:{mutant.line}: {mutant.name}")
        return 0
    return _judge(_run(chosen), [target.file for target, _ in chosen], is_all=parts == 1)


def _again(before: Outcome) -> int:
    """Run those that lived in the run before, and are not listed; the others are as they were."""
    every = [
        (target, mutant)
        for target in targets()
        if target.file in before.figures
        for mutant in mutants((run.PACKAGE / target.file).read_bytes())
    ]
    for file, figures in before.figures.items():
        assert figures.mutants == sum(target.file == file for target, _ in every), f"{file} changed"
    lived = [each for each in every if (each[0].file, each[1].name) in before.lived]
    may_live = listed()
    fates = {(target.file, mutant.name): Fate.KILLED for target, mutant in every}
    fates |= {(target.file, mutant.name): Fate.SURVIVED for target, mutant in lived}
    fates |= _run([each for each in lived if each[1].name not in may_live.get(each[0].file, {})])
    return _judge(fates, [target.file for target, _ in every], is_all=True)


def _run(chosen: list[tuple[Target, Mutant]]) -> dict[tuple[str, str], Fate]:
    run.preload()
    fates: dict[tuple[str, str], Fate] = {}
    with tempfile.TemporaryDirectory() as folder, run.copy(Path(folder)) as package:
        for target, own in groupby(chosen, key=itemgetter(0)):
            of_file = [mutant for _, mutant in own]
            limit = _unchanged(package, target)
            path = package / target.file
            source = path.read_bytes()
            changed = [
                source[: each.start] + each.replacement + source[each.end :] for each in of_file
            ]
            start = partial(run.be_tested, package, target.tests)
            noticed = quick.noticed(path, changed, start=start, slower=SLOWER)
            _say(f"{target.file}: {len(noticed)} of {len(of_file)} noticed at once")
            run.forget_compiled(path)
            for place, mutant in enumerate(of_file):
                fate = Fate.KILLED
                if place not in noticed:
                    path.write_bytes(changed[place])
                    fate = run.fate(package, target.tests, limit)
                    path.write_bytes(source)
                fates[target.file, mutant.name] = fate
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


def _judge(fates: dict[tuple[str, str], Fate], files: list[str], *, is_all: bool) -> int:
    may_live = {(file, name) for file, names in listed().items() for name in names if file in files}
    lived = {place for place, fate in fates.items() if fate is Fate.SURVIVED}
    for file, name in sorted(lived - may_live):
        _say(f"NOT NOTICED {file}: {name}")
    # A reason for what is noticed, or is no longer there, is not true any more.
    outdated = {place for place in may_live - lived if is_all or place in fates}
    for file, name in sorted(outdated):
        _say(f"OUTDATED in survivors.toml {file}: {name}")
    for file in dict.fromkeys(files):
        of_file = {place for place in fates if place[0] == file}
        _say(str(_figures(file, of_file, lived & of_file, may_live)))
    if len(set(files)) > 1:
        _say(str(_figures("all", set(fates), lived, may_live)))
    return 1 if lived - may_live or outdated else 0


def _figures(file: str, mutated: Places, lived: Places, may_live: Places) -> Figures:
    return Figures(
        file, len(mutated), len(mutated - lived), len(lived & may_live), len(lived - may_live)
    )


if __name__ == "__main__":
    sys.exit(main())
