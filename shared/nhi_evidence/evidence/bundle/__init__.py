"""What a proof bundle carries beside its proof: a verifier that needs none of us, and a guide.

`check_proof.py` needs Python alone, `walkthrough.sh` OpenSSL alone; both are read here as files.
"""

from __future__ import annotations

import io
import pkgutil
import zipfile
from collections.abc import Mapping

from nhi_evidence.errors import SettingsError

CHECKER = "check_proof.py"
WALKTHROUGH = "walkthrough.sh"
README = "README.md"

MAX_BUNDLE_BYTES = 1 << 28

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold: the same proof gives the same bytes."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """Put the files of a proof, the verifier and how to use it into one zip."""
    beside = {name: _read(name) for name in (README, CHECKER, WALKTHROUGH)}
    whole = {**files, **beside}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in whole.items():
            bundle.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the files of a bundle. Raises `SettingsError` when it is none, or too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            names = [one.filename for one in bundle.infolist()]
            if len(set(names)) != len(names):
                raise SettingsError("the bundle holds a file twice")
            if sum(one.file_size for one in bundle.infolist()) > MAX_BUNDLE_BYTES:
                raise SettingsError(f"the bundle unpacks to more than {MAX_BUNDLE_BYTES} bytes")
            return {name: bundle.read(name) for name in names}
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise SettingsError(f"not a proof bundle: {error}") from error


def _read(name: str) -> bytes:
    data = pkgutil.get_data(__name__, name)
    if data is None:
        raise SettingsError(f"the package lacks {name}")
    return data
