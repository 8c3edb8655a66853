"""Hashes of what was built for each function, to compare with what is deployed.

Written as `functions.json` beside the synthesized stacks, and read by the doctor.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5, sha256
from pathlib import Path

import msgspec

from nhi_evidence.errors import SettingsError

FILE_NAME = "functions.json"
SCHEMA = "nhi-evidence/functions/1"


class Package(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An archive as it is uploaded to a cloud."""

    sha256: str
    """Base64, as AWS states a function's `CodeSha256`."""
    sha256_hex: str
    """Hex, as in the name of Google's source archive."""
    md5: str
    """Base64, as Cloud Storage states an object's `md5Hash`."""


class BuiltCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every archive of one synthesis, by function name."""

    schema: str = SCHEMA
    functions: dict[str, Package]


def package(archive: bytes) -> Package:
    """Return the hashes of an archive."""
    digest = sha256(archive)
    return Package(
        sha256=b64encode(digest.digest()).decode(),
        sha256_hex=digest.hexdigest(),
        md5=b64encode(md5(archive, usedforsecurity=False).digest()).decode(),
    )


def write(folder: Path, packages: Mapping[str, Package]) -> None:
    """Write the hashes into `folder`, beside what was synthesized."""
    built = BuiltCode(functions=dict(sorted(packages.items())))
    text = msgspec.json.format(msgspec.json.encode(built), indent=2)
    (folder / FILE_NAME).write_bytes(text + b"\n")


def read(folder: Path) -> BuiltCode | None:
    """Return the hashes of what was built into `folder`; None if there are none.

    Raises `SettingsError` when the file there is not in this form.
    """
    path = folder / FILE_NAME
    try:
        built = msgspec.json.decode(path.read_bytes(), type=BuiltCode)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{path}: {error}") from error
    if built.schema != SCHEMA:
        raise SettingsError(f"{path}: has schema {built.schema}, not {SCHEMA}: synthesize again")
    return built
