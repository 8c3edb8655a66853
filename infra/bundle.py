"""Staging a deployable: its entry, the library, and the locked wheels for its platform.

No Docker: wheels for another platform are unpacked, nothing is built. The same sources, lock and
target give the same bytes, so deploying them again changes nothing.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

import msgspec

from infra import notices
from infra.declaration import FUNCTIONS, ROOT, Declaration, declaration
from nhi_evidence.errors import EvidenceError

PACKAGE = ROOT / "shared" / "nhi_evidence"
BUILD = ROOT / ".build"

BUDGET_BYTES = 60_000_000
"""Largest unpacked bundle; every cold start pays for what it loads."""

PLATFORMS = {"arm64": "aarch64-manylinux2014", "x86_64": "x86_64-manylinux2014"}
"""Architecture to uv's name of the platform: glibc 2.17, older than any runtime's."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every file: the earliest the zip format knows."""

_EPOCH_SECONDS = 315_532_800

_NOT_STAGED = (
    "cli/*",
    "commit.txt",
    "demo/*",
    "cost/*",
    "embedded/*",
    "local_files/*",
    "terminal/*",
    "catalog/atlas/*",
    "sources/*/atlas.*",
    "*.pyc",
    "sources/*.md",
)
"""Parts of the library that no function runs: terminal output, the atlas, documents."""

_WRITTEN_BY_INSTALLER = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
"""Files of a `.dist-info` that describe the installation and the machine it ran on."""


class BundleError(EvidenceError):
    """A bundle cannot be staged, or must not be deployed; names the function and the reason."""


class Bundle(msgspec.Struct, frozen=True):
    """A staged function."""

    name: str
    path: Path
    """Folder to deploy as it is."""
    sha256: str
    """Over the name and content of every file."""
    size: int
    """Unpacked size in bytes."""
    declaration: Declaration


def stage(
    name: str, platform: str | None = None, python: str | None = None, *, into: Path = BUILD
) -> Bundle:
    """Stage one function under `into`, by default for the declared platform and Python minor.

    The folder is named after its content, so a bundle in use is never rewritten. A bundle already
    staged from the same sources, lock and target is reused if it is unaltered. Raises
    `DeclarationError`, and `BundleError` if uv fails, a file is missing or the budget is exceeded.
    """
    declared = declaration(name)
    platform = platform or PLATFORMS[declared.function.architecture]
    python = python or declared.function.python
    into.mkdir(parents=True, exist_ok=True)
    note = into / f".{name}-{_inputs(declared, platform, python)}.json"
    known = _noted(note, declared)
    if known is not None:
        return known
    with tempfile.TemporaryDirectory(dir=into, prefix=f".{name}-") as folder:
        root = Path(folder) / "bundle"
        root.mkdir()
        packages = root / declared.bundle.packages
        _install(declared, platform, python, packages)
        _copy_library(root)
        _lift(declared, root)
        _write_notices(declared, packages, root)
        _settle(root)
        digest, size = _measure(root)
        if size > BUDGET_BYTES:
            raise BundleError(f"{name}: {size:,} bytes, more than the budget of {BUDGET_BYTES:,}")
        # No dot in the name: CDK would take what follows it for the asset's extension.
        minor = python.replace(".", "")
        target = into / f"{name}-{platform}-py{minor}-{digest[:16]}"
        _place(root, target, (digest, size))
        written = Path(folder) / "note"
        written.write_bytes(msgspec.json.encode(_Note(target.name, digest, size)))
        written.rename(note)
    return Bundle(name, target, digest, size, declared)


class _Note(msgspec.Struct, frozen=True):
    """What was staged from one set of inputs."""

    folder: str
    sha256: str
    size: int


def _noted(note: Path, declared: Declaration) -> Bundle | None:
    """Return the bundle a note describes, if it exists and still has the bytes that were staged."""
    try:
        known = msgspec.json.decode(note.read_bytes(), type=_Note)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    target = note.parent / known.folder
    if known.size > BUDGET_BYTES or not _is_unaltered(target, (known.sha256, known.size)):
        return None
    return Bundle(declared.function.name, target, known.sha256, known.size, declared)


def _inputs(declared: Declaration, platform: str, python: str) -> str:
    """Return a digest of all that decides what is staged; the lock pins what an index serves."""
    name = declared.function.name
    lifted = (FUNCTIONS / name / one for one in (declared.function.entry, *declared.bundle.lift))
    staging = (Path(__file__), Path(notices.__file__), ROOT / "uv.lock", ROOT / "pyproject.toml")
    library = (one for one in _files(PACKAGE) if not _is_left_out(_inside(one)))
    digest = sha256(msgspec.json.encode((declared, platform, python)))
    for file in (*staging, *lifted, *library):
        if file.is_file():
            digest.update(str(file).encode() + sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:32]


