"""Listing entries of Cloud Logging, hour by hour, through Google's own library.

Uses REST, not gRPC: an audit log's payload holds messages of types that only their services know,
which the API's JSON spells out but a gRPC client cannot decode (docs/decisions/0019).
https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from nhi_evidence.errors import SettingsError, SourceUnavailableError
from nhi_evidence.event import Delivery

_DIGITS = 16
"""Hex digits of a hash in a unit's name."""
_PAGE = 1000
"""Maximum number of entries the API returns at once."""
_HOUR = timedelta(hours=1)
_PATIENCE_SECONDS = 300.0
"""How long a request for a page is retried: the quota is about sixty requests a minute."""
_AUDIT_LOGS = 'logName:"cloudaudit.googleapis.com"'


def connect() -> Any:
    """Return a client with the credentials of the environment.

    Raises `SettingsError` if the library is not installed or there are no credentials.
    """
    try:
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 optional
        from google.cloud.logging import Client  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "backfill needs google-cloud-logging: install nhi-evidence with its extra `gcp`"
        ) from error
    try:
        return Client(_use_grpc=False)  # type: ignore[no-untyped-call] # the library is half typed
    except (GoogleAuthError, OSError) as error:
        raise SettingsError(f"no access to Google Cloud: {error}") from error


def hours(
    client: Any, resource: str, wanted: str, begins: datetime, ends: datetime
) -> Iterator[Delivery]:
    """Yield what the API lists for each hour of a window, one delivery per hour.

    `resource` is `projects/<id>`, `organizations/<number>`, ...; `wanted` is a filter in Cloud
    Logging's language, empty for every audit log. Empty hours are skipped. Raises
    `SourceUnavailableError`.
    """
    filter_hash = sha256(wanted.encode()).hexdigest()[:_DIGITS]
    hour = begins
    while hour < ends:
        lines = [
            # Sorted, so that an entry that is listed twice gives the same bytes.
            msgspec.json.encode(entry, order="sorted")
            for entry in _entries(client, resource, _filter(wanted, hour))
        ]
        if lines:
            body = b"\n".join(lines) + b"\n"
            # An hour that is listed again may contain late entries, and is then another unit.
            listing = sha256(body).hexdigest()[:_DIGITS]
            yield Delivery(
                unit=f"api/{resource}/{filter_hash}/{listing}!h={hour:%Y%m%d%H}",
                body=body,
                raw_form="api",
            )
        hour += _HOUR


def _filter(wanted: str, hour: datetime) -> str:
    first, last = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (hour, hour + _HOUR))
    own = f"({wanted}) AND " if wanted else ""
    return f'{own}{_AUDIT_LOGS} AND timestamp>="{first}" AND timestamp<"{last}"'


def _entries(client: Any, resource: str, wanted: str) -> Iterator[dict[str, Any]]:
    request: dict[str, Any] = {
        "resourceNames": [resource],
        "filter": wanted,
        "orderBy": "timestamp asc",
        "pageSize": _PAGE,
    }
    seen: set[object] = set()
    while True:
        page = _page(client, request)
        entries = page.get("entries", [])
        following = page.get("nextPageToken") or ""
        is_list = isinstance(entries, list) and all(isinstance(one, dict) for one in entries)
        if "error" in page or not is_list or not isinstance(following, str) or following in seen:
            raise SourceUnavailableError(f"{resource}: no page of entries, or the same one again")
        yield from entries
        if not following:
            return
        seen.add(following)
        request["pageToken"] = following


def _page(client: Any, request: dict[str, Any]) -> dict[str, Any]:
    from google.api_core import exceptions, retry  # noqa: PLC0415 optional
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    passing = retry.if_exception_type(
        exceptions.TooManyRequests, exceptions.ServerError, ConnectionError
    )
    again = retry.Retry(predicate=passing, timeout=_PATIENCE_SECONDS)
    try:
        page = again(client._connection.api_request)(  # noqa: SLF001 its only way to the raw JSON
            method="POST", path="/entries:list", data=request
        )
    except (exceptions.GoogleAPIError, GoogleAuthError, OSError) as error:
        raise SourceUnavailableError(f"{request['resourceNames'][0]}: {error}") from error
    if not isinstance(page, dict):
        raise SourceUnavailableError(f"{request['resourceNames'][0]}: the answer is not an object")
    return page
