"""What an investigation reads: the index of an evidence store, or raw log files as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Annotated

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
from nhi_evidence.investigate import trust
from nhi_evidence.investigate.index import EventIndex, MemoryIndex
from nhi_evidence.investigate.row import Place, Row, read
from nhi_evidence.investigate.trust import Trust
from nhi_evidence.ocsf.objects import Record
from nhi_evidence.pipeline.export import Normalized
from nhi_evidence.pipeline.scope import Scope

InputsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="The evidence (s3://bucket[?endpoint=URL], or a directory with a log), or raw log "
        "files, directories and -.",
    ),
]
IndexFolder = Annotated[
    Path | None,
    typer.Option(
        "--index",
        metavar="DIR",
        file_okay=False,
        help="Keep the index of an evidence store here; default: in the user's cache.",
    ),
]


@contextmanager
def opened(
    inputs: Sequence[str],
    *,
    keys: list[str] | None,
    policy_file: Path | None,
    folder: Path | None,
    access: Access,
    source: str | None = None,
    quiet: bool = False,
) -> Iterator[EventIndex]:
    """Open an index of the inputs, brought up to their signed head.

    Raises `SettingsError` for what is neither an evidence store nor log files, and where a store
    is given without a key to trust.
    """
    if any(_is_store(each) for each in inputs):
        if len(inputs) > 1:
            raise SettingsError("one evidence store at a time; or raw log files alone")
        with _of_store(inputs[0], keys, policy_file, folder, access) as index:
            yield index
        return
    if folder is not None:
        raise SettingsError("--index is of an evidence store; raw log files are read as they are")
    yield _of_files([Path(each) for each in inputs], source, quiet=quiet)


def _is_store(text: str) -> bool:
    return "://" in text or (Path(text) / "log").is_dir()


@contextmanager
def _of_store(
    uri: str, keys: list[str] | None, policy_file: Path | None, folder: Path | None, access: Access
) -> Iterator[EventIndex]:
    # Loaded late: without an evidence store neither DuckDB nor Arrow is needed.
    from nhi_evidence.adapters.index import build, local_index  # noqa: PLC0415

    trusted = read_policy(policy_file, keys)
    store = open_sealed(uri, access)
    place = folder or default_folder(uri, trusted.name)
    with Steps("indexing") as steps:
        state = build.refresh(
            place,
            store,
            StoredLog(store, trusted.name, trusted.keys),
            log_name=trusted.name,
            accepted=trusted.mappers,
            progress=steps.say,
        )
    with local_index.LocalIndex(place, state) as index:
        yield index


def default_folder(uri: str, name: str) -> Path:
    """Return where the index of a store lies unless it is said."""
    where = str(Path(uri).resolve()) if "://" not in uri else uri
    digest = sha256(f"{where}\0{name}".encode()).hexdigest()[:16]
    return cache_folder() / "nhi-evidence" / "index" / digest


def _of_files(files: Sequence[Path], source: str | None, *, quiet: bool) -> MemoryIndex:
    logs, notes = Inputs(source, scope=Scope.ALL), Notes(quiet=quiet)
    rows: list[Row] = []
    trusts: list[Trust] = []
    for path in logs.files(files):
        for number, reading in enumerate(logs.readings(path), start=1):
            mapped = reading.mapped
            if isinstance(mapped, Rejection):
                notes.rejected(reading, mapped)
            elif isinstance(mapped, Normalized):
                place = Place(reading.name, "", number)
                row = _row(mapped.record, reading.source or "", place)
                rows.append(row)
                trusts += trust.trusts(row, reading.raw)
    notes.close(logs)
    return MemoryIndex(rows, trusts)


def _row(record: Record, source: str, place: Place) -> Row:
    return read(msgspec.json.encode(record), source, place)
