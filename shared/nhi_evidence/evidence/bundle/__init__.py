"""A proof bundle as a zip: the proof, an independent verifier, and a guide.

`check_proof.py` needs only Python, `walkthrough.sh` only OpenSSL and a shell. The copies in a
bundle prove nothing against whoever made it: they are there to be read, and are published
separately with their hashes.
"""

from __future__ import annotations

import io
import pkgutil
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from types import MappingProxyType

from nhi_evidence import zip_listing
from nhi_evidence.errors import SettingsError

CHECKER = "check_proof.py"
WALKTHROUGH = "walkthrough.sh"
README = "README.md"

MAX_BUNDLE_BYTES = 1 << 28
MAX_FILES = 256
MAX_LISTING_BYTES = 1 << 20
"""Maximum size in bytes of the list of files in a zip."""

MAX_OTHER_BYTES = 16 << 20
"""Maximum size in bytes of a file that has no limit of its own."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.%~+@-]{0,254}")
"""Names of files in a bundle: no folder, nothing a shell or a terminal acts on."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can state, so that the same proof gives the same bytes."""

_ENCRYPTED = 1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP = b"PK"
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError),
    *(EOFError, ValueError, OverflowError, LookupError, OSError),
)
"""What reading anything other than a zip may raise, packed in one of `METHODS`."""
_AGAIN = "nothing was checked: get the bundle again, or make it again with prove"


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of a proof's files, the verifiers, and how to use them."""
    beside = {name: released(name) for name in (README, CHECKER, WALKTHROUGH)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in {**files, **beside}.items():
            bundle.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpack(data: bytes, limits: Mapping[str, int] = MappingProxyType({})) -> dict[str, bytes]:
    """Return the files of a bundle; `limits` are the maximum sizes of files, by name.

    Raises `SettingsError` when it is not a bundle or is damaged, when it holds a link, a folder or
    a duplicate file, or when it is too large.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise SettingsError(f"not a proof bundle: {len(data)} bytes")
    try:
        bundle = zip_listing.opened(io.BytesIO(data), MAX_FILES, MAX_LISTING_BYTES)
    except zip_listing.ListingError as error:
        raise SettingsError(f"not a proof bundle: {error}") from error
    except UNREADABLE as error:
        if data.startswith(_ZIP):
            raise SettingsError(f"the proof bundle is damaged or cut off; {_AGAIN}") from error
        raise SettingsError("not a proof bundle: not a zip") from error
    try:
        with bundle:
            return _files(bundle, limits)
    except UNREADABLE as error:
        raise SettingsError(f"not a proof bundle: {error}") from error


def _files(bundle: zipfile.ZipFile, limits: Mapping[str, int]) -> dict[str, bytes]:
    entries = bundle.infolist()
    total = sum(entry.file_size for entry in entries)
    if total > MAX_BUNDLE_BYTES:
        raise ValueError(f"{len(entries)} files of {total} bytes")
    files: dict[str, bytes] = {}
    seen: set[str] = set()
    for entry in entries:
        name, limit = entry.filename, limits.get(entry.filename, MAX_OTHER_BYTES)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if PLAIN_NAME.fullmatch(name) is None or kind not in {0, stat.S_IFREG}:
            raise ValueError(f"{name!r} is not a regular file")
        if name.lower() in seen:  # on some file systems both are the same file
            raise ValueError(f"{name} occurs twice")
        seen.add(name.lower())
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in METHODS:
            raise ValueError(f"{name} is encrypted, or compressed in an unsupported way")
        if entry.file_size > limit:
            raise ValueError(f"{name}: {entry.file_size} bytes, more than {limit}")
        try:
            with bundle.open(entry) as file:
                files[name] = file.read(limit + 1)
        except UNREADABLE as error:
            text = f"the proof bundle is damaged: {name} cannot be unpacked"
            raise SettingsError(f"{text}; {_AGAIN}") from error
    return files


def altered(files: Mapping[str, bytes]) -> list[str]:
    """Return the programs in a bundle that differ from this release's."""
    return [
        name for name in (CHECKER, WALKTHROUGH) if files.get(name, released(name)) != released(name)
    ]


def released(name: str) -> bytes:
    """Return this release's copy of a file that goes into every bundle."""
    data = pkgutil.get_data(__name__, name)
    if data is None:
        raise SettingsError(f"the package lacks {name}")
    return data
