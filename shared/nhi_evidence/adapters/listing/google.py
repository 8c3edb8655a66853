"""Cloud Logging's entries of an hour, as its API lists them to a federated AWS role.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from nhi_evidence.adapters.listing import http_json
from nhi_evidence.errors import SourceUnavailableError

_PAGE = 1000
STS = "https://sts.googleapis.com/v1/token"
_SCOPE = "https://www.googleapis.com/auth/logging.read"
_AUDIT_LOGS = 'logName:"cloudaudit.googleapis.com"'


class GoogleScope(msgspec.Struct, frozen=True, tag_field="kind", tag="google"):
    """One resource whose audit logs are listed."""

    resource: str
    """`projects/<id>`, `folders/<number>` or `organizations/<number>`."""
    provider: str
    """`//iam.googleapis.com/projects/<n>/locations/global/workloadIdentityPools/<p>/providers/<p>`;
    the audience of the identity token derives from it."""
    filter: str = ""
    """The sink's filter; empty if every audit log is exported."""
    sts: str = STS
    logging: str = "https://logging.googleapis.com/v2/entries:list"


def filter_of(scope: GoogleScope, hour: datetime) -> str:
    """Return the filter for an hour; it is kept with the listing."""
    begins, ends = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (hour, hour + timedelta(hours=1)))
    own = f"({scope.filter}) AND " if scope.filter else ""
    return f'{own}{_AUDIT_LOGS} AND timestamp>="{begins}" AND timestamp<"{ends}"'


def audience(scope: GoogleScope) -> str:
    """Return the audience of the identity token, which the pool's provider accepts by default."""
    return f"https:{scope.provider}"


def token(scope: GoogleScope, identity: Callable[[str], str]) -> str:
    """Exchange an AWS identity token for a Google token. Raises as `http_json.ask` does."""
    return exchanged(scope.provider, identity, scopes=_SCOPE, sts=scope.sts)


def exchanged(provider: str, identity: Callable[[str], str], *, scopes: str, sts: str = STS) -> str:
    """Exchange an AWS identity token, at a pool's provider, for a Google token with these scopes.

    Raises as `http_json.ask` does.
    """
    answer = http_json.ask(
        sts,
        form={
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "audience": provider,
            "scope": scopes,
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token": identity(f"https:{provider}"),
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        },
    )
    return _text(answer, "access_token", sts)


def entries(scope: GoogleScope, access: str, wanted: str) -> Iterator[tuple[str, Any]]:
    """Yield the native id of each entry that a filter lists, and the entry.

    The id is the pack's: insert id, time to the nanosecond, and log name. An entry that lacks one
    of them is left out, as it cannot be matched. Raises as `http_json.ask` does, and
    `SourceUnavailableError` if an answer is no page of entries, or pages repeat.
    """
    request: dict[str, Any] = {
        "resourceNames": [scope.resource],
        "filter": wanted,
        "orderBy": "timestamp asc",
        "pageSize": _PAGE,
    }
    seen: set[object] = set()
    while True:
        page = http_json.ask(scope.logging, token=access, document=request)
        # An empty list of entries is left out of an answer.
        entries = [] if "entries" not in page and "error" not in page else page.get("entries")
        for entry in http_json.objects(scope.logging, entries):
            parts = [entry.get(name) for name in ("insertId", "timestamp", "logName")]
            texts = [part for part in parts if isinstance(part, str) and part]
            if len(texts) == len(parts):
                yield "|".join(texts), entry
        following = page.get("nextPageToken")
        if not following:
            return
        if not isinstance(following, str) or following in seen:
            raise SourceUnavailableError(f"{scope.logging}: the same page again, or no name of one")
        seen.add(following)
        request["pageToken"] = following


def _text(answer: dict[str, Any], name: str, url: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise SourceUnavailableError(f"{url}: the answer has no {name}")
    return value


def hour_of(milliseconds: int) -> datetime:
    """Return an instant, in milliseconds since the epoch, as a UTC datetime."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
