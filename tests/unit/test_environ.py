"""The environment of a function: nothing that is set for it is ignored."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from nhi_evidence.adapters.environ import read_settings
from nhi_evidence.errors import SettingsError


class Settings(msgspec.Struct):
    """Settings of a function, some with a default."""

    bucket: str
    scope: Literal["nhi", "all"] = "nhi"


@pytest.mark.parametrize(
    ("variable", "advice"),
    [
        ("NHI_EVIDENCE_SCOPES", "; did you mean NHI_EVIDENCE_SCOPE?"),
        ("nhi_evidence_scope", "; did you mean NHI_EVIDENCE_SCOPE?"),
        ("NHI_EVIDENCE_ZZZ_QQQQQQQQQQQQQQQQQQQQQ", ""),
    ],
)
def test_a_variable_that_would_be_ignored_is_refused(variable: str, advice: str) -> None:
    """A misspelled option would otherwise leave its default in force, unsaid."""
    with pytest.raises(SettingsError) as raised:
        read_settings(Settings, {"NHI_EVIDENCE_BUCKET": "x", variable: "all"})
    assert f"{variable} is unknown{advice}" == str(raised.value)


def test_a_misspelled_required_variable_is_missing_and_unknown() -> None:
    """Both are named: the first explains the second."""
    with pytest.raises(SettingsError) as raised:
        read_settings(Settings, {"NHI_EVIDENCE_BUKET": "x"})
    assert (
        "NHI_EVIDENCE_BUKET is unknown; did you mean NHI_EVIDENCE_BUCKET?; "
        "NHI_EVIDENCE_BUCKET is not set"
    ) == str(raised.value)


def test_variables_of_others_are_not_ours() -> None:
    """The platform, its SDK and other software of that name have their own prefixes."""
    others = {"AWS_REGION": "x", "PATH": "/bin", "NHI_OTHER": "y", "NHI_EVIDENCEX": "z"}
    variables = {**others, "NHI_EVIDENCE_BUCKET": "x", "NHI_EVIDENCE_SCOPE": "all"}
    assert Settings("x", "all") == read_settings(Settings, variables)
