"""The credentials of a deployment: without any, one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from infra.deploy.access import Access
from infra.deploy.running import NOT_FOUND, run
from nhi_evidence.errors import SettingsError, StoreUnavailableError
from tests.infra.aws.deploy_answers import Answers, refused, stack


def test_a_profile_that_does_not_exist_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """boto3 refuses it when creating the session, before any request."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "nope")
    with pytest.raises(SettingsError, match=r"no access to AWS: .*\(nope\).*AWS_PROFILE="):
        Access("eu-central-1")


class Signed(Access):
    """Credentials of one account, and what STS answers to them."""

    def __init__(self, error: Exception) -> None:
        self.account = "999999999999"
        self._sessions = {}
        self._answers = Answers(assume_role=error)

    def _sts(self, region: str) -> Any:  # noqa: ARG002
        return self._answers


@pytest.mark.parametrize(
    "error", [refused("Throttling"), EndpointConnectionError(endpoint_url="https://x")]
)
def test_an_account_is_not_left_out_because_of_a_moment(error: Exception) -> None:
    """Its stacks would not be deployed, and "with these credentials" would be the wrong reason."""
    with pytest.raises(StoreUnavailableError, match=r"cdk-hnb659fds-deploy-role-.*run it again"):
        Signed(error).deploys(stack())


def test_an_account_that_refuses_is_left_out() -> None:
    """It is another's to deploy."""
    assert not Signed(refused("AccessDenied")).deploys(stack())


def test_a_program_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Not taken for a configuration that is not there."""
    assert NOT_FOUND == run(["there-is-no-such-program"])
    assert "there-is-no-such-program is not on the path" in capsys.readouterr().out
