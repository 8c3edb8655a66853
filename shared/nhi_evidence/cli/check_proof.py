"""`nhi-evidence check-proof`: does a bundle prove what it claims?"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, json_output, screen
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import bundle, proof
from nhi_evidence.terminal import proof_report
from nhi_evidence.terminal.verdict import DOES_NOT_HOLD, HOLDS

EXAMPLES = """\b
Examples:
  nhi-evidence check-proof proof.zip --key example.org/evidence+1a2b3c4d+AW...
  nhi-evidence check-proof unpacked/ --policy policy.toml --provider-keys keys.json

Exit codes: 0 it holds; 1 it does not; 4 it cannot be read; 64 wrong usage.
"""


class _Result(msgspec.Struct):
    """What `--json` prints."""

    holds: bool
    """Whether the record is in the signed log."""
    verdict: str
    """The words of the first line."""
    shown: proof.Checked | None = None
    """What the bundle proves, and by which keys; None if it does not hold."""
    problem: str | None = None
    """Why it does not hold; None if it does."""
    altered: list[str] = []
    """Programs in the bundle that differ from this release's."""


def command(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, metavar="BUNDLE", help="A proof bundle: the zip, or its unpacked folder."
        ),
    ],
    *,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    provider_keys: options.ProviderKeys = None,
    as_json: options.Json = False,
) -> None:
    """Check a proof bundle, offline, against keys you trust.

    The keys inside the bundle are not trusted.
    """
    trust = options.policy(policy, key)
    trusted_keys = options.provider_keys(provider_keys)
    files = _read(file)
    altered = bundle.altered(files)
    for name in altered:
        screen.say(
            f"warning: {name} in the bundle differs from this release's; do not run it", err=True
        )
    try:
        checked = proof.check(
            files,
            trust.keys,
            trust.name,
            trust.trusts,
            trusted_keys,
            require_cosignature=trust.require_cosignature,
        )
    except proof.ProveError as error:
        failed = _Result(holds=False, verdict=DOES_NOT_HOLD, problem=str(error), altered=altered)
        _print(failed, as_json=as_json)
        raise typer.Exit(exit_codes.WRONG) from error
    _print(_Result(holds=True, verdict=HOLDS, shown=checked, altered=altered), as_json=as_json)


def _read(path: Path) -> dict[str, bytes]:
    """Read a bundle. Raises `SettingsError` when it is not one, or cannot be read."""
    try:
        if path.is_dir():
            return _folder(path)
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SettingsError(f"{path}: neither a folder nor a regular file")
        if status.st_size > bundle.MAX_BUNDLE_BYTES:
            raise SettingsError(f"{path}: larger than {bundle.MAX_BUNDLE_BYTES} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    try:
        return bundle.unpack(data, proof.SIZES)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def _belongs(name: str) -> bool:
    programs = (bundle.CHECKER, bundle.WALKTHROUGH)
    return name in proof.SIZES or name in programs or name.startswith(proof.ANCHOR)


def _folder(path: Path) -> dict[str, bytes]:
    """Read an unpacked bundle. Raises `SettingsError` where it holds more than a bundle may."""
    files: dict[str, bytes] = {}
    names = sorted(file for file in path.iterdir() if _belongs(file.name))
    total = 0
    for file in names:
        files[file.name] = _plain_file(file)
        total += len(files[file.name])
        if len(names) > bundle.MAX_FILES or total > bundle.MAX_BUNDLE_BYTES:
            raise SettingsError(f"{path}: holds more than a bundle may")
    return files


def _plain_file(path: Path) -> bytes:
    """Read a file of an unpacked bundle; links and devices are not followed."""
    status = path.lstat()
    limit = proof.SIZES.get(path.name, bundle.MAX_OTHER_BYTES)
    if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
        raise SettingsError(f"{path}: not a regular file of at most {limit} bytes")
    return path.read_bytes()


def _print(result: _Result, *, as_json: bool) -> None:
    if as_json:
        json_output.write("check-proof", result)
        return
    if result.shown is None:
        screen.say(f"{result.verdict} {result.problem or ''}")
        return
    screen.say(f"{result.verdict} this record is in the signed log")
    for line in proof_report.lines(result.shown):
        screen.say(line)
