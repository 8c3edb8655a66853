"""The scan against invention: what an outcome claims, the record has to state."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import unsupported

RECORD = {"metadata": {"product": {}}, "status_id": 2}
SUCCESS = {**RECORD, "status_id": 1}
STATED = {"result.ok": False}


@pytest.mark.parametrize("raw", [{"result": {"ok": False}}, {"errorCode": "AccessDenied"}])
def test_a_failure_that_the_record_states_is_supported(raw: dict[str, Any]) -> None:
    """By what every source has, or by the field that its `pack.toml` names."""
    assert [] == unsupported(RECORD, raw, STATED)


@pytest.mark.parametrize("raw", [{"result": {"ok": True}}, {"result": {}}, {"result": None}, {}])
def test_a_failure_that_it_does_not_state_is_invented(raw: dict[str, Any]) -> None:
    [missing] = unsupported(RECORD, raw, STATED)
    assert missing.startswith("failure the record does not state")
    assert "`failure` in tests/cases/<source>/pack.toml" in missing


def test_no_field_of_another_source_states_a_failure() -> None:
    assert unsupported(RECORD, {"result": {"ok": False}})


def test_a_success_has_no_code() -> None:
    [missing] = unsupported({**SUCCESS, "status_code": "ok"}, {"code": "ok"})
    assert missing == "success with status_code ok: an Outcome of SUCCESS has no code"


def test_a_text_that_is_escaped_in_a_record_within_a_text_is_supported() -> None:
    """API Gateway's access log is such a text, in an event of CloudWatch Logs."""
    wrapped = {"message": '{"accountId": "\\u001f"}'}
    account = {**SUCCESS, "cloud": {"account": {"uid": "\x1f"}}}
    assert [] == unsupported(account, wrapped)
    assert ["cloud.account.uid = '\\x1f'"] == unsupported(account, {"message": "{"})
