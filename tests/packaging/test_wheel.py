"""The output of `make build` is complete, and runs where nothing else is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra import declaration, release
from nhi_evidence import __version__

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def uv() -> str:
    beside = ROOT / ".tools" / "bin" / "uv"
    program = str(beside) if beside.exists() else shutil.which("uv")
    assert program, "uv is what `make` brings"
    return program


class Built(NamedTuple):
    """What `make build` makes."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def built(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    out, tree = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("tree") / "release"
    release.stage(tree, uncommitted=True)
    command = [uv, "build", "--quiet", "--sdist", "--wheel", "--out-dir", str(out)]
    subprocess.run([*command, "--python", sys.executable, str(tree)], check=True)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return Built(wheel, sdist)


def test_it_holds_the_library_and_what_the_demo_runs(built: Built) -> None:
    """Neither infrastructure nor tests nor documents are installed; tables and types are."""
    names = zipfile.ZipFile(built.wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {"nhi_evidence"} == {top for top in tops if not top.endswith(".dist-info")}
    assert "nhi_evidence/sources/aws_cloudtrail/catalog.json" in names
    assert "nhi_evidence/py.typed" in names
    functions = {name.split("/")[3] for name in names if "/demo/functions/" in name} - {""}
    assert {*declaration.names()} == functions, "of each what it says of itself"
    played = {name.split("/")[3] for name in names if "/demo/functions/" in name and ".py" in name}
    assert set(release.PLAYED) == played


def test_the_sdist_makes_the_same_wheel(built: Built, uv: str, tmp_path: Path) -> None:
    """Whoever distrusts the wheel can build it from the sdist, with identical files."""
    command = [uv, "build", "--quiet", "--wheel", "--out-dir", str(tmp_path)]
    subprocess.run([*command, "--python", sys.executable, str(built.sdist)], check=True)
    assert _files(built.wheel) == _files(tmp_path / built.wheel.name)


def _files(wheel: Path) -> dict[str, bytes]:
    """Return the installed files, without those that name the packing program."""
    archive = zipfile.ZipFile(wheel)
    own = ("/WHEEL", "/RECORD")
    return {name: archive.read(name) for name in archive.namelist() if not name.endswith(own)}


def test_only_committed_files_are_built(tmp_path: Path) -> None:
    """The tree names its commit and contains nothing uncommitted."""
    try:
        commit = release.stage(tmp_path / "tree")
    except release.ReleaseError as error:
        assert "changed and not committed" in str(error)
        return
    assert commit == (tmp_path / "tree/shared/nhi_evidence/commit.txt").read_text().strip()
    assert not list((tmp_path / "tree").rglob("__pycache__"))


@pytest.fixture(scope="module")
def installed(built: Built, uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone, with its own dependencies, and return where its program is."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(venv), str(built.wheel)]
    subprocess.run(install, check=True)
    return venv / "bin" / "nhi-evidence"


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment or {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_runs_in_a_clean_environment(installed: Path, tmp_path: Path) -> None:
    """With only its own dependencies it reads and verifies, and says what the demo needs."""
    (tmp_path / "x.json").write_bytes(b'{"Records":[]}')
    assert run(installed, "--version", cwd=tmp_path).stdout == f"nhi-evidence {__version__}\n"
    done = run(installed, "normalize", "--source", "aws_cloudtrail", "x.json", cwd=tmp_path)
    assert (0, "") == (done.returncode, done.stdout)
    assert "input 0 = accepted 0 + rejected 0" in done.stderr
    stored = ROOT / "tests" / "fixtures" / "format-v1"
    key = ("--key", stored / "log.vkey")
    verified = run(installed, "verify", stored / "evidence", *key, cwd=tmp_path)
    assert verified.stdout.startswith("CLEAN"), verified.stdout + verified.stderr
    proven = run(installed, "check-proof", stored / "proof.zip", *key, cwd=tmp_path)
    assert 0 == proven.returncode, proven.stdout + proven.stderr
    demo = run(installed, "demo", cwd=tmp_path)
    assert demo.returncode == 4
    assert "extra" in demo.stderr
    assert "Traceback" not in demo.stderr


def test_uvx_plays_the_demo_from_the_wheel(built: Built, uv: str, tmp_path: Path) -> None:
    """It needs nothing from the repository; the command is README's, verbatim."""
    command = (uv, "tool", "run", "--from", f"{built.wheel}[demo]", "nhi-evidence", "demo")
    done = run(*command, cwd=tmp_path, **{**os.environ, "UV_PYTHON": sys.executable})
    assert "HOLDS" in done.stdout, done.stdout + done.stderr
    assert 0 == done.returncode


def test_pipx_installs_the_wheel(built: Built, uv: str, tmp_path: Path) -> None:
    """Pipx is the other common installer of programs."""
    pipx = (uv, "tool", "run", "pipx", "install", "--quiet", str(built.wheel))
    places = {"PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    done = run(*pipx, cwd=tmp_path, **{**os.environ, **places, "UV_PYTHON": sys.executable})
    assert 0 == done.returncode, done.stderr
    program = tmp_path / "bin" / "nhi-evidence"
    assert f"nhi-evidence {__version__}\n" == run(program, "version", cwd=tmp_path).stdout


def test_readme_shows_the_forms_that_were_tried(built: Built) -> None:
    """README has both commands with the wheel's name; no document promises a published package."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"uvx --from 'dist/{built.wheel.name}[demo]' nhi-evidence demo" in readme
    assert f"pipx install dist/{built.wheel.name}" in readme
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    promise = re.compile(r"(?:pip|pipx|uv tool) install ['\"]?nhi-evidence|uvx nhi-evidence")
    assert [] == [page.name for page in pages if promise.search(page.read_text(encoding="utf-8"))]


def test_every_place_states_the_same_version() -> None:
    """Package, build and release notes agree, and so do the demo's extra and group."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert __version__ == settings["project"]["version"]
    notes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d[^]]*)\]", notes, re.MULTILINE)
    assert notes.index("## [Unreleased]") > 0
    assert not released or released[0] == __version__
    groups = settings["dependency-groups"]
    own = set(settings["project"]["dependencies"])
    needed = set(_flat(groups, "demo")) - own
    assert needed <= {*own, *settings["project"]["optional-dependencies"]["demo"]}


def _flat(groups: dict[str, list[Any]], name: str) -> Iterator[str]:
    for entry in groups[name]:
        if isinstance(entry, str):
            yield entry
        else:
            yield from _flat(groups, entry["include-group"])
