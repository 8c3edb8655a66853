"""Statements of absence: made, checked with and without evidence, and falsified in each part."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhi_evidence import __version__
from nhi_evidence.completeness.reasons import Verdict as Completeness
from nhi_evidence.coverage import signed
from nhi_evidence.coverage.absence import conclude, document
from nhi_evidence.coverage.absence.check import NOT_REPEATED, check
from nhi_evidence.coverage.absence.document import (
    AbsenceError,
    Document,
    OtherReleaseError,
    Question,
)
from nhi_evidence.coverage.absence.gather import gather
from nhi_evidence.coverage.absence.make import make
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.cells import Step
from nhi_evidence.demo import estate
from tests.coverage.falsified_absence import CANARY, DELAYS, FALSIFIED, canary, statements
from tests.coverage.sealed_estate import (
    ACCOUNT,
    BOT,
    DAY,
    HOUR,
    NAME,
    TRAIL,
    Sealed,
    change,
    delivery,
    record,
)

VALIDATIONS = Question(BOT, Step.CREDENTIAL_VALIDATION, DAY + 6 * HOUR, DAY + 12 * HOUR, "aws")


SECRETS = Question(BOT, Step.SECRET_ACCESS, DAY + 6 * HOUR, DAY + 12 * HOUR, "aws")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """Readings before and after, a trail stop in between, canaries, statements on ten hours."""
    evidence = Sealed(tmp_path_factory.mktemp("absence") / "evidence")
    for hour in (7, 8, 9):
        plan = plans.plan(NAME, "aws", f"20260302{hour:02}", CANARY, DELAYS)
        operation = plans.write(plan)
        evidence.put(operation.key, operation.body, DAY + 4 * HOUR)
    evidence.seal(DAY + 4 * HOUR)
    nonces = {
        hour: next(
            one.nonce
            for one in plans.plan(NAME, "aws", f"20260302{hour:02}", CANARY, DELAYS).probes
            if one.cell == "aws.secret_access.services"
        )
        for hour in (7, 8, 9)
    }
    evidence.lock(
        delivery(5, [record("GetCallerIdentity", 300, 1)]),
        delivery(
            7,
            [
                canary(7, nonces[7], 2),
                record("ListBuckets", 430, 3, eventSource="s3.amazonaws.com"),
            ],
        ),
        delivery(8, [canary(8, nonces[8], 4)]),
        delivery(10, [change("StopLogging", 610, 5, name=TRAIL)]),
        delivery(11, [change("StartLogging", 670, 6, name=TRAIL)]),
    )
    for hour in (2, 20):
        evidence.state(estate.reading("aws", DAY + hour * HOUR))
    for hour in range(5, 12):
        stated = statements(hour, Completeness.UNPROVABLE if hour == 8 else Completeness.PROVEN)
        evidence.put(stated.key, stated.body, DAY + 20 * HOUR)
    evidence.seal()
    return evidence


def written(sealed: Sealed, evidence: Question = SECRETS) -> Document:
    gathered = gather(sealed.store, sealed.stored, evidence)
    assert gathered.problems == {}
    return make(sealed.store, sealed.stored, evidence, gathered)


def parts(of: Any) -> list[tuple[float, float]]:
    return [((one.start - DAY) / HOUR, (one.end - DAY) / HOUR) for one in of]


def test_the_document_states_when_an_act_would_have_been_recorded(sealed: Sealed) -> None:
    attestation = written(sealed)
    conclusion = attestation.conclusion
    assert parts(conclusion.recorded) == [(6, 9), (10, 10 + 10 / 60), (11 + 10 / 60, 12)]
    assert parts(conclusion.not_recorded) == [(10 + 10 / 60, 11 + 10 / 60), (9, 10)]
    assert parts(conclusion.proven) == [(7, 9)]
    assert parts(conclusion.complete) == [(6, 8), (9, 12)]
    assert [(one.what, *parts([one])[0]) for one in conclusion.not_complete] == [
        ("key_unknown", 8, 9),
        ("no statement", 12, 13),
    ]
    assert conclusion.text.startswith(
        f"None on record: secret access by {BOT} from 2026-03-02 06:00:00Z"
    )
    assert "no access" not in conclusion.text.lower()
    assert "recorded by CloudWatch telemetry rule all-trails" in conclusion.text
    assert "a canary did not arrive" in conclusion.text
    assert attestation.search.other_steps == 3
    assert attestation.search.ranges[0].end == signed.read(sealed.stored).heads[-1].size


def test_an_act_on_record_is_not_attested_as_absent(sealed: Sealed) -> None:
    question = msgspec.structs.replace(VALIDATIONS, start=DAY + 4 * HOUR)
    gathered = gather(sealed.store, sealed.stored, question)
    assert [one.head.api.operation for one in gathered.matching] == ["GetCallerIdentity"]
    with pytest.raises(AbsenceError, match="on record: 1 records"):
        make(sealed.store, sealed.stored, question, gathered)


def test_a_role_is_recognized_by_its_sessions(tmp_path: Path) -> None:
    evidence = Sealed(tmp_path / "evidence")
    identity = {
        "type": "AssumedRole",
        "principalId": "AROACKCEVSQ6C2EXAMPLE:session",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/shop/session",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROACKCEVSQ6C2EXAMPLE",
                "arn": f"arn:aws:iam::{ACCOUNT}:role/shop",
                "accountId": ACCOUNT,
                "userName": "shop",
            }
        },
    }
    evidence.lock(delivery(7, [record("GetCallerIdentity", 430, 1, userIdentity=identity)]))
    evidence.seal()
    for name, matching in (("shop", 1), ("other", 0)):
        question = msgspec.structs.replace(
            VALIDATIONS, identity=f"arn:aws:iam::{ACCOUNT}:role/{name}"
        )
        assert len(gather(evidence.store, evidence.stored, question).matching) == matching


@pytest.mark.parametrize("spelled", [str.upper, str.lower])
def test_an_act_is_found_however_the_identity_is_spelled(sealed: Sealed, spelled: Any) -> None:
    """No cloud has two identities whose names differ only in case."""
    name = BOT.rpartition("/")[2]
    identity = f"{BOT.removesuffix(name)}{spelled(name)}"
    question = msgspec.structs.replace(VALIDATIONS, start=DAY + 4 * HOUR, identity=identity)
    assert len(gather(sealed.store, sealed.stored, question).matching) == 1


@pytest.mark.parametrize("name", ["bot", "principal://iam.googleapis.com/x/subject/y", "1" * 21])
def test_a_name_that_no_record_has_is_not_attested_as_absent(sealed: Sealed, name: str) -> None:
    """Nothing would be found by it, in the evidence of whichever cloud it was taken for."""
    for identity in ("00000002-0000-0000-C000-000000000000", "x@y.iam.gserviceaccount.com"):
        assert conclude.searchable_platform(identity) in {"azure", "gcp"}
    attestation = written(sealed)
    question = msgspec.structs.replace(attestation.asked, identity=name, platform="azure")
    with pytest.raises(AbsenceError, match="neither an ARN"):
        check(msgspec.structs.replace(attestation, asked=question), sealed.policy)


def test_the_document_is_checked_with_and_without_the_evidence(sealed: Sealed) -> None:
    attestation = document.read(document.write(written(sealed)), "x")
    without = check(attestation, sealed.policy)
    assert without.search.startswith(NOT_REPEATED)
    assert without.text == attestation.conclusion.text
    with_it = check(attestation, sealed.policy, sealed.store)
    assert with_it.search == "search repeated"


@pytest.mark.parametrize(
    ("falsify", "problem"),
    FALSIFIED,
)
def test_a_falsified_ingredient_is_refused_without_the_evidence(
    sealed: Sealed, falsify: Any, problem: str
) -> None:
    attestation = json.loads(document.write(written(sealed)))
    falsify(attestation)
    with pytest.raises(AbsenceError, match=problem):
        check(document.read(json.dumps(attestation).encode(), "x"), sealed.policy)


@pytest.mark.parametrize(("release", "error"), [("0.0.9", OtherReleaseError), (__version__, None)])
def test_a_conclusion_by_other_tables_is_for_the_release_that_drew_it(
    sealed: Sealed, release: str, error: type[AbsenceError] | None
) -> None:
    """It is neither confirmed nor called false; this release's own is false."""
    attestation = msgspec.structs.replace(written(sealed), release=release)
    check(attestation, sealed.policy)  # where both draw the same, either may check it
    other = msgspec.structs.replace(attestation.conclusion, never=("a variant of other tables",))
    with pytest.raises(AbsenceError, match="never does not follow") as raised:
        check(msgspec.structs.replace(attestation, conclusion=other), sealed.policy)
    assert (error or AbsenceError) is raised.type


