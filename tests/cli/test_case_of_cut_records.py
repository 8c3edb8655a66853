"""A case with cut records holds, and states the hash of their originals."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.cases.reader import FOLDER
from tests.cli.command import run
from tests.cli.sealed_copy import NAME
from tests.cli.test_case import alone, programs

SOURCES = ("k8s_audit", "vault_audit", "okta_system")


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Records with leaks, locked and sealed, and the verifier key."""
    folder = tmp_path_factory.mktemp("cut")
    store = DirectoryStore(folder / "evidence")
    for source in SOURCES:
        for path in sorted((FOLDER / source / "leaks").iterdir()):
            unit = f"b/{source}/{path.name}@1!h=2026030208"
            mapper = Mapper(source, keep_out_of_scope_raw=True)
            lock_batch(mapper, [Delivery(unit, path.read_bytes())], store).ensure_locked()
    run("keys", "--new", "--key-file", folder / "log.pem", "--name", NAME)
    key = run("keys", "--key-file", folder / "log.pem", "--name", NAME).out.strip()
    sealed = run("seal", folder / "evidence", "--name", NAME, "--key-file", folder / "log.pem")
    assert 0 == sealed.code, sealed.err
    return folder, key


def test_both_checkers_accept_cut_records(evidence: tuple[Path, str], tmp_path: Path) -> None:
    """Neither mistakes the hash of what was kept for that of the delivered record."""
    folder, key = evidence
    result = run(
        *("query", folder / "evidence", "--key", key, "--index", folder / "index"),
        *("--sql", "SELECT identity FROM identities", "--json"),
    )
    everybody = [text for (name,) in result.json["rows"] for text in ("--identity", name)]
    output = run(
        *("case", "create", folder / "evidence", "--key", key, "--index", folder / "index"),
        *(*everybody, "-o", tmp_path / "case.zip", "--json"),
    )
    assert (0, output.json["records"]) == (output.code, output.json["proven"]), output.err
    with zipfile.ZipFile(tmp_path / "case.zip") as bag:
        names = [name for name in bag.namelist() if name.endswith("/record.json")]
        cut = [name for name in names if json.loads(bag.read(name)).get("c")]
    assert cut, "records with cuts are among them"
    ours = run("case", "verify", tmp_path / "case.zip", "--key", key)
    theirs = alone(tmp_path / "case.zip", key, programs(tmp_path / "programs"))
    assert (0, "HOLDS") == (ours.code, ours.out[:5]), ours.out
    assert (0, "HOLDS") == (theirs.returncode, theirs.stdout[:5]), theirs.stdout
