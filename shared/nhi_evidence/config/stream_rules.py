"""Consistency of streams: each can be made, and what it cannot deliver is never read as a log."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.config.locate import Path
from nhi_evidence.config.stream_table import Stream
from nhi_evidence.config.tables import File, Files, SourceEntry


def streams_fit(file: File) -> Iterator[tuple[Path, str]]:
    """Yield what would prevent a stream from being made."""
    entry_of_bucket: dict[str, int] = {}
    for at, entry in enumerate(file.sources):
        if not entry.streams:
            continue
        path: Path = ("sources", at)
        if entry.files is None:
            yield (*path, "streams"), "fill a bucket: add files = {...}, which the deployment makes"
            continue
        yield from _bucket((*path, "files"), entry.files, file)
        first = entry_of_bucket.setdefault(entry.files.bucket, at)
        if first != at:
            yield (
                (*path, "files", "bucket"),
                f"is already made for entry {first + 1}: name a different bucket for each entry",
            )
        yield from _each((*path, "streams"), entry)


def _bucket(path: Path, files: Files, file: File) -> Iterator[tuple[Path, str]]:
    here = file.log_archive.account
    if files.account != here:
        yield (
            (*path, "account"),
            f"is not the log-archive account {here}, where streams are made with their bucket",
        )
    if not files.prefix.endswith("/"):
        yield (
            (*path, "prefix"),
            (
                "is not a folder: what cannot be delivered goes beside it and is not read; "
                'write one, such as "log/"'
            ),
        )
    for key in ("kms_key", "topic"):
        if getattr(files, key) is not None:
            yield (*path, key), "is for a bucket that already exists: remove it, or the streams"


def _each(path: Path, entry: SourceEntry) -> Iterator[tuple[Path, str]]:
    names: set[str] = set()
    for at, stream in enumerate(entry.streams):
        if stream.name in names:
            yield (
                (*path, at, "name"),
                "is already used by another stream: each needs its own folder",
            )
        names.add(stream.name)
        yield from _origin((*path, at), stream)


def _origin(path: Path, stream: Stream) -> Iterator[tuple[Path, str]]:
    if stream.bus is not None and stream.accounts:
        yield (*path, "accounts"), "are for CloudWatch Logs, bus is for EventBridge: remove one"
    elif stream.bus is None and not stream.accounts:
        yield (
            path,
            (
                "does not say what fills it: write accounts = [...], whose log groups may be "
                "subscribed, or bus = ..., the event source of a partner"
            ),
        )
