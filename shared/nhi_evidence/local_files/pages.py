"""Pages of providers' APIs and tools -> the documents that a source reads.

- Microsoft Graph, Azure Resource Manager: `{"@odata.context":"...", "value":[], "nextLink":"..."}`
  https://learn.microsoft.com/graph/paging,
  https://learn.microsoft.com/rest/api/monitor/activity-logs/list
- CloudWatch Logs `filter-log-events`, `get-log-events`: `{"events":[{"message":"..."}]}`
  https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
- Logs Insights `get-query-results`: `{"results":[[{"field":"@message","value":"..."}]]}`
  https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html
- Log Analytics `{"tables":[...]}` and its rows; BigQuery rows of exported logs
- a batch of Event Hubs messages: `[{"records":[...]}, ...]`
- a bare list of any of these.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nhi_evidence.local_files import big_query, log_analytics
from nhi_evidence.reading.json_slices import Envelope

_BARE = Envelope()
_DEPTH = 4
_MESSAGE = "@message"
_PAGE_LISTS = ("value", "records")
_PAGE_MARKS = frozenset({"nextlink", "nexttoken", "count"})


class _LogEvent(msgspec.Struct, frozen=True):
    message: str


class _Events(msgspec.Struct, frozen=True):
    events: list[_LogEvent]


class _Field(msgspec.Struct, frozen=True):
    field: str
    value: str = ""


class _Results(msgspec.Struct, frozen=True):
    results: list[list[_Field]]


_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_events = msgspec.json.Decoder(_Events).decode
_results = msgspec.json.Decoder(_Results).decode


def records(document: bytes, depth: int = _DEPTH) -> Iterator[bytes]:
    """Yield the exact documents in a page; anything that is not a page is yielded unchanged."""
    if document[:1] == b"[" and depth:
        spans = _BARE.elements(document)
        if spans:
            for start, end in spans:
                yield from records(document[start:end], depth - 1)
            return
    inside = _page(document) if document[:1] == b"{" and depth else None
    if inside is None:
        yield document
        return
    for piece in inside:
        yield from records(piece, depth - 1)


def _page(document: bytes) -> list[bytes] | None:
    """Return the elements of an object that is a page; None for any other."""
    try:
        members = _object(document)
        if "events" in members:
            return [event.message.strip().encode() for event in _events(document).events]
        if "results" in members:
            return _insights(document)
        if big_query.MARK in members:
            return [big_query.entry(members)]
        if "tables" in members:
            return log_analytics.rows(members["tables"])
        if (row := log_analytics.activity(members)) is not None:
            return [row]
        for name in _PAGE_LISTS:
            if name in members and all(_is_of_page(other) for other in members if other != name):
                return [bytes(element) for element in _list(members[name])]
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    return None


def _is_of_page(name: str) -> bool:
    return name.startswith("@odata.") or name.lower() in _PAGE_MARKS


def _insights(document: bytes) -> list[bytes] | None:
    """Return the messages in a query's rows; None if any row has none."""
    rows = _results(document).results
    messages = [
        field.value.strip().encode() for row in rows for field in row if field.field == _MESSAGE
    ]
    return messages if len(messages) == len(rows) else None