def rewritten(sealed: Sealed, **parts_: Any) -> Document:
    """A document whose author omitted something and drew the resulting conclusion."""
    gathered = gather(sealed.store, sealed.stored, SECRETS)
    return make(sealed.store, sealed.stored, SECRETS, msgspec.structs.replace(gathered, **parts_))


def test_an_omission_is_found_by_repeating_the_search(sealed: Sealed) -> None:
    """It is consistent, so only the evidence reveals the omission, and then it is refused."""
    gathered = gather(sealed.store, sealed.stored, SECRETS)
    search = msgspec.structs.replace(gathered.search, other_steps=0)
    for name, value in (
        ("readings", gathered.readings[:1]),
        ("changes", ()),
        ("plans", gathered.plans[:1]),
        ("canaries", gathered.canaries[:1]),
        ("statements", gathered.statements[:2]),
        ("search", search),
    ):
        attestation = rewritten(sealed, **{name: value})
        assert check(attestation, sealed.policy).search.startswith(NOT_REPEATED)
        with pytest.raises(AbsenceError, match=name):
            check(attestation, sealed.policy, sealed.store)


def test_a_matching_record_is_found_by_repeating_the_search(sealed: Sealed, tmp_path: Path) -> None:
    attestation = written(sealed)
    copied = Sealed(tmp_path / "copy")
    shutil.copytree(sealed.folder, copied.folder, dirs_exist_ok=True)
    secret = record("GetSecretValue", 450, 20, eventSource="secretsmanager.amazonaws.com")
    copied.lock(delivery(7, [secret], "Other"))
    copied.seal(DAY + 31 * HOUR)
    with pytest.raises(AbsenceError, match="other heads"):
        check(attestation, sealed.policy, copied.store)
    again = gather(copied.store, copied.stored, SECRETS)
    assert len(again.matching) == 1
    forged = msgspec.structs.replace(
        again, matching=(), search=msgspec.structs.replace(again.search, matching=0)
    )
    attestation = make(copied.store, copied.stored, SECRETS, forged)
    with pytest.raises(AbsenceError, match="1 records match"):
        check(attestation, copied.policy, copied.store)


