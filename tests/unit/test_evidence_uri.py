"""Where evidence is said to be: nothing in a URI is dropped, and no access is an error in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nhi_evidence.adapters.aws import athena_uri
from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.errors import SettingsError

ATHENA = "athena://example?region=eu-central-1"
ROLE = "arn:aws:iam::111122223333:role/auditor"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, and no machine to ask for any."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


OPENS: dict[str, Callable[[str], object]] = {
    "s3://evidence?": lambda uri: open_log(uri, Access()),
    f"{ATHENA}&": athena_uri.parse,
}


@pytest.mark.parametrize("begin", OPENS)
@pytest.mark.parametrize(
    "end",
    [
        "endpoint=",
        "endpoint",
        "endpoint=s3.example.org",
        "endpoint=https://",
        "endpoint=https://a.example&endpoint=https://b.example",
        "endpoint=https://a.example#more",
    ],
)
def test_an_endpoint_that_is_none_is_refused(begin: str, end: str) -> None:
    """Otherwise Amazon's would be asked: `?endpoint=$STORE` where the variable is not set."""
    with pytest.raises(SettingsError):
        OPENS[begin](begin + end)


@pytest.mark.parametrize("begin", OPENS)
def test_an_endpoint_is_taken_as_it_is(begin: str) -> None:
    OPENS[begin](f"{begin}endpoint=http://127.0.0.1:8333")


def test_a_role_without_an_identity_to_assume_it_is_an_error_in_words() -> None:
    """It was an `AttributeError` at the first call."""
    access = Access(role_arn=ROLE)
    with pytest.raises(SettingsError, match="no access to AWS: Unable to locate credentials"):
        open_log("s3://evidence", access)
    with pytest.raises(SettingsError, match="Unable to locate credentials"):
        athena_uri.open_session(athena_uri.parse(ATHENA), access)
