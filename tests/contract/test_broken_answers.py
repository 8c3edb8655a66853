"""Answers that are not HTTP, or end too early: what asks over HTTPS takes them for none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nhi_evidence.adapters.listing import http_json
from nhi_evidence.adapters.probing.http_calls import Runner
from nhi_evidence.adapters.probing.outcome import Done
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.coverage.canary.probes import probes
from nhi_evidence.errors import SourceUnavailableError
from tests.loopback import Handler, Loopback

ANSWERS = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "ends within a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{",
}


class _Broken(Handler):
    answer = b""

    def do_GET(self) -> None:  # noqa: N802 as inherited
        self.wfile.write(self.answer)


@pytest.fixture(params=ANSWERS)
def broken(request: pytest.FixtureRequest) -> Iterator[Loopback]:
    handler = type("Broken", (_Broken,), {"answer": ANSWERS[request.param]})
    with Loopback(handler) as server:
        yield server


def test_a_listing_says_that_there_is_no_answer(
    broken: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few tries: it may be a proxy that is being replaced."""
    monkeypatch.setattr(http_json, "_FIRST_WAIT", 0.01)
    with pytest.raises(SourceUnavailableError, match=broken.address):
        http_json.ask(broken.endpoint_url)


def test_a_reading_keeps_it_as_a_failure(broken: Loopback) -> None:
    """The other calls go on; what this one asked for is not known."""
    reader = RestReader({"api.example.com": "token"}, {"api.example.com": broken.endpoint_url})
    assert reader.ask("settings", "all", "https://api.example.com/settings") is None
    (answer,) = reader.answers
    assert "failed" == answer.status


def test_a_probe_is_not_answered(broken: Loopback) -> None:
    """Nor is it taken for refused: the other probes of the hour are made all the same."""
    probe = next(each for each in probes("gcp") if each.call.startswith("GET https://"))
    host = probe.call.split("/")[2]
    done = Done(hour="2026030208")
    runner = Runner({host: "token"}, {}, done, {host: broken.endpoint_url})
    runner.run(probe, "nonce")
    assert (0, 1) == (done.calls, len(done.unanswered))
