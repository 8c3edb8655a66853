"""Raw records from local inputs: files, directories and standard input, in any known form."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO

import msgspec

from nhi_evidence import sources
from nhi_evidence.event import Kind, Limits, Rejection, Undecodable
from nhi_evidence.local_files import assumed, detect, reader
from nhi_evidence.local_files.assumed import Assumed
from nhi_evidence.local_files.reader import Piece
from nhi_evidence.local_files.unreadable import Unreadable
from nhi_evidence.pipeline.export import Mapper, Normalized
from nhi_evidence.pipeline.mapping import OutOfScope
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.terminal import fitting

STANDARD_INPUT = Path("-")
_UNKNOWN_SOURCE = Unreadable("source_unknown", "JSON of no known log", "name its log with --source")
_CUT_OFF = Unreadable("malformed_json", "JSON that is damaged or truncated", "fetch it again")
_TELL_EVERY = 500
"""Records between two progress reports."""
_COMPANION = "a digest or manifest, not records; not read"


class Reading(msgspec.Struct, frozen=True):
    """One raw record, or something that could not be read as one, and what became of it."""

    name: str
    line: int
    """Line its document begins on, from 1; 0 for a whole file."""
    raw: bytes
    mapped: Normalized | OutOfScope | Rejection
    source: str | None
    problem: Unreadable | None = None
    """For what could not be read: the reason in words."""


class Inputs:
    """The files of a command line, read one by one; a bad one does not affect the others."""

    def __init__(
        self,
        source: str | None,
        *,
        scope: Scope,
        assume_utc: bool = False,
    ) -> None:
        """Name the source, or None to detect each document's from its attributes.

        With `assume_utc`, a time without a zone is read as UTC, and its record says so.
        Raises `SettingsError` for an unknown source.
        """
        self._source = source
        self._scope = scope
        self._assume_utc = assume_utc
        self._read = 0
        self._mappers: dict[str, Mapper] = {}
        self.detected: dict[str, int] = {}
        """Documents by detected source, where none was named."""
        self.unread: list[str] = []
        """Inputs that could not be opened, and why."""
        self.skipped: list[str] = []
        """Files whose names say they are not records, and why."""
        if source is not None:
            self._mapper(source)

    def files(self, inputs: Iterable[Path]) -> list[Path]:
        """Return the files of inputs; for a directory, all that are not hidden below it, by name.

        What is not a file in a directory goes to `unread`; what is named twice is read once, and
        goes to `skipped`.
        """
        files: list[Path] = []
        for path in inputs:
            if path == STANDARD_INPUT or not path.is_dir():
                files.append(path)
                continue
            try:
                below = sorted(path.rglob("*"))
            except OSError as error:
                self.unread.append(f"{_named(path)}: cannot be read: {error.strerror}")
                continue
            visible = [each for each in below if not _is_hidden(each.relative_to(path))]
            regular = [each for each in visible if each.is_file()]
            odd = [f"{_named(each)}: {why}" for each in visible if (why := _no_file(each))]
            self.unread += odd
            if not regular and not odd:
                self.unread.append(f"{_named(path)}: directory contains no files")
            files += regular
        return list(self._once(files))

    def _once(self, files: Iterable[Path]) -> Iterator[Path]:
        """Yield each file once, by whatever paths it is named."""
        first: dict[Path, Path] = {}
        for path in files:
            resolved = path if path == STANDARD_INPUT else path.resolve()
            if resolved in first:
                self.skipped.append(
                    f"{_named(path)}: the same file as {first[resolved]}; read once"
                )
            else:
                first[resolved] = path
                yield path

    def size(self, files: Iterable[Path]) -> int | None:
        """Return the total size of the files; None where standard input is among them."""
        paths = list(files)
        if STANDARD_INPUT in paths:
            return None
        return sum(path.stat().st_size for path in paths if path.is_file())

    def readings(
        self, path: Path, progress: Callable[[int], None] = lambda _: None
    ) -> Iterator[Reading]:
        """Yield every record of a file. One that cannot be opened goes to `unread`.

        `progress` is called now and then with the bytes read so far, over all files.
        """
        if self._is_companion(path):
            self.skipped.append(f"{_named(path)}: {_COMPANION}")
            return
        try:
            if path == STANDARD_INPUT:
                yield from self.stream("standard input", sys.stdin.buffer)
                return
            with path.open("rb") as stream:
                for number, reading in enumerate(self.stream(_decoded(path), stream)):
                    if number % _TELL_EVERY == 0 and stream.seekable():
                        progress(self._read + stream.tell())
                    yield reading
                self._read += stream.seek(0, io.SEEK_END) if stream.seekable() else 0
                progress(self._read)
        except OSError as error:
            self.unread.append(f"{_named(path)}: cannot be read: {error.strerror}")

    def stream(self, name: str, stream: IO[bytes]) -> Iterator[Reading]:
        """Yield every record of an open input."""
        last: tuple[str, str | None] = ("", None)
        for piece in reader.pieces(name, stream, Limits().inflated_bytes):
            if piece.problem is not None:
                yield _unreadable(piece, piece.problem)
                continue
            # A document without telling attributes takes its neighbors' source.
            source = self._source or detect.source(piece.data)
            source = source or (last[1] if last[0] == piece.name else None)
            last = (piece.name, source)
            if source is None:
                yield _unreadable(piece, _UNKNOWN_SOURCE if _is_json(piece.data) else _CUT_OFF)
                continue
            if self._source is None:
                self.detected[source] = self.detected.get(source, 0) + 1
            mapper = self._mapper(source)
            for raw, problem in _records(mapper, piece.data):
                mapped = problem or self._map(mapper, raw)
                yield Reading(piece.name, piece.line, raw, mapped, source)

    def _map(self, mapper: Mapper, raw: bytes) -> Normalized | OutOfScope | Rejection:
        assumption = assumed.utc(raw) if self._assume_utc else None
        if assumption is None:
            return mapper.map(raw)
        mapped = mapper.map(assumption.raw)
        return _marked(mapped, raw, assumption) if isinstance(mapped, Normalized) else mapped

    def _mapper(self, source: str) -> Mapper:
        mapper = self._mappers.get(source)
        if mapper is None:
            mapper = self._mappers[source] = Mapper(
                source,
                scope=self._scope,
                keep_out_of_scope_raw=False,  # nothing is written
            )
        return mapper

    def _is_companion(self, path: Path) -> bool:
        names = sources.names() if self._source is None else (self._source,)
        return any(sources.load(name).kind_of(path.as_posix()) is Kind.COMPANION for name in names)


def _decoded(path: Path) -> str:
    """Return a path as text that can be written; on a disk, a name may be any bytes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _named(path: Path) -> str:
    return fitting.path(_decoded(path))


