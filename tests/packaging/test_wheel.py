"""The wheel holds the library alone, and runs where nothing else is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def uv() -> str:
    beside = ROOT / ".tools" / "bin" / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    assert found, "uv is what `make` brings"
    return found


@pytest.fixture(scope="module")
def wheel(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [uv, "build", "--wheel", "--quiet", "--out-dir", str(out), "--python", sys.executable]
    subprocess.run([*command, str(ROOT)], check=True)
    (built,) = out.glob("*.whl")
    return built


def test_it_holds_the_library_alone(wheel: Path) -> None:
    """Neither deployables nor tests nor documents are installed; tables and types are."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {"nhi_evidence"} == {one for one in tops if not one.endswith(".dist-info")}
    assert "nhi_evidence/sources/aws_cloudtrail/catalog.json" in names
    assert "nhi_evidence/py.typed" in names


def test_it_runs_in_a_clean_environment(wheel: Path, uv: str, tmp_path: Path) -> None:
    """Installed with nothing but its own dependencies, the command line works."""
    venv = tmp_path / "venv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(venv), str(wheel)], check=True)
    (tmp_path / "x.json").write_bytes(b'{"Records":[]}')
    environment = {"PATH": os.environ["PATH"]}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(venv / "bin" / "nhi-evidence"), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("--version").stdout == "nhi-evidence 0.1.0\n"
    done = run("normalize", "--source", "aws_cloudtrail", "x.json")
    assert (0, "") == (done.returncode, done.stdout)
    assert "input 0 = accepted 0 + rejected 0" in done.stderr
    demo = run("demo")
    assert demo.returncode == 4
    assert "an installed package does not hold" in demo.stderr or "SeaweedFS" in demo.stderr
