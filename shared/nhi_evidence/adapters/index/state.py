"""The contents of an index, in one file replaced atomically: files it does not name are ignored."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from nhi_evidence.adapters.index.schema import VERSION
from nhi_evidence.errors import SettingsError
from nhi_evidence.investigate.sealed import Head

FILE = "index.json"
_MAX_UNREADABLE = 1000


class State(msgspec.Struct, kw_only=True):
    """The state of an index. Paths are names in its folder."""

    version: int = VERSION
    log: str
    """Name of the log it was made from."""
    accepted: list[str]
    """Releases that the policy accepted when claims were weighed."""
    heads: list[Head] = []
    objects: int = 0
    next_claim: int = 0
    """Number of the next object's first claim."""
    generation: int = 0
    events: list[str] = []
    claims: list[str] = []
    trusts: list[str] = []
    findings: list[str] = []
    standing: str | None = None
    repeated: str | None = None
    unreadable: list[str] = []
    """The first objects and lines that could not be read, and why."""
    unreadable_count: int = 0
    """How many could not be read altogether."""
    head_time: int | None = None
    """When the newest head was signed according to its log, milliseconds since the epoch."""

    def note_unreadable(self, texts: Iterable[str], count: int) -> None:
        """Count what could not be read, and keep the first texts about it."""
        self.unreadable_count += count
        self.unreadable += islice(texts, max(0, _MAX_UNREADABLE - len(self.unreadable)))

    def new_name(self, kind: str, number: int) -> str:
        """Return a new file's name; `number` must be unique for its kind within a generation."""
        return f"{kind}-{self.generation:06d}-{number:06d}.parquet"

    @property
    def files(self) -> set[str]:
        """Names of all files that belong to it."""
        single = {name for name in (self.standing, self.repeated) if name}
        return {*self.events, *self.claims, *self.trusts, *self.findings, *single, FILE}


def put(folder: Path, state: State, kind: str, table: pa.Table) -> None:
    """Write one file of `events`, `claims`, `trusts` or `findings`, and name it in the state."""
    name = state.new_name(kind, len(getattr(state, kind)))
    pq.write_table(table, folder / name, compression="zstd")
    getattr(state, kind).append(name)


def load(folder: Path) -> State | None:
    """Return the state of an index; None if there is none of this version, or a file of it is gone.

    Raises `SettingsError` if the folder contains something else, or the state is unreadable.
    """
    path = folder / FILE
    if not path.exists():
        if folder.is_dir() and any(folder.iterdir()):
            raise SettingsError(
                f"{folder}: contains something other than an index; nothing is overwritten"
            )
        return None
    try:
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: {error}; remove the folder to rebuild the index") from error
    is_whole = all((folder / name).is_file() for name in state.files)
    return state if state.version == VERSION and is_whole else None


def save(folder: Path, state: State) -> None:
    """Replace the state, and remove what it no longer names."""
    temporary = folder / f"{FILE}.new"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=1))
    temporary.replace(folder / FILE)
    kept = state.files
    for path in folder.iterdir():
        if path.is_file() and path.name not in kept:
            path.unlink()
