"""`nhi-evidence reconcile` on a directory, offline, with digests from the evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.completeness import provider_keys, statement_file
from nhi_evidence.evidence import note
from tests.cli.command import run
from tests.completeness import trail as world
from tests.completeness.trail import BUCKET, Evidence, Trail, evidence_of
from tests.signing import LocalSigner


def written(evidence: Evidence, folder: Path) -> tuple[Path, str, Path]:
    """Write a copy of a store, the log's key, and the provider's keys."""
    copy = folder / "evidence"
    for key, body in evidence.store.objects.items():
        path = copy / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    keys = folder / "keys.json"
    keys.write_bytes(world.listed_keys())
    return copy, str(evidence.key), keys


def test_a_complete_copy_is_reported_complete(tmp_path: Path) -> None:
    """Hours are proven, the exit code is 0, and what was not checked is listed.

    It is called complete if each hour is shown to be; otherwise it says how many are.
    """
    trail = Trail()
    trail.hours(4)
    copy, key, keys = written(evidence_of(trail), tmp_path)
    done = run("reconcile", copy, "--key", key, "--provider-keys", keys)
    assert 0 == done.code, done.err
    assert done.out.startswith("NOTHING MISSING as far as known: 4 of 5 source hours and scopes")
    assert "proven 4" in done.out
    report = run("reconcile", copy, "--key", key, "--provider-keys", keys, "--json").json
    assert "NOTHING MISSING" == report["verdict"]
    last = max(each["hour"] for each in report["statements"] if each["verdict"] == "proven")
    bounded = ("--provider-keys", keys, "--to", last)
    proven = run("reconcile", copy, "--key", key, *bounded)
    assert proven.out.startswith("COMPLETE 4 source hours and scopes, by the provider's own lists")
    assert "COMPLETE" == run("reconcile", copy, "--key", key, *bounded, "--json").json["verdict"]
    unproven = run("reconcile", copy, "--key", key)
    assert unproven.out.startswith("NOTHING MISSING as far as known: 0 of 5")
    assert "not checked: integrity" in done.out


def test_a_withheld_file_is_named(tmp_path: Path) -> None:
    """Exactly that one, by name, with exit 2, in JSON too."""
    trail = Trail()
    lost = trail.hours(4, files=3)[5]
    del trail.objects[lost]
    copy, key, keys = written(evidence_of(trail), tmp_path)
    done = run("reconcile", copy, "--key", key, "--provider-keys", keys)
    assert 2 == done.code
    assert done.out.startswith("INCOMPLETE")
    assert f"missing {BUCKET}/{lost}" in done.out
    document = run("reconcile", copy, "--key", key, "--provider-keys", keys, "--json").json
    assert ("nhi-evidence/reconcile-report/1", 2) == (document["schema"], document["exit_code"])
    (lacking,) = (each for each in document["statements"] if each["is_incomplete"])
    assert [f"{BUCKET}/{lost}"] == [each["name"] for each in lacking["named"]]
    assert ("2026030209", 3, 2) == (lacking["hour"], lacking["expected"], lacking["found"])


def test_hours_and_source_can_be_chosen(tmp_path: Path) -> None:
    """Nothing outside is judged."""
    trail = Trail()
    lost = trail.hours(4)[1]
    del trail.objects[lost]
    copy, key, keys = written(evidence_of(trail), tmp_path)
    arguments = ("reconcile", copy, "--key", key, "--provider-keys", keys)
    assert 0 == run(*arguments, "--from", "2026030210").code
    assert 0 == run(*arguments, "--to", "2026030208").code
    assert 0 == run(*arguments, "--source", "gcp_audit").code
    assert 2 == run(*arguments, "--from", "2026030209", "--to", "2026030209").code


def test_sealed_keys_are_used_and_that_is_stated(tmp_path: Path) -> None:
    """They are those the deployment fetched; whose they are is then not checked."""
    trail = Trail()
    trail.hours(4)
    evidence = evidence_of(trail)
    operation = provider_keys.write(world.listed_keys(), "2026030209")
    evidence.store.put_new(operation.key, operation.body, metadata=operation.metadata)
    evidence.seal()
    copy, key, _ = written(evidence, tmp_path)
    done = run("reconcile", copy, "--key", key)
    assert "proven 4" in done.out
    assert "whether the public keys sealed by the deployment are the provider's" in done.out


def test_without_keys_nothing_is_proven(tmp_path: Path) -> None:
    """Nothing is missing either; if proof is required, the exit code says that there is none."""
    trail = Trail()
    trail.hours(4)
    copy, key, _ = written(evidence_of(trail), tmp_path)
    done = run("reconcile", copy, "--key", key)
    assert (0, True) == (done.code, "key_unknown" in done.out)
    done = run("reconcile", copy, "--key", key, "--require", "proven")
    assert (3, True) == (done.code, done.out.startswith("NOT AS ASKED"))


def test_statements_are_written_as_they_are_sealed(tmp_path: Path) -> None:
    """Each is readable, under the key it would have, with the same bytes every time."""
    trail = Trail()
    trail.hours(4)
    copy, key, keys = written(evidence_of(trail), tmp_path)
    arguments = ("reconcile", copy, "--key", key, "--provider-keys", keys, "--out")
    assert 0 == run(*arguments, tmp_path / "one").code
    assert 0 == run(*arguments, tmp_path / "two").code
    files = sorted((tmp_path / "one").rglob("*.zst"))
    again = sorted((tmp_path / "two").rglob("*.zst"))
    assert [one.read_bytes() for one in files] == [two.read_bytes() for two in again]
    for path in files:
        assert statement_file.is_statements(path.relative_to(tmp_path / "one").as_posix())
        assert statement_file.read(path.read_bytes()).statements
    refused = run(*arguments, tmp_path / "one")
    assert (4, True) == (refused.code, "already exists" in refused.err)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--from", "2026-03-02"), "not an hour"),
        (("--from", "2026030299"), "not an hour"),
        (("--from", "2026030210", "--to", "2026030209"), "is after --to"),
    ],
)
def test_impossible_requests_are_reported(
    tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    trail = Trail()
    trail.hours(1)
    copy, key, _ = written(evidence_of(trail), tmp_path)
    done = run("reconcile", copy, "--key", key, *arguments)
    assert (4, True) == (done.code, problem in done.err)


def test_another_key_signs_nothing(tmp_path: Path) -> None:
    """A log whose signatures do not verify has no completeness."""
    trail = Trail()
    trail.hours(1)
    copy, _, _ = written(evidence_of(trail), tmp_path)
    other = str(note.from_spki(world.NAME, LocalSigner("other").public_key()))
    done = run("reconcile", copy, "--key", other)
    assert (4, True) == (done.code, "no checkpoint verifies" in done.err)
