"""What was built for each function: hashes, for whoever looks at what is deployed.

Written beside the synthesized stacks, as `functions.json`; read by the doctor.
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
    """One archive as it is handed to a cloud."""

    sha256: str
    """Base64, as AWS states a function's `CodeSha256`."""
    sha256_hex: str
    """As the name of Google's source archive holds it."""
    md5: str
    """Base64, as Cloud Storage states an object's `md5Hash`."""


class BuiltCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every archive of one synthesis, by the function's name."""

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
    """Write the hashes beside what was synthesized into `folder`."""
    built = BuiltCode(functions=dict(sorted(packages.items())))
    text = msgspec.json.format(msgspec.json.encode(built), indent=2)
    (folder / FILE_NAME).write_bytes(text + b"\n")


def read(folder: Path) -> BuiltCode | None:
    """Return what was built into `folder`; None where nothing was.

    Raises `SettingsError` where the file there is none of this form.
    """
    path = folder / FILE_NAME
    try:
        built = msgspec.json.decode(path.read_bytes(), type=BuiltCode)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{path}: {error}") from error
    if built.schema != SCHEMA:
        raise SettingsError(f"{path}: of form {built.schema}, not {SCHEMA}: synthesize again")
    return built