def records(mapper: Mapper, name: str, body: bytes) -> Iterator[tuple[bytes, Rejection | None]]:
    """Yield each raw record of a file's bytes, with a rejection where a document is unreadable."""
    for piece in reader.pieces(name, io.BytesIO(body), mapper.settings.limits.inflated_bytes):
        if piece.problem is not None:
            yield piece.data, _rejection(piece.problem)
        else:
            yield from _records(mapper, piece.data)


def _records(mapper: Mapper, document: bytes) -> Iterator[tuple[bytes, Rejection | None]]:
    """Yield the records of a document; one without readable records yields itself once."""
    decoded = mapper.source.unwrap(document, mapper.settings.limits)
    if isinstance(decoded, Undecodable):
        yield document, Rejection(decoded.reason, decoded.detail)
        return
    for index in range(len(decoded.spans)):
        yield decoded.record(index).raw, None


def _marked(mapped: Normalized, raw: bytes, assumption: Assumed) -> Normalized:
    """Return a record with its own text again, labeled as having an assumed zone."""
    record = mapped.record
    original = record.metadata.original_time
    metadata = msgspec.structs.replace(
        record.metadata,
        original_time=assumption.originals.get(original, original),
        labels=(*record.metadata.labels, assumed.LABEL),
    )
    fingerprint = msgspec.structs.replace(record.raw_data_hash, value=sha256(raw).hexdigest())
    record = msgspec.structs.replace(
        record, metadata=metadata, raw_data_hash=fingerprint, raw_data_size=len(raw)
    )
    return Normalized(record, raw.decode())


def _unreadable(piece: Piece, problem: Unreadable) -> Reading:
    if not problem.begins:
        problem = msgspec.structs.replace(problem, begins=piece.data[:80])
    return Reading(piece.name, piece.line, piece.data, _rejection(problem), None, problem)


def _rejection(problem: Unreadable) -> Rejection:
    return Rejection(problem.reason, f"{problem.looks_like}; {problem.advice}")


def _is_json(document: bytes) -> bool:
    try:
        msgspec.json.decode(document, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return True


def _no_file(path: Path) -> str | None:
    """Return why an entry of a directory is not read; None of files, and of directories below."""
    if path.is_file() or (path.is_dir() and not path.is_symlink()):
        return None
    if path.is_dir():
        return "a link to a directory; not followed"
    if path.is_symlink():
        return (
            "a link to something that is not a file; not read"
            if path.exists()
            else "a broken link; not read"
        )
    return "a pipe, socket or device; not read"


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
