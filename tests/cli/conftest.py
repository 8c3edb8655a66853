"""Fixtures of the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nhi_evidence.evidence import note
from tests.cli.command import run
from tests.cli.sealed_copy import NAME
from tests.cli.sealing_case import (
    Sealed,
    make,
)
from tests.outsiders import Authority, Witness
from tests.proofs.sealed import listed_keys


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    folder = tmp_path_factory.mktemp("sealed")
    run("keys", "--new", "--key-file", folder / "log.pem", "--name", NAME)
    key, uid = make(folder, folder / "log.pem")
    (folder / "elsewhere").mkdir()
    (folder / "provider.json").write_bytes(listed_keys())
    authority = Authority(folder / "tsa")
    with authority, Witness("example.org/witness", note.parse_key(key)) as witness:
        assert isinstance(witness, Witness)
        policy = folder / "policy.toml"
        policy.write_text(
            f"""
keys = ["{key}"]
anchors_required = 3
[[anchors]]
kind = "rfc3161"
name = "{Authority.NAME}"
roots = "tsa/roots.pem"
[[anchors]]
kind = "cosignature"
key = "{witness.key}"
[[anchors]]
kind = "copy"
evidence = "{folder / "elsewhere"}"
"""
        )
        done = run(
            *("anchor", folder / "evidence", "--key", key, "--tsa", authority.url),
            *("--witness", f"{witness.key} {witness.url}", "--copy-to", folder / "elsewhere"),
            "--json",
        )
        assert 0 == done.code, done.err
        assert 3 == len(done.json["made"])
        proof = folder / "proof.zip"
        result = run(
            *("prove", folder / "evidence", uid, "-o", proof, "--policy", policy, "--json"),
            *("--provider-keys", folder / "provider.json"),
        )
        assert 0 == result.code, result.err
        yield Sealed(
            *(folder / "evidence", key, uid, policy, folder / "tsa" / "roots.pem"),
            *(folder / "provider.json", proof, authority, witness),
        )
