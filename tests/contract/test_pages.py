"""Lists in pages: one that ends too early, or is no list, never passes for a whole one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nhi_evidence.adapters import one_host
from nhi_evidence.adapters.listing import google, http_json, microsoft
from nhi_evidence.adapters.listing.google import GoogleScope
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.adapters.signing import outside
from nhi_evidence.errors import SourceUnavailableError
from tests.loopback import Handler, Loopback

HOST = "management.azure.com"


class Pages(Loopback):
    """Answers every request in turn, and keeps what was asked and with which token."""

    def __init__(self, *answers: Any, status: int = 200, location: str = "") -> None:
        self.asked: list[tuple[str, str]] = []
        remaining = iter(answers)
        outer = self

        class _Handler(Handler):
            def do_GET(self) -> None:  # noqa: N802 as inherited
                self.body()
                outer.asked.append((self.path, self.headers.get("Authorization", "")))
                headers = {"Location": location} if location else {}
                self.reply(status, json.dumps(next(remaining, {})).encode(), headers)

            do_POST = do_GET  # noqa: N815 as inherited

        super().__init__(_Handler)


def read(server: Pages, **pages: str) -> RestReader:
    """Ask for a list through `server`; return who asked."""
    reader = RestReader({HOST: "token"}, {HOST: server.endpoint_url})
    reader.ask("list", "all", f"https://{HOST}/list", items="value", **pages)
    return reader


ENDS: dict[str, dict[str, Any]] = {
    "on another host": {"value": [1], "nextLink": "https://elsewhere.example/list?page=2"},
    "without TLS": {"value": [1], "nextLink": f"http://{HOST}/list?page=2"},
    "on another port": {"value": [1], "nextLink": f"https://{HOST}:8443/list?page=2"},
    "at no port": {"value": [1], "nextLink": f"https://{HOST}:port/list?page=2"},
    "with a link that is none": {"value": [1], "nextLink": {"page": 2}},
    "with an error": {"value": [], "error": {"code": "TooManyRequests"}},
    "without a list": {"message": "try again"},
}


@pytest.mark.parametrize("end", ENDS)
def test_a_list_that_ends_like_this_is_a_failed_answer(end: str) -> None:
    """Its first page alone would say that nothing else exists."""
    with Pages(ENDS[end]) as server:
        (answer,) = read(server, next_page="nextLink").answers
    assert ("failed", None) == (answer.status, answer.answer)
    assert answer.error


@pytest.mark.parametrize("host", [HOST, f"{HOST}:443", HOST.title()])
def test_the_same_host_may_be_written_differently(host: str) -> None:
    """With the port of its scheme, or in capitals: the list goes on."""
    first = {"value": [1], "nextLink": f"https://{host}/list?page=2"}
    with Pages(first, {"value": [2]}) as server:
        (answer,) = read(server, next_page="nextLink").answers
    assert ("ok", [1, 2]) == (answer.status, answer.answer["value"])
    assert [("/list", "Bearer token"), ("/list?page=2", "Bearer token")] == server.asked


def test_a_token_of_a_page_is_passed_as_it_is() -> None:
    """It may contain what means something else in a query."""
    with Pages({"value": [1], "next": "a+b/c=&all=no"}, {}) as server:
        (answer,) = read(server, next_page="next", page_parameter="page").answers
    assert ("ok", [1]) == (answer.status, answer.answer["value"])
    assert "/list?page=a%2Bb%2Fc%3D%26all%3Dno" == server.asked[1][0]


LISTS: dict[str, Callable[[Pages], list[Any]]] = {
    "Microsoft": lambda server: list(
        microsoft.entries(server.endpoint_url, "list", "token", "nextLink")
    ),
    "Google": lambda server: list(
        google.entries(GoogleScope("projects/x", "", logging=server.endpoint_url), "token", "")
    ),
}
NO_PAGES: dict[str, dict[str, Any]] = {
    "an error": {"error": {"code": 429}},
    "a text": {"value": "none", "entries": "none"},
    "an object": {"value": {"id": 1}, "entries": {"insertId": "1"}},
    "a list of numbers": {"value": [1], "entries": [1]},
    "no link": {"value": [], "entries": [], "nextLink": {"a": 1}, "nextPageToken": {"a": 1}},
}


@pytest.mark.parametrize("page", NO_PAGES)
@pytest.mark.parametrize("provider", LISTS)
def test_what_is_no_page_lists_nothing(provider: str, page: str) -> None:
    """It must not pass for an hour without entries."""
    with Pages(NO_PAGES[page]) as server, pytest.raises(SourceUnavailableError):
        LISTS[provider](server)


def test_an_empty_page_of_google_has_no_entries_at_all() -> None:
    with Pages({"nextPageToken": "2"}, {}) as server:
        assert [] == LISTS["Google"](server)
    assert 2 == len(server.asked)


def test_pages_in_circles_end() -> None:
    """Also if the circle has more than one page."""
    pages = [{"nextPageToken": token} for token in ("2", "3", "2", "3", "2", "3")]
    with Pages(*pages) as server, pytest.raises(SourceUnavailableError, match="again"):
        LISTS["Google"](server)


@pytest.fixture
def thief() -> Iterator[Pages]:
    with Pages({"value": [], "entries": []}) as server:
        yield server


def test_no_redirect_takes_a_token_elsewhere(thief: Pages) -> None:
    """Whatever is asked: the answer is a refusal, and nothing is sent to another address."""
    with Pages({}, status=302, location=thief.endpoint_url) as server:
        with pytest.raises(http_json.RefusedError, match="302"):
            http_json.ask(server.endpoint_url, token="token")
        with pytest.raises(http_json.RefusedError, match="302"):
            http_json.ask(server.endpoint_url, form={"client_assertion": "token"})
        assert (302, b"{}") == outside.post("authority", server.endpoint_url, b"", "text/plain")
    assert [] == thief.asked


@pytest.mark.parametrize(
    ("link", "is_same"),
    [
        ("https://a.example/", True),
        ("https://A.example:443/x", True),
        ("https://a.example:444/", False),
        ("http://a.example/", False),
        ("https://a.example.org/", False),
        ("https://a.example@b.example/", False),
        ("https://[a/", False),
        ("", False),
    ],
)
def test_an_address_is_on_the_same_host_or_not(link: str, *, is_same: bool) -> None:
    assert is_same is one_host.is_same(link, "https://a.example/list")
