"""Backfilling from Cloud Logging with Google's own library, from an API on loopback."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import google.cloud.logging
import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from typer.testing import CliRunner

from nhi_evidence.adapters.gcp import log_listing
from nhi_evidence.cli import app
from nhi_evidence.demo.story import gcp_files
from nhi_evidence.errors import SettingsError, SourceUnavailableError
from nhi_evidence.evidence import objects

ENTRIES = [json.loads(line) for file in gcp_files() for line in file.body.splitlines()][:5]


class Api:
    """`entries.list`: two pages for 08:00, nothing for other hours."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.status = 200
        api = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as inherited
                pass

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.asked.append(request)
                body = json.dumps(api.answer(request)).encode()
                self.send_response(api.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.status != 200:
            return {"error": {"code": self.status, "message": "no"}}
        if 'timestamp>="2026-03-02T08:00:00Z"' not in request["filter"]:
            return {}
        if "pageToken" in request:
            return {"entries": ENTRIES[3:]}
        return {"entries": ENTRIES[:3], "nextPageToken": "more"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    running = Api()
    address = f"http://127.0.0.1:{running.server.server_port}"

    def connect() -> google.cloud.logging.Client:
        return google.cloud.logging.Client(  # type: ignore[no-untyped-call]
            project="example-prod",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            _http=requests.Session(),
            _use_grpc=False,
            client_options={"api_endpoint": address},
        )

    monkeypatch.setattr(log_listing, "connect", connect)
    yield running
    running.server.shutdown()
    running.server.server_close()


def backfill(folder: Path) -> Any:
    options = ["--resource", "projects/example-prod", "--from", "2026-03-02T08"]
    options += ["--to", "2026-03-02T10", "--filter", "severity>=NOTICE", "--scope", "all", "--json"]
    return CliRunner().invoke(app, ["backfill", "gcp", str(folder), *options])


def test_each_hour_is_a_unit_in_the_form_of_the_api(api: Api, tmp_path: Path) -> None:
    """Every entry of every page, with nanoseconds; a repeat changes nothing."""
    result = backfill(tmp_path)
    assert result.exit_code == 0, result.output
    report = json.loads(result.output)
    assert (5, 5, 1) == (report["seen"], report["kept"] + report["rejected"], report["created"])
    (path,) = tmp_path.rglob("*.ndjson.zst")
    table, lines = objects.read_object(path.read_bytes())
    (unit,) = table.units
    assert ("api", report["units"]) == (unit.raw_form, [unit.unit])
    assert re.fullmatch(
        r"api/projects/example-prod/[0-9a-f]{16}/[0-9a-f]{16}!h=2026030208", unit.unit
    )
    assert "2026030208" == table.header.hour
    assert ENTRIES == [json.loads(one["r"]) for one in map(json.loads, lines) if "r" in one]
    assert 'logName:"cloudaudit.googleapis.com"' in api.asked[0]["filter"]
    assert api.asked[0]["filter"].startswith("(severity>=NOTICE) AND ")
    assert json.loads(backfill(tmp_path).output)["created"] == 0


def test_an_hour_with_late_entries_is_another_unit(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two different listings do not contest each other: records are identified by their ids."""
    first = json.loads(backfill(tmp_path).output)["units"]
    monkeypatch.setattr(sys.modules[__name__], "ENTRIES", ENTRIES[:4])
    second = json.loads(backfill(tmp_path).output)["units"]
    assert 2 == len({*first, *second})
    assert 2 == len(list(tmp_path.rglob("*.ndjson.zst")))


def test_a_refusal_locks_nothing(api: Api, tmp_path: Path) -> None:
    """A failed listing is an error that names the resource, never an empty hour."""
    api.status = 403
    result = backfill(tmp_path)
    assert isinstance(result.exception, SourceUnavailableError)
    assert str(result.exception).startswith("projects/example-prod: 403")
    assert [] == list(tmp_path.rglob("*.zst"))


@pytest.mark.parametrize(
    "page",
    [
        {"entries": [], "nextPageToken": "more"},
        {"entries": [], "nextPageToken": {"a": 1}},
        {"entries": {"a": 1}},
        {"entries": [1]},
        {"error": {"code": 429}},
    ],
    ids=["the same again", "no token", "no list", "no entry", "an error"],
)
def test_what_is_no_page_locks_nothing(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: dict[str, Any]
) -> None:
    """It must not pass for an empty hour, and the same page is not read for ever."""
    monkeypatch.setattr(api, "answer", lambda _request: page)
    result = backfill(tmp_path)
    assert isinstance(result.exception, SourceUnavailableError)
    assert "projects/example-prod: no page of entries" in str(result.exception)
    assert [] == list(tmp_path.rglob("*.zst"))


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is an optional extra."""
    monkeypatch.setitem(sys.modules, "google.cloud.logging", None)
    with pytest.raises(SettingsError, match="install nhi-evidence with its extra `gcp`"):
        log_listing.connect()
