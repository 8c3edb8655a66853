"""What each of the three checkers of a proof says of the same bundle."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nhi_evidence.evidence import note, proof
from nhi_evidence.evidence.bundle import check_proof
from tests.proofs.sealed import NAME

WALKTHROUGH = Path(check_proof.__file__ or "").with_name("walkthrough.sh")
TOOLS = (
    *("awk", "bash", "cat", "cmp", "cut", "grep", "head", "mktemp", "od", "openssl", "rm", "sed"),
    *("tail", "tr", "wc"),
)
"""All the walkthrough needs."""

Facts = tuple[Any, ...] | None
"""What a checker says is shown; None where it says the bundle does not hold."""


def by_package(files: Mapping[str, bytes], key: note.Key) -> Facts:
    """What `check-proof` says."""
    try:
        checked = proof.check(files, (key,), NAME)
    except proof.ProveError:
        return None
    signature = checked.provider_signature
    provider = signature and (
        *(str(signature.key), signature.key_sha256),
        *(signature.is_text_shown, signature.fingerprint),
    )
    return (
        *(
            checked.raw_sha256,
            checked.form,
            checked.is_cut,
            checked.record,
            checked.unit,
            checked.raw_form,
        ),
        *(checked.key, tuple(checked.flags), checked.origin, checked.index, checked.size, provider),
        checked.ml_dsa is proof.MlDsa.NOT_CHECKED,
    )


def by_file(files: Mapping[str, bytes], key: note.Key) -> Facts:
    """What the stand-alone `check_proof.py` says."""
    try:
        checked: dict[str, Any] = check_proof.check(dict(files), str(key))
    except check_proof.NotShown:
        return None
    claim = checked["provider"]
    provider = claim and (
        *(claim["key"], claim["key_sha256"]),
        *(claim["is_text_shown"], claim["fingerprint"]),
    )
    return (
        *(
            checked["raw_sha256"],
            checked["form"],
            checked["is_cut"],
            checked["record"],
            checked["unit"],
        ),
        *(checked["raw_form"], checked["key"], tuple(checked["flags"]), checked["origin"]),
        *(checked["leaf"], checked["size"], provider),
        checked["unchecked_ml_dsa"] > 0,
    )


def walk(
    files: Mapping[str, bytes], key: object, folder: Path, *more: str | Path
) -> subprocess.CompletedProcess[str]:
    """Follow the walkthrough in a folder with these files, with the tools it names and no other."""
    bundle, tools = folder / "bundle", folder / "tools"
    bundle.mkdir()
    tools.mkdir()
    for name, body in files.items():
        (bundle / name).write_bytes(body)
    for name in TOOLS:
        program = next(
            path for path in (Path("/usr/bin", name), Path("/bin", name)) if path.exists()
        )
        (tools / name).symlink_to(program)
    return subprocess.run(
        [tools / "bash", WALKTHROUGH, str(key), *map(str, more)],
        cwd=bundle,
        env={"PATH": str(tools), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
