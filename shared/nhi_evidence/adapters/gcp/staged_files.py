"""Listing the files in the staging bucket, and announcing them to the exporter again.

Uses the JSON APIs, with an operator's own credentials (Application Default Credentials).
https://docs.cloud.google.com/storage/docs/json_api/v1/objects/list
https://docs.cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import msgspec

from nhi_evidence.adapters.gcp.cloud_event import ObjectRef
from nhi_evidence.errors import SettingsError, SourceUnavailableError

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_STORAGE, _STORAGE_EMULATOR = "https://storage.googleapis.com", "STORAGE_EMULATOR_HOST"
_PUBSUB, _PUBSUB_EMULATOR = "https://pubsub.googleapis.com", "PUBSUB_EMULATOR_HOST"
_TIMEOUT_SECONDS = 60.0
_ATTEMPTS = 4
_AT_ONCE = 500
"""Messages published in one request; Pub/Sub accepts up to a thousand, and 10 MB."""
_PAGE = 1000
"""Objects per page; the maximum of Cloud Storage."""
_DAY = timedelta(days=1)
_OK = 200
_EXCERPT = 300
_T = TypeVar("_T")


class StagedFile(msgspec.Struct, frozen=True):
    """A generation of a batched file."""

    ref: ObjectRef
    size: int
    """Bytes."""
    finished: datetime
    """When its writer closed it, UTC."""


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    bucket: str
    name: str
    generation: str
    time_created: Annotated[datetime, msgspec.Meta(tz=True)]
    size: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}\Z")] = "0"


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    items: tuple[_Object, ...] = ()
    next_page_token: str | None = None


class _Published(msgspec.Struct, frozen=True, rename="camel"):
    message_ids: tuple[str, ...] = ()


class StagedFiles:
    """Lists a staging bucket and publishes notifications, as its operator."""

    def __init__(self) -> None:
        """Sign in. Raises `SettingsError` if a library is missing or there are no credentials.

        `STORAGE_EMULATOR_HOST` and `PUBSUB_EMULATOR_HOST` name other services, as for Google's own
        clients; these get no token.
        """
        storage = os.environ.get(_STORAGE_EMULATOR)
        pubsub = os.environ.get(_PUBSUB_EMULATOR)
        self._storage = (storage or _STORAGE).rstrip("/")
        self._pubsub = f"http://{pubsub}" if pubsub else _PUBSUB
        sessions = {
            signed_in: _session(signed_in=signed_in) for signed_in in {not storage, not pubsub}
        }
        self._to_storage, self._to_pubsub = sessions[not storage], sessions[not pubsub]

    def files(
        self, bucket: str, prefix: str, begins: datetime, ends: datetime
    ) -> Iterator[StagedFile]:
        """Yield the files finished from one instant, inclusive, to another, exclusive.

        Files are named by when they were begun, which may be the day before. Raises
        `SourceUnavailableError` when the bucket cannot be listed.
        """
        day = begins - _DAY
        while day.date() <= ends.date():
            for listed in self._listed(bucket, f"{prefix}{day:%Y/%m/%d}/"):
                if begins <= listed.time_created < ends:
                    ref = ObjectRef(listed.bucket, listed.name, listed.generation)
                    yield StagedFile(ref, int(listed.size), listed.time_created)
            day += _DAY

    def _listed(self, bucket: str, prefix: str) -> Iterator[_Object]:
        query = {"prefix": prefix, "maxResults": str(_PAGE)}
        url = f"{self._storage}/storage/v1/b/{quote(bucket, safe='')}/o"
        seen: set[str] = set()
        while True:
            request = partial(self._to_storage.get, url, params=query)
            page = _answer(request, f"gs://{bucket}", _Page)
            yield from page.items
            if not page.next_page_token:
                return
            if page.next_page_token in seen:
                raise SourceUnavailableError(f"gs://{bucket}: the same page again")
            seen.add(page.next_page_token)
            query["pageToken"] = page.next_page_token

    def announce(self, topic: str, refs: Sequence[ObjectRef]) -> int:
        """Publish a notification for each object, as Cloud Storage does; return how many.

        `topic` is `projects/<project>/topics/<topic>`. Raises `SourceUnavailableError` when some
        are not accepted: earlier ones remain published, and repeating all is safe.
        """
        published = 0
        for first in range(0, len(refs), _AT_ONCE):
            messages = [_notification(ref) for ref in refs[first : first + _AT_ONCE]]
            url = f"{self._pubsub}/v1/{topic}:publish"
            request = partial(self._to_pubsub.post, url, json={"messages": messages})
            answer = _answer(request, topic, _Published)
            if len(answer.message_ids) != len(messages):
                raise SourceUnavailableError(
                    f"{topic}: {len(answer.message_ids)} of {len(messages)} messages were accepted"
                )
            published += len(messages)
        return published


def _answer(request: Callable[..., Any], what: str, wanted: type[_T]) -> _T:
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 optional
    from requests import RequestException  # noqa: PLC0415

    try:
        answer = request(timeout=_TIMEOUT_SECONDS)
    except (GoogleAuthError, RequestException) as error:
        raise SourceUnavailableError(f"{what}: {error}") from error
    if answer.status_code != _OK:
        text = answer.content[:_EXCERPT].decode(errors="replace")
        raise SourceUnavailableError(f"{what}: {answer.status_code} {text}")
    try:
        return msgspec.json.decode(answer.content, type=wanted)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise SourceUnavailableError(f"{what}: the answer is invalid: {error}") from error


def _notification(ref: ObjectRef) -> dict[str, Any]:
    """Return a message as Cloud Storage publishes it for a finished object.

    https://docs.cloud.google.com/storage/docs/pubsub-notifications#format
    """
    return {
        "data": "e30=",  # {}: only the attributes are read
        "attributes": {
            "eventType": "OBJECT_FINALIZE",
            "payloadFormat": "JSON_API_V1",
            "bucketId": ref.bucket,
            "objectId": ref.name,
            "objectGeneration": ref.generation,
        },
    }


def _session(*, signed_in: bool) -> Any:
    """Return an HTTP session that retries transient failures."""
    try:
        import google.auth  # noqa: PLC0415 optional
        import requests  # noqa: PLC0415
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
        from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415
        from requests.adapters import HTTPAdapter  # noqa: PLC0415
        from urllib3 import Retry  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "replay gcp needs google-auth: install nhi-evidence with its extra `gcp`"
        ) from error
    try:
        session = (
            AuthorizedSession(google.auth.default(scopes=[_SCOPE])[0])  # type: ignore[no-untyped-call]
            if signed_in
            else requests.Session()
        )
    except (GoogleAuthError, OSError) as error:
        raise SettingsError(f"no access to Google Cloud: {error}") from error
    again = Retry(
        total=_ATTEMPTS,
        backoff_factor=0.5,
        status_forcelist=(408, 429, 500, 502, 503, 504),
        allowed_methods=None,
        raise_on_status=False,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=again))
    return session
