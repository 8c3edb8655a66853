"""`verify`, `seal` and `keys`: exit codes, and refusals that name what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli import sealed_copy
from tests.cli.command import run
from tests.cli.sealed_copy import NAME
from tests.cli.sealing_case import (
    Sealed,
    altered,
    copied,
)


def test_exit_codes(sealed: Sealed, tmp_path: Path) -> None:
    """1 integrity, 3 policy alone, 4 could not be verified, 64 wrong usage."""
    copy = copied(sealed, tmp_path)
    evidence, _ = copy.glob("ev/**/*.zst")
    altered(evidence, b"x")
    done = run("verify", copy, "--key", sealed.key, "--json")
    assert (1, 1) == (done.code, done.json["exit_code"])
    assert {"object_altered"} == {one["code"] for one in done.json["findings"]}
    strict = tmp_path / "strict.toml"
    strict.write_text(f'keys = ["{sealed.key}"]\nretention_days = 30\n')
    policy = run("verify", sealed.evidence, "--policy", strict, "--json")
    assert (3, {"short_lock"}) == (policy.code, {one["code"] for one in policy.json["findings"]})
    assert 4 == run("verify", tmp_path / "none", "--key", sealed.key).code
    assert 4 == run("verify", sealed.evidence).code
    assert 64 == run("verify", sealed.evidence, "--sample", "0").code


def test_incomplete_is_2(tmp_path: Path) -> None:
    """A unit with a part that was never locked is incomplete, although its parts are intact."""
    folder = tmp_path / "evidence"
    sealed_copy.write_in_parts(folder)
    _, second = sorted(folder.glob("ev/**/*.zst"))
    second.unlink()
    run("keys", "--new", "--key-file", tmp_path / "log.pem", "--name", NAME)
    run("seal", tmp_path / "evidence", "--name", NAME, "--key-file", tmp_path / "log.pem")
    key = run("keys", "--key-file", tmp_path / "log.pem", "--name", NAME).out.strip()
    incomplete = run("verify", tmp_path / "evidence", "--key", key, "--json")
    assert (2, ["unit_incomplete"]) == (
        incomplete.code,
        [one["code"] for one in incomplete.json["findings"]],
    )


def test_refusals_name_what_is_wrong(sealed: Sealed, tmp_path: Path) -> None:
    """Every refusal says what and where, and leaves nothing half-done."""
    (tmp_path / "empty").touch()
    (tmp_path / "other").write_text("{}")
    wanted: list[tuple[tuple[str | Path, ...], str]] = [
        (("verify", "gs://bucket", "--key", sealed.key), "evidence is s3://bucket"),
        (("verify", "s3://bucket/prefix", "--key", sealed.key), "is a whole bucket"),
        (("verify", "s3://bucket?color=red", "--key", sealed.key), "unknown option color"),
        (("verify", sealed.evidence, "--key", "nonsense"), "not a verifier key"),
        (("verify", sealed.evidence, "--key", tmp_path / "empty"), "no verifier key in it"),
        (("verify", sealed.evidence, "--key", tmp_path / "other"), f"{tmp_path / 'other'}: not a"),
        (("verify", sealed.evidence, "--key", f"log+0+{'A' * 1760}"), "verifier key of 'log'"),
        (("verify", sealed.evidence, "--key", "log.vkey"), "log.vkey: not a verifier key (name+id"),
        (("verify", sealed.evidence, "--key", "log.vkey"), "there is no such file"),
        (("verify", sealed.evidence, "--key", str(sealed.witness.key)), "cannot sign a log"),
        (("anchor", sealed.evidence, "--key", sealed.key), "name at least one anchor"),
        (("anchor", sealed.evidence, "--key", sealed.key, "--tsa", "ftp://x"), "not an http"),
        (
            ("prove", sealed.evidence, "no-such-id", "--key", sealed.key, "-o", tmp_path / "p"),
            "no-such-id",
        ),
        (("check-proof", sealed.policy, "--key", sealed.key), "not a proof bundle"),
        (("seal", sealed.evidence, "--name", NAME), "name a key"),
        (
            ("seal", sealed.evidence, "--name", NAME, "--key-file", sealed.policy),
            "not a private key",
        ),
        (("keys", "--new", "--name", NAME), "--key-file"),
        (("keys", "--new", "--name", NAME, "--key-file", sealed.policy), "already exists"),
    ]
    for arguments, problem in wanted:
        done = run(*arguments)
        assert (4, True) == (done.code, problem in done.err), (arguments, done.err)
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ('anchors = ["tsa"]', "anchors"),
        ('[[anchors]]\nkind = "rfc3161"\nname = "x"\nroots = "none.pem"', "none.pem"),
        (
            '[[anchors]]\nkind = "rfc3161"\nname = "x"\nroots = "policy.toml"',
            "root certificates of x",
        ),
        ('[[anchors]]\nkind = "cosignature"\nkey = "nonsense"', "not a verifier key"),
        ('[[anchors]]\nkind = "sundial"', "sundial"),
        ("color = 1", "color"),
    ],
)
def test_a_wrong_policy_is_refused(
    sealed: Sealed, tmp_path: Path, entry: str, problem: str
) -> None:
    """A policy is read completely or not at all: no entry is ignored."""
    path = tmp_path / "policy.toml"
    path.write_text(f'keys = ["{sealed.key}"]\n{entry}\n')
    done = run("verify", sealed.evidence, "--policy", path)
    assert (4, True) == (done.code, problem in done.err), done.err


def test_an_unavailable_anchor_is_named(sealed: Sealed, tmp_path: Path) -> None:
    """One that is down and one that refuses do not prevent the others from being asked."""
    evidence = copied(sealed, tmp_path)
    shutil.rmtree(evidence / "log" / "v1", ignore_errors=True)
    shutil.rmtree(evidence / ".metadata" / "log")
    run("keys", "--new", "--key-file", tmp_path / "log.pem", "--name", NAME)
    key = run("keys", "--key-file", tmp_path / "log.pem", "--name", NAME).out.strip()
    empty = run("anchor", evidence, "--key", key, "--copy-to", tmp_path)
    assert (4, True) == (empty.code, "no signed checkpoint" in empty.err)
    run("seal", evidence, "--name", NAME, "--key-file", tmp_path / "log.pem")
    (tmp_path / "elsewhere").mkdir()
    done = run(
        *("anchor", evidence, "--key", key, "--json", "--copy-to", tmp_path / "elsewhere"),
        *("--witness", f"{sealed.witness.key} {sealed.witness.url}"),
        *("--tsa", "http://127.0.0.1:9/tsr"),
    )
    assert 4 == done.code
    assert [str(tmp_path / "elsewhere")] == done.json["made"]
    assert "does not know the key of this log" in done.json["failed"]["example.org/witness"]
    assert "does not answer" in done.json["failed"]["127.0.0.1"]
