"""A case leaves a record in the evidence that commits to what it lacks, and objects on hold.

On a real bucket under Object Lock, with each action taken by the role permitted to.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.demo.story import bulk
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.cli.command import Result, run
from tests.cli.test_case import manifested

NAME = "example.org/custody"
UNIT = "trail/111122223333_CloudTrail_us-east-1_20260302T0805Z_AbCdEf.json.gz@1"


class Estate(NamedTuple):
    """A sealed bucket with a contested unit, its key, and how to seal it again."""

    store: EmbeddedStore
    uri: str
    key: str
    folder: Path
    seal: Callable[[], None]


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    folder = tmp_path_factory.mktemp("custody")
    with (
        EmbeddedStore(folder / "store", sources=("aws_cloudtrail",)) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        role = iam.writer_role("aws_cloudtrail")
        writer = S3EvidenceWriter(
            running.client(running.exporter, role_arn=role), iam.EVIDENCE_BUCKET
        )
        for seed in (1, 2):  # one unit, two bodies: contested
            mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
            lock_batch(mapper, [Delivery(UNIT, bulk(seed=seed, records=20))], writer)
        uri = f"s3://{iam.EVIDENCE_BUCKET}?endpoint={running.endpoint_url}"
        pem = folder / "log.pem"
        key = run("keys", "--new", "--key-file", pem, "--name", NAME).out.strip()

        def seal() -> None:
            become(patch, running, running.sealer)
            done = run(
                "seal", uri, "--name", NAME, "--key-file", pem, "--role-arn", iam.SEALER_ROLE
            )
            assert done.code == 0, done.err
            become(patch, running, running.investigator)

        seal()
        yield Estate(running, uri, key, folder, seal)


def become(patch: pytest.MonkeyPatch, store: EmbeddedStore, who: iam.Credentials) -> None:
    for name, value in store.environment(who).items():
        if name.startswith("AWS_"):
            patch.setenv(name, value)


def create(estate: Estate, to: Path, *more: str) -> Result:
    access = ("--key", estate.key, "--role-arn", iam.AUDITOR_ROLE)
    index = estate.folder / "index"
    sql = ("--sql", "SELECT DISTINCT credential FROM all_events WHERE credential IS NOT NULL")
    result = run("query", estate.uri, *access, "--index", index, *sql, "--json")
    assert result.code == 0, result.err
    who = [text for (name,) in result.json["rows"][:3] for text in ("--credential", name)]
    return run("case", "create", estate.uri, *access, "--index", index, *who, "-o", to, *more)


RECORDED = ("--custody", "--custody-role", iam.CUSTODY_ROLE)


def unpack(case: Path, to: Path) -> Path:
    with zipfile.ZipFile(case) as bag:
        bag.extractall(to)
    return to / "case"


def verify(estate: Estate, case: Path, *, with_evidence: bool = True) -> Result:
    access = ("--evidence", estate.uri, "--role-arn", iam.AUDITOR_ROLE) if with_evidence else ()
    return run("case", "verify", case, "--key", estate.key, *access)


def alone(folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    """The checker in the case, with Python alone."""
    return subprocess.run(
        [sys.executable, "-S", "check_case.py", "..", key],
        cwd=folder / "data", capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def recorded(estate: Estate) -> Path:
    """An unpacked case with a custody record that is written but not sealed yet."""
    result = create(estate, estate.folder / "case.zip", *RECORDED, "--by", "A. Investigator")
    assert result.code == 2, result  # contested, so incomplete
    assert "custody   op/v1/custody/h=" in result.out
    return unpack(estate.folder / "case.zip", estate.folder / "unpacked")


def document(folder: Path, name: str) -> Any:
    return json.loads((folder / "data" / name).read_text())


def test_the_record_binds_the_case_and_is_sealed_like_everything(
    estate: Estate, recorded: Path
) -> None:
    custody, record = document(recorded, "custody.json"), document(recorded, "custody-record.json")
    case = (recorded / "data/case.json").read_bytes()
    assert record["case_sha256"] == sha256(case).hexdigest()
    assert record["incomplete"] == json.loads(case)["incomplete"] != []
    assert record["made_by"] == "A. Investigator"
    body = (recorded / "data/custody-record.json").read_bytes()
    auditor = estate.store.client(estate.store.investigator, role_arn=iam.AUDITOR_ROLE)
    kept = auditor.get_object(Bucket=iam.EVIDENCE_BUCKET, Key=custody["record"])
    assert kept["Body"].read() == body
    lock = auditor.get_object_retention(
        Bucket=iam.EVIDENCE_BUCKET, Key=custody["record"], VersionId=kept["VersionId"]
    )
    assert lock["Retention"]["Mode"] == "COMPLIANCE"
    early = verify(estate, recorded)
    assert (early.code, "but not sealed yet" in early.out) == (2, True), early.out
    estate.seal()
    late = verify(estate, recorded)
    assert (late.code, "its custody record is sealed: leaf " in late.out) == (2, True), late.out
    role = ("--role-arn", iam.AUDITOR_ROLE)
    checked = run("verify", estate.uri, "--key", estate.key, *role, "--json").json
    assert not [one for one in checked["findings"] if custody["record"] in str(one)]
    assert checked["objects"] >= 3


def changed(recorded: Path, to: Path, change: Callable[[Path], None]) -> Path:
    shutil.copytree(recorded, to)
    change(to)
    manifested(to)
    return to


def edited(folder: Path, name: str, **fields: object) -> bytes:
    path = folder / "data" / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
    return path.read_bytes()


def _dropped(folder: Path) -> None:
    edited(folder, "case.json", incomplete=[])


def _rewritten(folder: Path) -> None:
    """Rewrite the record as well, so that the case agrees with itself."""
    case = edited(folder, "case.json", incomplete=[])
    body = edited(
        folder, "custody-record.json", case_sha256=sha256(case).hexdigest(), incomplete=[]
    )
    hour = document(folder, "custody.json")["record"].split("/")[3]
    key = f"op/v1/custody/{hour}/{sha256(body).hexdigest()}.case.json"
    edited(folder, "custody.json", record=key)


def _disowned(folder: Path) -> None:
    """Make the case look as if no record had been written."""
    edited(folder, "case.json", incomplete=[])
    edited(folder, "custody.json", record=None, no_record="not requested")
    (folder / "data/custody-record.json").unlink()


def test_an_entry_removed_from_a_case_is_seen_without_the_evidence(
    estate: Estate, recorded: Path, tmp_path: Path
) -> None:
    folder = changed(recorded, tmp_path / "case", _dropped)
    text = "case.json: not the one that custody-record.json was written for"
    ours = verify(estate, folder, with_evidence=False)
    assert (ours.code, text in ours.out) == (1, True), ours.out
    theirs = alone(folder, estate.key)
    assert (theirs.returncode, text in theirs.stdout) == (1, True), theirs


@pytest.mark.parametrize("change", [_rewritten, _disowned], ids=lambda change: change.__name__)
def test_whoever_rewrites_the_record_too_is_seen_by_the_evidence(
    estate: Estate, recorded: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = changed(recorded, tmp_path / "case", change)
    seen = verify(estate, folder)
    assert (seen.code, "op/v1/custody/" in seen.out) == (1, True), seen.out
    unseen = verify(estate, folder, with_evidence=False)
    theirs = alone(folder, estate.key)
    for out in (unseen.out, theirs.stdout):
        assert "the evidence has op/v1/custody/" in out or "whoever made the case" in out


def test_a_case_without_a_record_says_so_and_why(estate: Estate, tmp_path: Path) -> None:
    result = create(estate, tmp_path / "case.zip")
    assert "the evidence has no record of this case: not requested (--custody)" in result.out
    folder = unpack(tmp_path / "case.zip", tmp_path / "unpacked")
    assert document(folder, "custody.json")["record"] is None
    text = "no custody record was written (not requested (--custody))"
    assert text in " ".join(verify(estate, folder, with_evidence=False).out.split())
    assert text in alone(folder, estate.key).stdout
    assert "no custody record of a case made at that instant" in verify(estate, folder).out


def test_without_the_right_nothing_is_exported(estate: Estate, tmp_path: Path) -> None:
    """By the auditor's own role, which cannot write."""
    refused = create(estate, tmp_path / "case.zip", "--custody")
    assert refused.code == 4
    assert "no case was written, because its custody record could not be" in refused.err
    assert "AccessDenied" in refused.err
    assert not (tmp_path / "case.zip").exists()


