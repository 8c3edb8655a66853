"""`nhi-evidence offboarding`: before, revocation, state, use after, sessions that outlive it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhi_evidence.cli import exit_codes
from nhi_evidence.coverage import offboarding
from nhi_evidence.coverage.answers import Answer
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate.edits import added
from tests.cli.command import run
from tests.coverage.sealed_estate import ACCOUNT, BOT, DAY, HOUR, KEY_ID, Sealed, delivery, record

ADMIN = {
    "userIdentity": {
        "type": "IAMUser",
        "principalId": "AIDAI23HXEXAMPLEADMIN",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/admin",
        "accountId": ACCOUNT,
        "accessKeyId": "AKIAI44QH8DHBEXAMPLE",
        "userName": "admin",
    },
    "eventSource": "iam.amazonaws.com",
    "readOnly": False,
}
SESSION = "ASIAIOSFODNN7EXAMPLE"


def disable(minute: int, name: str = "bot", **members: Any) -> dict[str, Any]:
    parameters = {"userName": name, "accessKeyId": KEY_ID, "status": "Inactive"}
    parameters["status"] = members.pop("status", "Inactive")
    if name != "bot":
        parameters["accessKeyId"] = "AKIAEXAMPLEOTHER0000"
    return record(
        "UpdateAccessKey", minute, minute, **{**ADMIN, "requestParameters": parameters, **members}
    )


def offboard(
    tmp_path: Path, *records: dict[str, Any], state: str | None = None, identity: str = BOT
) -> Any:
    sealed = Sealed(tmp_path / "evidence")
    sealed.lock(delivery(7, records))
    if state is not None:
        key = {"UserName": "bot", "AccessKeyId": KEY_ID, "Status": state}
        answer = Answer(
            call="iam:ListAccessKeys",
            scope=ACCOUNT,
            request={"UserName": "bot"},
            answer={"AccessKeyMetadata": [key]},
        )
        sealed.state(added(answer)(estate.reading("aws", DAY + 20 * HOUR)))
    sealed.seal()
    ask = ("offboarding", sealed.folder, "--key", sealed.vkey, "--identity", identity)
    return run(*ask), run(*ask, "--json")


USED = (record("GetCallerIdentity", 420, 1), record("AssumeRole", 421, 2, errorCode="AccessDenied"))


def test_a_name_that_no_record_has_is_said_to_be_one(tmp_path: Path) -> None:
    """A misspelled identity is not merely one without a revocation."""
    known, _ = offboard(tmp_path / "known", *USED)
    other, _ = offboard(tmp_path / "other", *USED, identity=f"{BOT}-misspelled")
    assert known.code == other.code == exit_codes.INCOMPLETE
    explanation = f"no credential, revocation, session or state of {BOT}-misspelled is on record"
    assert (True, False) == (explanation in other.out, "is on record;" in known.out)


def test_offboarded(tmp_path: Path) -> None:
    done, printed = offboard(tmp_path, *USED, disable(430), state="Inactive")
    assert done.code == exit_codes.OK
    assert done.out.startswith("OFFBOARDED revoked, state read after it, no use on record after it")
    assert (
        f"credential {KEY_ID}: 2026-03-02 07:00:00Z to 2026-03-02 07:01:00Z, 1 done, " in done.out
    )
    assert "1 validated, 1 refused, 0 after" in done.out
    assert "UpdateAccessKey (disabled, success) by arn:aws:iam::333344445555:user/admin" in done.out
    assert '"Status":"Inactive"' in done.out
    assert "use after revocation cannot be seen: InvalidClientTokenId and" in done.out
    assert printed.json["schema"] == "nhi-evidence/offboarding/1"
    assert printed.json["verdict"] == "OFFBOARDED"
    assert printed.json["use_after_is_visible"] is False


def test_no_revocation_a_refused_one_that_of_another_and_a_reversed_one(tmp_path: Path) -> None:
    none, reversed_ = "no revocation is on record", "the identity or a credential was enabled again"
    cases = (
        ((), none),
        ((disable(430, errorCode="AccessDenied"),), none),
        ((disable(430, "another"),), none),
        ((disable(430), disable(435, status="Active")), reversed_),
    )
    for number, (records, reason) in enumerate(cases):
        done, _ = offboard(tmp_path / str(number), *USED, *records, state="Active")
        assert done.code == exit_codes.INCOMPLETE
        assert done.out.startswith(f"NOT OFFBOARDED {reason}")


def test_without_a_state_it_is_not_shown(tmp_path: Path) -> None:
    done, _ = offboard(tmp_path, *USED, disable(430))
    assert done.code == exit_codes.INCOMPLETE
    assert done.out.startswith("REVOKED but no later reading shows what is left")


def test_a_session_that_outlives_the_key(tmp_path: Path) -> None:
    mint = record(
        "GetFederationToken",
        425,
        3,
        responseElements={"credentials": {"accessKeyId": SESSION}},
    )
    done, printed = offboard(tmp_path / "a", *USED, mint, disable(430), state="Inactive")
    assert done.code == exit_codes.INCOMPLETE
    assert done.out.startswith("REVOKED but 1 session may outlive it; no such use is on record")
    session = printed.json["sessions"][0]
    assert session["may_live_until"] - session["made"] == 36 * HOUR
    federated = {
        "type": "FederatedUser",
        "principalId": f"{ACCOUNT}:bot",
        "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/bot",
        "accountId": ACCOUNT,
        "accessKeyId": SESSION,
        "sessionContext": {
            "sessionIssuer": {
                "type": "IAMUser",
                "principalId": "AIDACKCEVSQ6C2EXAMPLE",
                "arn": BOT,
                "accountId": ACCOUNT,
                "userName": "bot",
            }
        },
    }
    use = record("ListBuckets", 440, 4, userIdentity=federated, eventSource="s3.amazonaws.com")
    done, printed = offboard(tmp_path / "b", *USED, mint, disable(430), use, state="Inactive")
    assert done.code == exit_codes.WRONG
    assert done.out.startswith("USED AFTER 1 record after")
    assert printed.json["sessions"][0]["used_after"] == 1


def test_use_of_the_key_itself(tmp_path: Path) -> None:
    again = record("GetCallerIdentity", 445, 9)
    done, printed = offboard(tmp_path, *USED, disable(430), again, state="Inactive")
    assert done.code == exit_codes.WRONG
    assert printed.json["credentials"][0]["after"] == 1
    assert msgspec.json.encode(printed.json)


def test_what_cannot_be_read_may_be_a_use(tmp_path: Path) -> None:
    offboard(tmp_path, *USED, disable(430), state="Inactive")
    sealed = Sealed(tmp_path / "evidence")
    known = set(sealed.folder.glob("ev/**/*.zst"))
    sealed.lock(delivery(9, [record("GetCallerIdentity", 550, 9)]))
    sealed.seal(DAY + 31 * HOUR)
    (added_file,) = {*sealed.folder.glob("ev/**/*.zst")} - known
    added_file.chmod(0o600)
    added_file.write_bytes(b"altered")
    ask = ("offboarding", sealed.folder, "--key", sealed.vkey, "--identity", BOT)
    result, printed = run(*ask), run(*ask, "--json")
    assert result.code == printed.code == exit_codes.INCOMPLETE
    assert result.out.startswith("REVOKED but 1 object or line could not be read")
    assert (printed.json["verdict"], printed.json["unread"]) == ("REVOKED", 1)


@pytest.mark.parametrize(
    ("user", "account", "code"),
    [
        ("bot", ACCOUNT, exit_codes.OK),
        ("robot", ACCOUNT, exit_codes.INCOMPLETE),
        ("bot-2", ACCOUNT, exit_codes.INCOMPLETE),
        ("bot", "999988887777", exit_codes.INCOMPLETE),
    ],
)
def test_the_state_of_another_identity_shows_nothing(
    tmp_path: Path, user: str, account: str, code: int
) -> None:
    """Neither of one with a longer name, nor of the same name in another account."""
    sealed = Sealed(tmp_path / "evidence")
    sealed.lock(delivery(7, [*USED, disable(430)]))
    answer = Answer(
        call="iam:ListAccessKeys",
        scope=account,
        request={"UserName": user},
        answer={"AccessKeyMetadata": []},
    )
    sealed.state(added(answer)(estate.reading("aws", DAY + 20 * HOUR)))
    sealed.seal()
    result = run("offboarding", sealed.folder, "--key", sealed.vkey, "--identity", BOT)
    assert result.code == code, result.out


def test_a_second_key_that_is_active_is_named(tmp_path: Path) -> None:
    done, printed = offboard(tmp_path, *USED, disable(430), state="Active")
    assert done.code == exit_codes.INCOMPLETE
    assert done.out.startswith(f"REVOKED but 1 key could still be used: {KEY_ID}")
    assert printed.json["states"][0]["usable"] == [KEY_ID]


@pytest.mark.parametrize("disabled", [False, True])
def test_keys_of_a_disabled_account_are_of_no_use(*, disabled: bool) -> None:
    scope = "projects/-/serviceAccounts/x@y.iam.gserviceaccount.com"
    keys = [
        {"name": "a"},
        {"name": "b", "disabled": True},
        {"name": "c", "keyType": "SYSTEM_MANAGED"},
    ]
    listed = Answer(
        call="iam.projects.serviceAccounts.keys.list", scope=scope, answer={"keys": keys}
    )
    account = Answer(
        call="iam.projects.serviceAccounts.get", scope=scope, answer={"disabled": disabled}
    )
    reading = added(account)(added(listed)(estate.reading("gcp", 0)))
    assert list(offboarding._usable(reading, listed)) == ([] if disabled else ["a"])
