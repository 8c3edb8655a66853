"""Reading a generation of a Cloud Storage object as a `Delivery`, only from the configured places.

Uses the JSON API over HTTP: Google's own client costs as much to import as the whole function, and
takes credentials from many places; this uses only the platform's token.
https://cloud.google.com/storage/docs/json_api/v1/objects/get
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from hashlib import md5
from typing import Annotated, TypeVar
from urllib.parse import quote

import msgspec
import urllib3

from nhi_evidence.adapters.gcp.cloud_event import ObjectRef
from nhi_evidence.errors import DeliveryRefusedError, SourceUnavailableError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import keys
from nhi_evidence.sources import Source

MAX_DELIVERED_BYTES = 128 * 1024 * 1024
"""Largest stored object that is read; a subscription's files are configured to be far smaller."""

_GOOGLE = "https://storage.googleapis.com"
_EMULATOR = "STORAGE_EMULATOR_HOST"
_TIMEOUT = urllib3.Timeout(connect=5.0, read=60.0)
_RETRY = urllib3.Retry(
    total=3,
    redirect=0,
    backoff_factor=0.5,
    status_forcelist=(408, 429, 500, 502, 503, 504),
    raise_on_status=False,
)
_OK = 200
_T = TypeVar("_T")
_EXCERPT = 300


class SourceBucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bucket from which deliveries are accepted."""

    bucket: str
    prefix: str = ""
    project_number: str | None = None
    """The project the bucket must belong to: a name that was given up can be claimed by another.

    Checked once; it takes the permission `storage.buckets.get`.
    """


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    """What Cloud Storage states about a generation of an object."""

    bucket: str
    name: str
    generation: str
    size: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}\Z")]
    time_created: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    md5_hash: str = ""
    crc32c: str = ""


class _Bucket(msgspec.Struct, frozen=True, rename="camel"):
    project_number: str


class GcsSource:
    """Fetches accepted objects; refuses all others before reading anything."""

    def __init__(
        self, accepted: tuple[SourceBucket, ...], source: Source, *, token: Callable[[], str]
    ) -> None:
        """Accept only `accepted`; `source` reads the hour from an object's name.

        `STORAGE_EMULATOR_HOST` names another Cloud Storage, as for Google's own clients; it gets no
        token.
        """
        self._accepted = {place.bucket: place for place in accepted}
        self._source = source
        self._token = token
        emulator = os.environ.get(_EMULATOR)
        self._is_emulated = emulator is not None
        self._host = (emulator or _GOOGLE).rstrip("/")
        self._http = urllib3.PoolManager(1, retries=_RETRY, timeout=_TIMEOUT)
        self._checked: set[str] = set()

    def fetch(self, ref: ObjectRef) -> Delivery:
        """Read exactly the generation that was announced.

        Raises `DeliveryRefusedError` for a bucket or name that is not accepted and for an
        object too large to hold, `SourceUnavailableError` when it cannot be read, and
        `TokenUnavailableError`.
        """
        self._check(ref)
        path = f"/storage/v1/b/{quote(ref.bucket, safe='')}/o/{quote(ref.name, safe='')}"
        described = self._describe(ref, path)
        if int(described.size) > MAX_DELIVERED_BYTES:
            raise DeliveryRefusedError(
                f"{ref}: {described.size} bytes, more than {MAX_DELIVERED_BYTES}"
            )
        body = self._get(ref, path, {"generation": ref.generation, "alt": "media"})
        if len(body) != int(described.size):
            raise SourceUnavailableError(f"{ref}: {len(body)} bytes received of {described.size}")
        if described.md5_hash and described.md5_hash != _md5(body):
            raise SourceUnavailableError(f"{ref}: the bytes received do not match the stored MD5")
        unit = keys.file_unit(
            bucket=ref.bucket,
            key=ref.name,
            version=ref.generation,
            hour_of=self._source.hour_of,
            modified=described.time_created,
        )
        return Delivery(
            unit=unit,
            body=body,
            kind=self._source.kind_of(ref.name),
            source_metadata=_metadata(described),
        )

    def _check(self, ref: ObjectRef) -> None:
        accepted = self._accepted.get(ref.bucket)
        if accepted is None:
            raise DeliveryRefusedError(f"{ref}: bucket is not a configured source")
        if not ref.name.startswith(accepted.prefix):
            raise DeliveryRefusedError(f"{ref}: name is outside {accepted.prefix!r}")
        if accepted.project_number is None or ref.bucket in self._checked:
            return
        path = f"/storage/v1/b/{quote(ref.bucket, safe='')}"
        answer = self._get(ref, path, {"fields": "projectNumber"})
        project = _decoded(ref, answer, _Bucket).project_number
        if project != accepted.project_number:
            raise DeliveryRefusedError(f"{ref}: bucket belongs to project {project}")
        self._checked.add(ref.bucket)

    def _describe(self, ref: ObjectRef, path: str) -> _Object:
        answer = self._get(ref, path, {"generation": ref.generation, "alt": "json"})
        described = _decoded(ref, answer, _Object)
        if (described.bucket, described.name, described.generation) != (
            ref.bucket,
            ref.name,
            ref.generation,
        ):
            raise SourceUnavailableError(f"{ref}: Cloud Storage described another object")
        return described

    def _get(self, ref: ObjectRef, path: str, query: dict[str, str]) -> bytes:
        # With gzip accepted, Cloud Storage sends a compressed object as it is stored.
        # https://cloud.google.com/storage/docs/transcoding
        headers = {"Accept-Encoding": "gzip"}
        if not self._is_emulated:
            headers["Authorization"] = f"Bearer {self._token()}"
        try:
            answer = self._http.request(
                "GET", f"{self._host}{path}", fields=query, headers=headers, decode_content=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise SourceUnavailableError(f"{ref}: {error}") from error
        if answer.status != _OK:
            text = answer.data[:_EXCERPT].decode(errors="replace")
            raise SourceUnavailableError(f"{ref}: {answer.status} {text}")
        return answer.data


def _decoded(ref: ObjectRef, answer: bytes, wanted: type[_T]) -> _T:
    try:
        return msgspec.json.decode(answer, type=wanted)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise SourceUnavailableError(f"{ref}: Cloud Storage answers {error}") from error


def _metadata(described: _Object) -> dict[str, str]:
    """Return what Cloud Storage states about a generation that is the same at every delivery.

    That excludes content type, encoding, class and custom metadata: the object's owner may edit
    them without changing the generation.
    https://cloud.google.com/storage/docs/metadata
    """
    created = described.time_created
    attributes = {
        "md5": described.md5_hash,
        "crc32c": described.crc32c,
        "time_created": created.isoformat().replace("+00:00", "Z") if created else "",
    }
    return {name: value for name, value in attributes.items() if value}


def _md5(body: bytes) -> str:
    """Return the MD5 as Cloud Storage states it: against damage in transit, not forgery."""
    return b64encode(md5(body, usedforsecurity=False).digest()).decode()
