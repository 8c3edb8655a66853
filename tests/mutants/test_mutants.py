"""Mutants are what they claim to be, and the lists beside them are accurate."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.__main__ import listed, targets
from tests.mutants.mutate import mutants
from tests.mutants.run import PACKAGE, ROOT

CODE = b'''"""A docstring of 7 words, left alone."""

LIMIT: int = 3


class Box:
    """Left alone, too."""

    def fits(self, size: int, *, tight: bool = False) -> bool:
        """And this."""
        if size < 0 or not self:
            raise ValueError(f"{size + 1} is not a size")
        self.log(size)
        if self.is_open:
            return False
        kept = [one for one in (1,) if one]
        return size + 1 <= LIMIT and kept is not None
'''
EXPECTED = {
    ("<module>", "LIMIT: int = 3", "LIMIT: int = 4"),
    *(
        ("Box.fits", before.strip(), after.strip())
        for before, after in (
            ("tight: bool = False", "tight: bool = True"),
            ("if size < 0 or not self:", "if (not (size < 0 or not self)):"),
            ("if size < 0 or not self:", "if size <= 0 or not self:"),
            ("if size < 0 or not self:", "if size < 1 or not self:"),
            ("if size < 0 or not self:", "if size < 0 and not self:"),
            ("if size < 0 or not self:", "if size < 0 or self:"),
            ('raise ValueError(f"{size + 1} is not a size")', "pass"),
            ("self.log(size)", "pass"),
            ("if self.is_open:", "if (not (self.is_open)):"),
            ("return False", "return True"),
            ("kept = [one for one in (1,) if one]", "kept = [one for one in (2,) if one]"),
            ("kept = [one for one in (1,) if one]", "kept = [one for one in (1,) if True]"),
            ("return size + 1 <= LIMIT and kept is not None", "return None"),
            *(
                ("return size + 1 <= LIMIT and kept is not None", f"return {after}")
                for after in (
                    "size - 1 <= LIMIT and kept is not None",
                    "size + 2 <= LIMIT and kept is not None",
                    "size + 1 < LIMIT and kept is not None",
                    "size + 1 <= LIMIT or kept is not None",
                    "size + 1 <= LIMIT and kept is None",
                )
            ),
        )
    ),
}


def test_every_place_is_mutated_once_in_each_way() -> None:
    """Operators, numbers, conditions, statements and results, but no string or annotation."""
    actual = {(one.function, one.before, one.after) for one in mutants(CODE)}
    signature = "def fits(self, size: int, *, tight: bool = {}) -> bool:"
    expected = {
        (function, signature.format("False"), signature.format("True"))
        if before.startswith("tight")
        else (function, before, after)
        for function, before, after in EXPECTED
    }
    assert expected == actual


@pytest.mark.slow
def test_a_mutant_is_one_change_that_parses() -> None:
    """For the real files, each is valid Python, differs from the file, and has a unique name."""
    for target in targets():
        source = (PACKAGE / target.file).read_bytes()
        names = set()
        for mutant in mutants(source):
            changed = source[: mutant.start] + mutant.replacement + source[mutant.end :]
            assert changed != source
            compile(changed, target.file, "exec")
            assert mutant.name not in names
            names.add(mutant.name)
        assert names, target.file


def test_listed_files_tests_and_survivors_exist() -> None:
    """Files and tests exist, and each allowed survivor is a current mutant with a reason."""
    files = {target.file: target for target in targets()}
    for target in files.values():
        assert [] == [test for test in target.tests if not (ROOT / test).is_file()]
    for file, survivors in listed().items():
        names = {one.name for one in mutants((PACKAGE / file).read_bytes())}
        assert file in files
        assert [] == [name for name in survivors if name not in names], file
        assert all(len(reason) > 20 for reason in survivors.values()), file


FATES = """
import sys
from pathlib import Path
from tests.mutants import run
tests = ("tests/unit/test_bounded_cache.py",)
run.preload()
with run.copy(Path(sys.argv[1])) as package:
    path = package / "reading/bounded_cache.py"
    run.forget_compiled(path)
    source = path.read_bytes()
    print(run.fate(package, tests, 60))
    path.write_bytes(source + b"raise SystemExit(1)")
    print(run.fate(package, tests, 60))
    path.write_bytes(source + b"while True: pass")
    print(run.fate(package, tests, 5))
"""


@pytest.mark.slow
def test_a_mutant_is_noticed_or_lives(tmp_path: Path) -> None:
    """The unchanged copy passes its tests, a mutant does not, and one that hangs is noticed.

    In a process without imports from the package, like a run of mutants.
    """
    done = subprocess.run(
        [sys.executable, "-c", FATES, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ["survived", "killed", "hung"] == done.stdout.split(), done.stderr


AT_ONCE = """
import sys
from functools import partial
from pathlib import Path
from tests.mutants import quick, run
tests = ("tests/unit/test_bounded_cache.py",)
run.preload()
with run.copy(Path(sys.argv[1])) as package:
    path = package / "reading/bounded_cache.py"
    source = path.read_bytes()
    assert run.fate(package, tests, 60) is run.Fate.SURVIVED
    changes = (
        (b"", b""),  # none
        (b"if len(self) >= self._half:", b"if False:"),
        (b"self[key] = result", b"while True: pass"),
        (b"import msgspec", b"raise ImportError"),
        (b"", b"raise SystemExit(1)"),
    )
    sources = [
        source.replace(before, after, 1) if before else source + after for before, after in changes
    ]
    assert all(before in source for before, _ in changes)
    start = partial(run.be_tested, package, tests)
    print(*sorted(quick.noticed(path, sources, start=start, slower=2)))
"""


@pytest.mark.slow
def test_mutants_noticed_at_once_are_in_functions(tmp_path: Path) -> None:
    """Unchanged code is not noticed; changes of imports are left to a separate run."""
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 2" == done.stdout.strip(), done.stderr