def archive(bundle: Bundle, path: Path) -> Path:
    """Write the bundle as a zip file whose bytes depend only on its content; return `path`.

    Stored, not deflated: zlib's output differs between versions, and whoever builds the same
    release elsewhere has to get the hash that a cloud states. Nothing appears at `path` until all
    of it is written.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{bundle.name}-") as folder:
        unfinished = Path(folder) / path.name
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as zipped:
            for file in _files(bundle.path):
                entry = zipfile.ZipInfo(file.relative_to(bundle.path).as_posix(), EPOCH)
                entry.external_attr = 0o100644 << 16
                entry.create_system = 3  # Unix: the attributes above are file modes
                zipped.writestr(entry, file.read_bytes(), zipfile.ZIP_STORED)
        unfinished.replace(path)
    return path


def packed(bundle: Bundle, into: Path | None = None) -> Path:
    """Return the archive of a bundle, beside it by default; both are named after their content."""
    path = (into or bundle.path.parent) / f"{bundle.path.name}-stored.zip"
    return path if path.exists() else archive(bundle, path)


def uv_program() -> str:
    """Return the uv that `make` installs, or the one on the path. Raises `BundleError`."""
    beside = ROOT / ".tools" / "bin" / "uv"
    program = str(beside) if beside.exists() else shutil.which("uv")
    if not program:
        raise BundleError("uv is missing: `make check` installs it into .tools")
    return program


def _uv(*command: str) -> list[str]:
    """Return the first words of a uv command whose output is parsed.

    Without a terminal the CDK's command line sets FORCE_COLOR=0, which uv takes as a request for
    color, and color codes cannot be parsed.
    """
    return [uv_program(), "--color", "never", *command]


def export_lock(declared: Declaration, *options: str) -> str:
    """Return the function's group from uv.lock, exported as `options` ask."""
    group = declared.function.dependency_group
    omitted = [part for one in declared.bundle.provided for part in ("--no-emit-package", one)]
    export = [*_uv("export"), "--quiet", "--frozen", "--no-emit-project"]
    return _run(declared.function.name, [*export, "--only-group", group, *omitted, *options])


def _install(declared: Declaration, platform: str, python: str, target: Path) -> None:
    name = declared.function.name
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(export_lock(declared), encoding="utf-8")
        install = [
            *(*_uv("pip", "install"), "--quiet", "--no-deps", "--require-hashes"),
            *("--target", str(target), "--python-platform", platform),
            *("--python-version", python, "--only-binary", ":all:"),
            *("--link-mode", "copy", "--requirement", str(wanted)),
        ]
        # Everything is pinned, so what is cached is right: the index is asked only for what is
        # missing, and staging works offline.
        try:
            _run(name, [*install, "--offline"])
        except BundleError:
            _run(name, install)
    # Scripts name the interpreter of this machine; no function starts one.
    shutil.rmtree(target / "bin", ignore_errors=True)
    (target / ".lock").unlink(missing_ok=True)
    for info in target.glob("*.dist-info"):
        for written in _WRITTEN_BY_INSTALLER:
            (info / written).unlink(missing_ok=True)


def _copy_library(root: Path) -> None:
    for file in _files(PACKAGE):
        inside = _inside(file)
        if not _is_left_out(inside):
            target = root / PACKAGE.name / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


def _inside(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def _is_left_out(inside: str) -> bool:
    return any(fnmatch(inside, glob) for glob in _NOT_STAGED)


def _lift(declared: Declaration, root: Path) -> None:
    name = declared.function.name
    for wanted in (declared.function.entry, *declared.bundle.lift):
        file = FUNCTIONS / name / wanted
        if not file.is_file():
            raise BundleError(f"{name}: deploy.toml names {wanted}, which is not beside it")
        shutil.copyfile(file, root / wanted)


def _write_notices(declared: Declaration, packages: Path, root: Path) -> None:
    parts = notices.installed(packages)
    (root / "THIRD_PARTY.txt").write_text(notices.third_party(parts), encoding="utf-8")
    exported = export_lock(declared, "--format", "cyclonedx1.5")
    (root / "sbom.cdx.json").write_text(notices.sbom(exported, declared, parts), encoding="utf-8")


def _measure(root: Path) -> tuple[str, int]:
    digest, size = sha256(), 0
    for file in _files(root):
        content = file.read_bytes()
        size += len(content)
        name = file.relative_to(root).as_posix().encode()
        digest.update(len(name).to_bytes(4) + name + sha256(content).digest())
    return digest.hexdigest(), size


def _is_unaltered(folder: Path, measured: tuple[str, int]) -> bool:
    """Return whether a folder has the bytes that were measured."""
    try:
        return _measure(folder) == measured
    except FileNotFoundError:  # moved away meanwhile, as altered, by another process
        return False


def _place(root: Path, target: Path, measured: tuple[str, int]) -> None:
    """Move a staged folder to its place, unless another process has put the same bytes there.

    An altered folder is moved away, into the parent of `root`.
    """
    while True:
        try:
            root.rename(target)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
        else:
            return
        if _is_unaltered(target, measured):
            return
        with suppress(FileNotFoundError):  # another process has moved it away
            target.rename(Path(tempfile.mkdtemp(dir=root.parent)) / target.name)


def _settle(root: Path) -> None:
    """Give every file one mode and one date, whatever the umask and the clock say."""
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_EPOCH_SECONDS, _EPOCH_SECONDS))


def _files(root: Path) -> Iterator[Path]:
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return (root / name for name in names)


def _run(name: str, command: list[str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BundleError(f"{name}: {' '.join(command[:5])} failed: {done.stderr.strip()}")
    return done.stdout
