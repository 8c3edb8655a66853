"""`nhi-evidence attest-absence` and `check-absence` as people run them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nhi_evidence import __version__
from nhi_evidence.cli import exit_codes
from nhi_evidence.coverage.absence import conclude
from nhi_evidence.demo import estate
from tests.cli.command import run
from tests.coverage.sealed_estate import BOT, DAY, HOUR, Sealed, delivery, record

TIMES = ("--from", "2026-03-02T06:00:00Z", "--to", "2026-03-02T12:00:00Z")


def sealed_estate(tmp_path: Path) -> Sealed:
    sealed = Sealed(tmp_path / "evidence")
    sealed.lock(delivery(7, [record("GetCallerIdentity", 430, 1)]))
    for hour in (2, 20):
        sealed.state(estate.reading("aws", DAY + hour * HOUR))
    sealed.seal()
    return sealed


def test_a_document_from_the_evidence_holds(tmp_path: Path) -> None:
    sealed = sealed_estate(tmp_path)
    file = tmp_path / "absence.json"
    ask = ("attest-absence", sealed.folder, "--key", sealed.vkey, "--identity", BOT, *TIMES)
    result = run(*ask, "--step", "secret_access", "-o", file)
    assert result.code == exit_codes.INCOMPLETE  # no statement on completeness is sealed
    assert result.out.startswith(f"None on record: secret access by {BOT}")
    assert (
        "It would have been recorded from 2026-03-02 06:00:00Z to 2026-03-02 12:00:00Z"
        in result.out
    )
    assert "known to be complete for no hour" in result.out
    without = run("check-absence", file, "--key", sealed.vkey)
    assert (without.code, without.out.split()[0]) == (exit_codes.OK, "HOLDS")
    assert without.out.splitlines()[1].startswith("search not repeated")
    again = run("check-absence", file, "--key", sealed.vkey, "--evidence", sealed.folder, "--json")
    assert again.json["holds"] is True
    assert again.json["checked"]["search"] == "search repeated"
    file.write_bytes(file.read_bytes().replace(b"secret access by", b"secret access of"))
    bad = run("check-absence", file, "--key", sealed.vkey)
    assert bad.code == exit_codes.WRONG
    assert bad.out.startswith("DOES NOT HOLD conclusion: text does not follow")


def test_a_record_of_the_act_is_named(tmp_path: Path) -> None:
    sealed = sealed_estate(tmp_path)
    file = tmp_path / "absence.json"
    ask = ("attest-absence", sealed.folder, "--key", sealed.vkey, "--identity", BOT, *TIMES)
    result = run(*ask, "--step", "credential_validation", "-o", file)
    assert result.code == exit_codes.WRONG
    assert result.out.startswith("ON RECORD 1 record; nothing attested")
    assert "GetCallerIdentity" in result.out
    assert not file.exists()


def test_the_policy_applies_to_the_document(tmp_path: Path) -> None:
    """A document that the policy refuses is not written, and one lacking what it requires does not
    hold.
    """
    sealed = sealed_estate(tmp_path)
    policy = tmp_path / "policy.toml"
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    policy.write_text(
        f'keys = ["{sealed.vkey}"]\nanchors_required = 1\n'
        f'[[anchors]]\nkind = "copy"\nevidence = "{copy}"\n'
    )
    file = tmp_path / "absence.json"
    ask = ("attest-absence", sealed.folder, "--identity", BOT, *TIMES, "--step", "secret_access")
    refused = run(*ask, "--policy", policy, "-o", file)
    assert refused.code == exit_codes.FAILED
    assert "0 of 1 names are recent enough" in refused.err
    assert not file.exists()
    run(*ask, "--key", sealed.vkey, "-o", file)
    bad = run("check-absence", file, "--policy", policy)
    assert bad.code == exit_codes.WRONG
    assert bad.out.startswith("DOES NOT HOLD anchors: 0 of 1 names")
    shutil.copytree(sealed.folder / "log", copy / "log")
    done = run("check-absence", file, "--policy", policy)
    assert (done.code, done.out.split()[0]) == (exit_codes.OK, "HOLDS")
    assert f"anchored by {copy}: a checkpoint sealed at 2026-03-0" in done.out


def test_a_conclusion_of_another_release_is_not_called_false(tmp_path: Path) -> None:
    """It says which release to ask; nothing of it is confirmed."""
    sealed = sealed_estate(tmp_path)
    file = tmp_path / "absence.json"
    ask = ("attest-absence", sealed.folder, "--identity", BOT, *TIMES, "--step", "secret_access")
    run(*ask, "--key", sealed.vkey, "-o", file)
    text = file.read_text().replace(f'"release": "{__version__}"', '"release": "0.0.9"')
    assert '"never": []' in text
    file.write_text(text.replace('"never": []', '"never": ["a way of other tables"]'))
    other = run("check-absence", file, "--key", sealed.vkey)
    assert other.code == exit_codes.INCOMPLETE
    assert other.out.startswith("INCOMPLETE conclusion: never does not follow")
    assert "0.0.9 drew it" in other.out


def test_wrong_use(tmp_path: Path) -> None:
    sealed = sealed_estate(tmp_path)
    ask = ("attest-absence", sealed.folder, "--key", sealed.vkey, "--identity", BOT)
    late = run(
        *ask, *TIMES[2:], "--from", "2026-03-03", "--step", "enumeration", "-o", tmp_path / "x"
    )
    assert late.code == exit_codes.USAGE
    file = tmp_path / "no.json"
    file.write_text("{}")
    assert run("check-absence", file, "--key", sealed.vkey).code == exit_codes.FAILED


def test_what_cannot_be_read_leaves_the_statement_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the window is recorded and complete, which is left out of account here."""
    monkeypatch.setattr(conclude, "_completeness", lambda *_: ((), ()))
    sealed = sealed_estate(tmp_path)
    ask = ("attest-absence", sealed.folder, "--key", sealed.vkey, "--identity", BOT, *TIMES)
    done = run(*ask, "--step", "secret_access", "-o", tmp_path / "read.json")
    assert done.code == exit_codes.OK, done.out
    for file in sealed.folder.glob("ev/**/*.zst"):
        file.chmod(0o600)
        file.write_bytes(b"altered")
    result = run(*ask, "--step", "secret_access", "-o", tmp_path / "unread.json")
    assert result.code == exit_codes.INCOMPLETE
    assert "1 objects or lines could not be searched" in result.out
