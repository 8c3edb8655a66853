"""The APIs of Google and Microsoft that reconciling asks, on loopback: pages, refusals, trouble."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from tests.loopback import Handler, Loopback

PAGE = 2
_SPAN = re.compile(r'timestamp>="([^"]+)" AND timestamp<"([^"]+)"')
_ACTIVITY_SPAN = re.compile(r"eventTimestamp ge '(\S+)' and eventTimestamp le '(\S+)'")
_GRAPH_SPAN = re.compile(r"(\w+) ge (\S+) and \w+ lt (\S+)")


class ApiServer(Loopback):
    """Lists what it is given; a context manager."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        """Of Cloud Logging."""
        self.audits: list[dict[str, Any]] = []
        """Of Entra: `id` and `activityDateTime`."""
        self.activities: list[dict[str, Any]] = []
        """Of the Activity Log, as Resource Manager lists them."""
        self.answers: dict[str, list[tuple[int, dict[str, Any], dict[str, str]]]] = {}
        """What a path answers first, in place of what it would."""
        self.asked: list[tuple[str, dict[str, Any]]] = []
        """Path and form, document or query of each request."""
        super().__init__(self._handler())
        self.url = self.endpoint_url

    def answer(
        self, path: str, request: dict[str, Any], token: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """The answer of one request."""
        self.asked.append((path, request))
        if self.answers.get(path):
            return self.answers[path].pop(0)
        if path.endswith("token"):
            taken = request.get("subject_token") or request.get("client_assertion")
            assert taken == "identity", request
            return 200, {"access_token": "access"}, {}
        assert token == "Bearer access"
        if path == "/v2/entries:list":
            return 200, self._entries(request), {}
        if path == "/v1.0/auditLogs/directoryAudits":
            return 200, self._audits(request), {}
        if path.endswith("/providers/Microsoft.Insights/eventtypes/management/values"):
            return 200, self._activities(path, request), {}
        return 404, {"error": {"code": 404, "message": path}}, {}

    def _entries(self, request: dict[str, Any]) -> dict[str, Any]:
        span = _SPAN.search(request["filter"])
        assert span is not None
        begins, ends = (text.rstrip("Z") for text in span.groups())
        own = [one for one in self.entries if begins <= one["timestamp"].rstrip("Z") < ends]
        start = int(request.get("pageToken", 0))
        page: dict[str, Any] = {"entries": own[start : start + PAGE]}
        if start + PAGE < len(own):
            page["nextPageToken"] = str(start + PAGE)
        return page

    def _audits(self, request: dict[str, Any]) -> dict[str, Any]:
        span = _GRAPH_SPAN.search(request["$filter"][0])
        assert span is not None
        own = [each for each in self.audits if span[2] <= each["activityDateTime"] < span[3]]
        start = int(request.get("$skip", ["0"])[0])
        page: dict[str, Any] = {"value": [{"id": each["id"]} for each in own[start : start + PAGE]]}
        if start + PAGE < len(own):
            query = f"$filter={request['$filter'][0].replace(' ', '%20')}&$skip={start + PAGE}"
            page["@odata.nextLink"] = f"{self.url}/v1.0/auditLogs/directoryAudits?{query}"
        return page

    def _activities(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        """Both ends of the span are of it, and times are compared as they are written."""
        assert request["api-version"] == ["2015-04-01"]
        span = _ACTIVITY_SPAN.fullmatch(request["$filter"][0])
        assert span is not None, request
        own = [one for one in self.activities if span[1] <= one["eventTimestamp"] <= span[2]]
        start = int(request.get("$skipToken", ["0"])[0])
        page: dict[str, Any] = {"value": own[start : start + PAGE]}
        if start + PAGE < len(own):
            query = urlencode(
                {
                    "api-version": "2015-04-01",
                    "$filter": request["$filter"][0],
                    "$skipToken": start + PAGE,
                }
            )
            page["nextLink"] = f"{self.url}{path}?{query}"
        return page

    def _handler(self) -> type[Handler]:
        server = self

        class _Api(Handler):
            def do_GET(self) -> None:  # noqa: N802 as inherited
                parts = urlsplit(self.path)
                self._send(unquote(parts.path), parse_qs(parts.query))

            def do_POST(self) -> None:  # noqa: N802 as inherited
                body = self.body()
                if self.headers.get("Content-Type") == "application/json":
                    request = json.loads(body)
                else:
                    request = {name: one[0] for name, one in parse_qs(body.decode()).items()}
                self._send(unquote(urlsplit(self.path).path), request)

            def _send(self, path: str, request: dict[str, Any]) -> None:
                token = self.headers.get("Authorization", "")
                status, answered, headers = server.answer(path, request, token)
                body = json.dumps(answered).encode()
                self.reply(status, body, headers)

        return _Api