def test_another_key_is_not_believed(sealed: Sealed, tmp_path: Path) -> None:
    other = Sealed(tmp_path / "other", "other")
    with pytest.raises(AbsenceError, match="checkpoint of 2026"):
        check(written(sealed), other.policy)


UNKNOWN = b'{"schema": "nhi-evidence/absence/9"}'


NOT_TEXT = b'{"schema": "\xff"}'


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", UNKNOWN, NOT_TEXT, b"[" * 100_000])
def test_an_invalid_document_is_refused(content: bytes) -> None:
    with pytest.raises(AbsenceError):
        document.read(content, "x")


def test_checking_needs_no_network(sealed: Sealed, tmp_path: Path) -> None:
    file = tmp_path / "absence.json"
    file.write_bytes(document.write(written(sealed)))
    program = Path(sys.executable).with_name("nhi-evidence")
    alone: list[str | Path] = [
        "unshare",
        "-n",
        "-r",
        program,
        "check-absence",
        file,
        "--key",
        sealed.vkey,
    ]
    for more, line in (
        ((), NOT_REPEATED),
        (("--evidence", sealed.folder), "search repeated"),
    ):
        seen = subprocess.run([*alone, *more], capture_output=True, text=True, check=False)
        assert seen.returncode == 0, seen.stderr
        assert seen.stdout.split()[0] == "HOLDS"
        assert seen.stdout.splitlines()[1].startswith(line)
