"""Answers and files that are JSON but for a byte that is no text, or nest too deep: refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.adapters.gcp import gcs_source
from nhi_evidence.adapters.gcp.cloud_event import ObjectRef
from nhi_evidence.adapters.index import state
from nhi_evidence.adapters.listing import http_json
from nhi_evidence.cli import verify
from nhi_evidence.errors import SettingsError, SourceUnavailableError
from nhi_evidence.terminal import verify_report

NO_TEXT = b'{"name": "\xff", "error": "\xff", "nextPageToken": "\xff"}'
"""What a proxy or a service that writes Latin-1 answers."""
TOO_DEEP = b'{"name":' * 100_000


@pytest.mark.parametrize("body", [NO_TEXT, TOO_DEEP])
def test_an_answer_is_no_answer(body: bytes) -> None:
    """One such answer ended the function, and with it what it had still to ask."""
    with pytest.raises(SourceUnavailableError, match="not a JSON object"):
        http_json._object("https://example.org", body)
    refused = http_json._refused("https://example.org", 403, body)
    assert "https://example.org: 403" in str(refused)
    with pytest.raises(SourceUnavailableError, match="Cloud Storage answers"):
        gcs_source._decoded(ObjectRef("bucket", "name", "1"), body, dict[str, Any])


@pytest.mark.parametrize("body", [NO_TEXT, TOO_DEEP])
def test_a_file_is_none_of_ours(tmp_path: Path, body: bytes) -> None:
    """It was called a bug in this program."""
    (path := tmp_path / state.FILE).write_bytes(body)
    with pytest.raises(SettingsError, match="not a saved state"):
        verify._state(path)
    with pytest.raises((ValueError, RecursionError)):
        verify_report.read_document(body)
    with pytest.raises(SettingsError, match="remove the folder to rebuild"):
        state.load(tmp_path)
