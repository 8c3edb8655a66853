"""What an investigation reads: the index of an evidence store, or raw log files."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from nhi_evidence.adapters.environ import cache_folder
from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli.evidence_options import policy as read_policy
from nhi_evidence.cli.input_notes import Notes
from nhi_evidence.cli.progress import Steps
from nhi_evidence.cli.raw_input import Inputs
from nhi_evidence.errors import SettingsError
from nhi_evidence.event import Rejection
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import in_memory, trust
from nhi_evidence.investigate.index import EventIndex, MemoryIndex, Unread
from nhi_evidence.investigate.row import Place, Row
from nhi_evidence.investigate.row_reading import read
from nhi_evidence.investigate.trust import Trust
from nhi_evidence.ocsf.objects import Record
from nhi_evidence.pipeline.export import Normalized
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.terminal import fitting

if TYPE_CHECKING:
    from nhi_evidence.adapters.index.local_index import LocalIndex
    from nhi_evidence.adapters.index.state import State

_NEEDED = "an index needs DuckDB and Arrow: install nhi-evidence with its extra `investigate`"
_TEXTS = 3
"""At most this many unreadable inputs are listed in one sentence."""

InputsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="The evidence (s3://bucket[?endpoint=URL], or a directory with a log), raw log "
        "files, directories and -, or athena://NAME?region=REGION&auditor=NAME.",
    ),
]
IndexFolder = Annotated[
    Path | None,
    typer.Option(
        "--index",
        metavar="DIR",
        file_okay=False,
        help="Keep the index of an evidence store here; default: the user's cache.",
    ),
]


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What a command line asks to read."""

    inputs: tuple[str, ...]
    keys: list[str] | None
    policy_file: Path | None
    folder: Path | None
    access: Access
    source: str | None
    quiet: bool

    @property
    def is_store(self) -> bool:
        """Whether it is an evidence store. Raises `SettingsError` for one among other inputs."""
        for each in self.inputs:
            # A store copied without its log is not raw logs: its objects would be noise.
            if _is_copy(Path(each)) and not (Path(each) / "log").is_dir():
                raise SettingsError(f"{each}: not an evidence store: it has no folder log/")
        if not any("://" in each or (Path(each) / "log").is_dir() for each in self.inputs):
            if self.folder is not None:
                raise SettingsError(
                    "--index needs an evidence store; raw logs are read without one"
                )
            return False
        if len(self.inputs) > 1:
            raise SettingsError("give one evidence store, or only raw log files")
        return True


def _is_copy(path: Path) -> bool:
    return any((path / prefix / "v1").is_dir() for prefix in ("ev", "op"))


@contextmanager
def opened(what: Sources) -> Iterator[EventIndex]:
    """Open an index of the inputs, updated to their signed head.

    Raises `SettingsError` for what is neither an evidence store nor log files, and where a store
    is given without a trusted key.
    """
    if not what.is_store:
        rows: list[Row] = []
        trusts: list[Trust] = []
        unread = Unread()
        for row, stated in _rows(what, unread):
            rows.append(row)
            trusts += stated
        yield MemoryIndex(rows, trusts, unread=unread)
        return
    if not _is_installed():
        yield _in_memory(what)
        return
    with local(what) as index:
        yield index


def _is_installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("duckdb", "pyarrow"))


def _in_memory(what: Sources) -> MemoryIndex:
    """Without DuckDB everything is in memory, and built again every time."""
    if what.folder is not None:
        raise SettingsError(_NEEDED)
    trusted = read_policy(what.policy_file, what.keys)
    store = open_sealed(what.inputs[0], what.access)
    with Steps("reading") as steps:
        return in_memory.of_store(
            store,
            StoredLog(store, trusted.name, trusted.keys),
            log_name=trusted.name,
            accepted=trusted.mappers,
            progress=steps.say,
        )


@contextmanager
def local(what: Sources) -> Iterator[LocalIndex]:
    """Open an index for SQL queries; one of raw log files is deleted afterwards.

    Raises `SettingsError` as `opened` does, and where DuckDB or Arrow is not installed.
    """
    if not _is_installed():
        raise SettingsError(_NEEDED)
    # Loaded late: a timeline of raw logs needs neither.
    from nhi_evidence.adapters.index import build, local_index, raw_logs  # noqa: PLC0415

    if what.is_store:
        place, state = _of_store(what, build.refresh)
        with local_index.LocalIndex(place, state) as index:
            yield index
        return
    with tempfile.TemporaryDirectory(prefix="nhi-evidence-") as folder:
        unread = Unread()
        state = raw_logs.build(Path(folder), _rows(what, unread), unread)
        with local_index.LocalIndex(Path(folder), state) as index:
            yield index


def _of_store(what: Sources, refresh: Callable[..., State]) -> tuple[Path, State]:
    trusted = read_policy(what.policy_file, what.keys)
    store = open_sealed(what.inputs[0], what.access)
    place = what.folder or default_folder(what.inputs[0], trusted.name)
    with Steps("indexing") as steps:
        state = refresh(
            place,
            store,
            StoredLog(store, trusted.name, trusted.keys),
            log_name=trusted.name,
            accepted=trusted.mappers,
            progress=steps.say,
        )
    return place, state


def default_folder(uri: str, name: str) -> Path:
    """Return where a store's index is kept unless an option says otherwise."""
    where = str(Path(uri).resolve()) if "://" not in uri else uri
    digest = sha256(f"{where}\0{name}".encode()).hexdigest()[:16]
    return cache_folder() / "nhi-evidence" / "index" / digest


def _rows(what: Sources, unread: Unread) -> Iterator[tuple[Row, tuple[Trust, ...]]]:
    """Yield the records of raw log files, with the acts of trust they state.

    A file or record that cannot be read is noted, and the rest is still read.
    Raises `SettingsError` where nothing could be: no answer would be true.
    """
    logs, notes = Inputs(what.source, scope=Scope.ALL), Notes(quiet=what.quiet)
    is_any_read = False
    for path in logs.files([Path(each) for each in what.inputs]):
        not_opened, number = len(logs.unread) + len(logs.skipped), 0
        for number, reading in enumerate(logs.readings(path), start=1):
            is_any_read = is_any_read or not isinstance(reading.mapped, Rejection)
            mapped = reading.mapped
            if isinstance(mapped, Rejection):
                notes.rejected(reading, mapped)
                unread.note(f"{fitting.path(reading.name)}: {mapped.reason}")
            elif isinstance(mapped, Normalized):
                row = _row(mapped.record, reading.source or "", Place(reading.name, "", number))
                yield row, tuple(trust.trusts(row, reading.raw))
        if number == 0 and not_opened == len(logs.unread) + len(logs.skipped):
            is_any_read = True  # a log document without records
    notes.close(logs)
    for text in logs.unread:
        unread.note(text)
    if not is_any_read:
        texts = [*unread.texts, *logs.skipped]
        count = unread.count + len(logs.skipped)
        more = f"; and {count - _TEXTS} more" if count > _TEXTS else ""
        raise SettingsError(f"nothing could be read: {'; '.join(texts[:_TEXTS])}{more}")


def _row(record: Record, source: str, place: Place) -> Row:
    return read(msgspec.json.encode(record), source, place)
