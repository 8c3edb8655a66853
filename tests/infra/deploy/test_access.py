"""The credentials of a deployment: without any, one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.deploy.access import Access
from nhi_evidence.errors import SettingsError


def test_a_profile_that_does_not_exist_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """boto3 refuses it when creating the session, before any request."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "nope")
    with pytest.raises(SettingsError, match=r"no access to AWS: .*\(nope\).*AWS_PROFILE="):
        Access("eu-central-1")
