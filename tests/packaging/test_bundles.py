"""Bundles: staged for their platform, reproducible, small, and complete enough to start."""

from __future__ import annotations

import importlib
import json
import os
import platform
import re
import stat
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import msgspec
import pytest

from infra import declaration
from infra.bundle import BUDGET_BYTES, PLATFORMS, Bundle, BundleError, archive, export_lock, stage
from infra.declaration import DeclarationError
from nhi_evidence.adapters import environ

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FUNCTIONS = declaration.names()
HERE = f"{platform.machine()}-manylinux2014"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

# Imported where nothing but the bundle, and what the runtime brings, can be found.
STARTER = """
import sys
bundle, packages, brought, entry = sys.argv[1:]
sys.path[:] = [bundle, packages, *(one for one in sys.path if "site-packages" not in one)]
sys.path.append(brought)
import importlib.util
spec = importlib.util.spec_from_file_location("entry", f"{bundle}/{entry}")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print("\\n".join(sorted(sys.modules)))
"""


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """Every function, staged for the platform it is deployed on."""
    folder = tmp_path_factory.mktemp("bundles")
    return {name: stage(name, into=folder) for name in FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_staging_twice_gives_the_same_bytes(
    name: str, staged: dict[str, Bundle], tmp_path: Path
) -> None:
    """Hash, archive, modes and dates depend only on sources and lock."""
    first, second = staged[name], stage(name, into=tmp_path / "again")
    assert first.sha256 == second.sha256
    first_archive, other = (
        archive(first, tmp_path / "one.zip"),
        archive(second, tmp_path / "other.zip"),
    )
    assert first_archive.read_bytes() == other.read_bytes()
    assert {(0o644, 315_532_800)} == {
        (stat.S_IMODE(path.stat().st_mode), int(path.stat().st_mtime))
        for path in second.path.rglob("*")
        if path.is_file()
    }


def test_an_unaltered_staged_bundle_is_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same inputs install nothing again; other inputs, or an altered bundle, do."""
    first = stage("aws_export", into=tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("infra.bundle._install", no_installation)
        assert first == stage("aws_export", into=tmp_path)
        with pytest.raises(BundleError, match="installed"):
            stage("aws_export", PLATFORMS["x86_64"], into=tmp_path)
        patched.setattr("infra.bundle.PACKAGE", tmp_path)
        with pytest.raises(BundleError, match="installed"):
            stage("aws_export", into=tmp_path)
    (first.path / "handler.py").write_text("altered")
    again = stage("aws_export", into=tmp_path)
    assert first == again
    assert "altered" != (again.path / "handler.py").read_text()


def no_installation(*_: object) -> None:
    raise BundleError("installed")


def test_staging_is_not_colored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal the CDK's command line sets FORCE_COLOR=0, which uv takes for color."""
    monkeypatch.setenv("FORCE_COLOR", "0")
    assert "\x1b" not in export_lock(declaration.declaration("seal"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_holds_what_it_should_and_nothing_else(name: str, staged: dict[str, Bundle]) -> None:
    """The entry is at the root; there is no command line, cache, script or machine name."""
    bundle = staged[name]
    files = {path.relative_to(bundle.path).as_posix() for path in bundle.path.rglob("*")}
    declared = bundle.declaration
    wanted = {declared.function.entry, *declared.bundle.lift, "THIRD_PARTY.txt", "sbom.cdx.json"}
    assert wanted <= files
    assert "nhi_evidence/sources/aws_cloudtrail/catalog.json" in files
    assert not [
        one for one in files if re.search(r"\.pyc$|/atlas\.|__pycache__|/RECORD$|^bin/", one)
    ]
    assert "nhi_evidence/catalog/lexicon.json" in files
    unwanted = ("nhi_evidence/cli", "nhi_evidence/catalog/atlas", "rich", "typer")
    assert not [one for one in files if one.startswith(unwanted)]
    assert bundle.size <= BUDGET_BYTES
    machine = str(ROOT).encode()
    assert [] == [one for one in bundle.path.rglob("*.json") if machine in one.read_bytes()]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_native_code_is_for_the_platform_it_is_deployed_on(
    name: str, staged: dict[str, Bundle]
) -> None:
    """Every shared object is an ELF file of the declared architecture."""
    machines = {"arm64": 183, "x86_64": 62}  # e_machine: EM_AARCH64, EM_X86_64
    bundle = staged[name]
    wanted = machines[bundle.declaration.function.architecture]
    libraries = list(bundle.path.rglob("*.so"))
    assert libraries
    assert {wanted} == {int.from_bytes(one.read_bytes()[18:20], "little") for one in libraries}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_the_runtime_brings_is_left_out(name: str, staged: dict[str, Bundle]) -> None:
    """The distributions deploy.toml calls provided are not in the bundle."""
    bundle = staged[name]
    packages = bundle.path / bundle.declaration.bundle.packages
    packaged = {one.name.split("-")[0].replace("_", "-") for one in packages.glob("*.dist-info")}
    assert set() == packaged & set(bundle.declaration.bundle.provided)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_entry_starts_from_its_bundle_alone(name: str, tmp_path: Path) -> None:
    """Staged for this machine, the entry imports in a clean process, without the command line."""
    bundle = stage(name, HERE, PYTHON, into=tmp_path / "build")
    brought = tmp_path / "runtime"
    brought.mkdir()
    site = Path(importlib.import_module("boto3").__file__ or "").parents[1]
    for distribution in bundle.declaration.bundle.provided:
        module = {"python-dateutil": "dateutil", "six": "six.py"}.get(distribution, distribution)
        (brought / module).symlink_to(site / module)
    packages = str(bundle.path / bundle.declaration.bundle.packages)
    places = [str(bundle.path), packages, str(brought)]
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", STARTER, *places, bundle.declaration.function.entry],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    loaded = {one.partition(".")[0] for one in done.stdout.split()}
    assert "nhi_evidence" in loaded
    assert set() == loaded & {"rich", "typer", "pytest", "functions", "infra", "aws_cdk"}
    assert "nhi_evidence.cli" not in done.stdout


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bill_of_materials_and_licenses_name_every_part(
    name: str, staged: dict[str, Bundle]
) -> None:
    """The bill of materials lists exactly what is installed, with locked versions and licenses."""
    bundle = staged[name]
    packages = bundle.path / bundle.declaration.bundle.packages
    installed = {
        tuple(one.name.removesuffix(".dist-info").replace("_", "-").rsplit("-", 1))
        for one in packages.glob("*.dist-info")
    }
    bill = json.loads((bundle.path / "sbom.cdx.json").read_text())
    listed = {(one["name"], one["version"]) for one in bill["components"]}
    assert {(a.replace(".", "-"), b) for a, b in installed} == listed
    assert all(one["licenses"] for one in bill["components"])
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    assert listed <= {(one["name"], one["version"]) for one in lock["package"]}
    papers = (bundle.path / "THIRD_PARTY.txt").read_text()
    assert "not stated" not in papers
    assert len(listed) <= len(re.findall(r"^=+\n.+: .*(?:LICEN|NOTICE|COPYING)", papers, re.M))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_declared_environment_is_what_the_settings_read(name: str) -> None:
    """Every variable of the settings struct is declared, and every declared one is read."""
    declared = declaration.declaration(name)
    module, _, struct = declared.function.settings.partition(":")
    settings = getattr(importlib.import_module(module), struct)
    read = {environ.PREFIX + one.name.upper() for one in msgspec.structs.fields(settings)}
    ours = {one for one in declared.environment if one.startswith(environ.PREFIX)}
    assert read == ours


def test_an_archive_unpacks_to_the_bundle(staged: dict[str, Bundle], tmp_path: Path) -> None:
    """The zip file holds every file of the folder, and no other."""
    bundle = staged["aws_export"]
    with zipfile.ZipFile(archive(bundle, tmp_path / "bundle.zip")) as packed:
        assert all(
            packed.read(one) == (bundle.path / one).read_bytes() for one in packed.namelist()
        )
        assert len(packed.namelist()) == sum(one.is_file() for one in bundle.path.rglob("*"))


def test_errors_name_the_function_and_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown function, an unknown field, a missing file or wheel, an exceeded budget."""
    with pytest.raises(DeclarationError, match=r"there is no functions/nothing/deploy\.toml"):
        stage("nothing", into=tmp_path)
    with pytest.raises(BundleError, match=r"aws_export: .*pip.*not-a-platform"):
        stage("aws_export", "not-a-platform", into=tmp_path)
    monkeypatch.setattr("infra.bundle.BUDGET_BYTES", 1000)
    with pytest.raises(BundleError, match=r"aws_export: [\d,]+ bytes, more than the budget"):
        stage("aws_export", into=tmp_path)
    folder = tmp_path / "functions" / "odd"
    folder.mkdir(parents=True)
    text = (ROOT / "functions" / "aws_export" / "deploy.toml").read_text()
    (folder / "deploy.toml").write_text(text.replace("memory_mb", "memory"))
    monkeypatch.setattr("nhi_evidence.config.declaration._FOLDERS", (folder.parent,))
    monkeypatch.setattr("infra.bundle.FUNCTIONS", folder.parent)
    with pytest.raises(DeclarationError, match=r"odd/deploy\.toml: .*memory"):
        declaration.declaration("odd")
    (folder / "deploy.toml").write_text(text)
    with pytest.raises(BundleError, match=r"handler\.py, which is not beside it"):
        stage("odd", into=tmp_path)


def test_every_declared_architecture_has_a_platform() -> None:
    """The bundler can stage every architecture that deploy.toml may declare."""
    assert {declaration.declaration(name).function.architecture for name in FUNCTIONS} <= set(
        PLATFORMS
    )
