"""Locations of evidence, in one form everywhere: `s3://bucket[?endpoint=...]`, or a directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.errors import SettingsError
from nhi_evidence.stored import Receipt

if TYPE_CHECKING:
    from nhi_evidence.adapters.store.s3_versions import S3EvidenceLog


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a bucket of another account."""

    role_arn: str | None = None
    external_id: str | None = None
    profile: str | None = None


class NamedCopy:
    """A `CheckpointCopy`: another store, known by its URI."""

    def __init__(self, uri: str, access: Access) -> None:
        """Open the store that a URI names. Raises `SettingsError` as `open_log` does."""
        self.name = uri
        self._store = open_log(uri, access)

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str],
        retain_until: int | None = None,
    ) -> Receipt:
        """See `EvidenceWriter.put_new`."""
        return self._store.put_new(key, body, metadata=metadata, retain_until=retain_until)

    def keys(self, prefix: str) -> Iterator[str]:
        """See `EvidenceReader.keys`."""
        return self._store.keys(prefix)

    def get(self, key: str) -> bytes:
        """See `EvidenceReader.get`."""
        return self._store.get(key)


def open_log(uri: str, access: Access) -> S3EvidenceLog | DirectoryStore:
    """Return the store that a URI names. Raises `SettingsError` saying what is wrong with it."""
    if not uri.startswith("s3://"):
        if "://" in uri:
            raise SettingsError(f"{uri}: evidence is s3://bucket[?endpoint=...] or a directory")
        if Path(uri).is_file():
            raise SettingsError(
                f"{uri}: is a file, but evidence is a directory or s3://bucket; check-proof checks "
                "a proof, case verify a case, check-absence a statement of absence"
            )
        if not Path(uri).is_dir():
            raise SettingsError(f"{uri}: no such directory")
        return DirectoryStore(Path(uri))
    parts = urlsplit(uri)
    if not parts.netloc or parts.path.strip("/") or parts.fragment:
        raise SettingsError(f"{uri}: evidence is a whole bucket, s3://bucket")
    options = parse_qs(parts.query, keep_blank_values=True)
    unknown = set(options) - {"endpoint"}
    if unknown:
        raise SettingsError(f"{uri}: unknown option {', '.join(sorted(unknown))}")
    endpoint = endpoint_of(uri, options)
    # Amazon's library is only loaded for a bucket: a copy is verified without it.
    from nhi_evidence.adapters.store import bucket_access  # noqa: PLC0415 as said

    return bucket_access.open_bucket(parts.netloc, access, endpoint)


def endpoint_of(uri: str, options: Mapping[str, Sequence[str]]) -> str | None:
    """Return the endpoint in the options of a URI; None without one.

    Raises `SettingsError` if it is no address: without one, Amazon's own bucket of the same name
    would be read, or its workgroup asked.
    """
    if "endpoint" not in options:
        return None
    endpoint = options["endpoint"][0]
    parts = urlsplit(endpoint)
    if len(options["endpoint"]) > 1 or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(f"{uri}: endpoint is one address, such as https://s3.example.org")
    return endpoint


def open_sealed(uri: str, access: Access) -> S3EvidenceLog | DirectoryStore:
    """Return the store that a URI names, to be read as evidence.

    Raises `SettingsError` as `open_log` does, and when it is not an evidence store: a directory
    without a log, or a bucket with nothing of ours.
    """
    store = open_log(uri, access)
    folders = set(store.folders(""))
    if isinstance(store, DirectoryStore) and "log/" not in folders:
        raise SettingsError(f"{uri}: not an evidence store: it has no folder log/")
    if not folders & {"ev/", "op/", "log/"}:
        raise SettingsError(f"{uri}: not an evidence store: it has nothing under ev/, op/ or log/")
    return store
