"""The files a demo delivers: a folder of the user's, or the generated story."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from nhi_evidence.demo.story import agent_trail, generate, platform_files
from nhi_evidence.errors import SettingsError

_TRAIL_FILE = re.compile(
    r"(?P<account>\d{12})_CloudTrail_(?P<region>[a-z0-9-]+)_(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)T"
)
_SUFFIXES = (".json", ".json.gz")


class TrailObject(msgspec.Struct, frozen=True):
    """One file in a trail bucket."""

    key: str
    body: bytes


def story() -> list[TrailObject]:
    """Return the generated story: a leaked CI key, inside benign noise, over several accounts.

    It includes an agent that lists its tools before it calls one.
    """
    return [TrailObject(file.key, file.body) for file in (*generate(), agent_trail())]


def platform(source: str) -> list[TrailObject]:
    """Return the story's files from a platform beside the clouds."""
    return [TrailObject(file.name, file.body) for file in platform_files() if file.source == source]


def read(folder: Path) -> list[TrailObject]:
    """Read every CloudTrail file under a folder; keys are derived from names.

    Raises `SettingsError` if the folder holds none.
    """
    paths = sorted(path for path in folder.rglob("*") if path.name.endswith(_SUFFIXES))
    if not paths:
        raise SettingsError(f"{folder}: holds no {' or '.join(_SUFFIXES)} files")
    return [TrailObject(_key(folder, path), path.read_bytes()) for path in paths]


def _key(folder: Path, path: Path) -> str:
    relative = path.relative_to(folder).as_posix()
    if "AWSLogs/" in relative:
        return relative[relative.index("AWSLogs/") :]
    named = _TRAIL_FILE.match(path.name)
    if named is None:
        return f"AWSLogs/{relative}"
    day = f"{named['y']}/{named['m']}/{named['d']}"
    return f"AWSLogs/{named['account']}/CloudTrail/{named['region']}/{day}/{path.name}"