def test_objects_on_hold_stay_and_the_case_names_them(estate: Estate, tmp_path: Path) -> None:
    refused = create(estate, tmp_path / "none.zip", "--legal-hold")
    assert (refused.code, "and staying so: none" in refused.err) == (4, True), refused.err
    assert not (tmp_path / "none.zip").exists()
    hold = ("--legal-hold", "--legal-role", iam.LEGAL_ROLE)
    result = create(estate, tmp_path / "case.zip", *hold, *RECORDED)
    assert "under legal hold" in result.out, result
    folder = unpack(tmp_path / "case.zip", tmp_path / "unpacked")
    custody = document(folder, "custody.json")
    assert custody["legal_holds"] == document(folder, "custody-record.json")["legal_holds"] != []
    records = document(folder, "case.json")["records"]
    assert {each["object"] for each in custody["legal_holds"]} == {one["object"] for one in records}
    admin = estate.store.client(estate.store.admin)
    for each in custody["legal_holds"]:
        where = {"Bucket": iam.EVIDENCE_BUCKET, "Key": each["object"], "VersionId": each["vid"]}
        assert admin.get_object_legal_hold(**where)["LegalHold"]["Status"] == "ON"
        with pytest.raises(ClientError, match="AccessDenied"):
            admin.delete_object(**where)
        release = estate.store.client(estate.store.investigator, role_arn=iam.LEGAL_ROLE)
        release.put_object_legal_hold(**where, LegalHold={"Status": "OFF"})
        assert admin.get_object_legal_hold(**where)["LegalHold"]["Status"] == "OFF"
    assert verify(estate, folder).code == 2
