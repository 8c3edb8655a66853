"""One source pack with its tables: a raw record is kept, out of scope, or rejected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from nhi_evidence import sources
from nhi_evidence.catalog import lexicon
from nhi_evidence.catalog.catalog import Catalog
from nhi_evidence.event import LONGEST_DETAIL, Event, Rejection
from nhi_evidence.ocsf.objects import Record
from nhi_evidence.ocsf.write import ocsf_record
from nhi_evidence.phases import Classification
from nhi_evidence.pipeline.scope import Scope, out_of_scope

_ResultT = TypeVar("_ResultT")


class OutOfScope(msgspec.Struct, frozen=True, gc=False):
    """A record that is understood and not evidence, and why."""

    reason: str
    uid: str | None = None
    """Its native id, by which it can be asked for again."""


class Normalized(msgspec.Struct, frozen=True, gc=False):
    """A kept record: its OCSF form and its exact text."""

    record: Record
    text: str


class Original(msgspec.Struct, frozen=True, gc=False):
    """A record as it was delivered."""

    sha256: bytes
    size: int


class PackMapper:
    """What one pack makes of its records: same input, same output."""

    def __init__(self, name: str, *, scope: Scope, lists_out_of_scope_ids: bool) -> None:
        """Load a pack.

        With `lists_out_of_scope_ids`, a record without a native id is kept whatever the scope: left
        out, nobody could ask for it again. Raises `SettingsError` for an unknown pack and
        `CatalogError` for a table that does not hold together.
        """
        self.pack = sources.pack(name)
        tables = [sources.table(name, file) for file in self.pack.TABLES]
        self.catalog = Catalog(
            tables[0],
            name=f"{name} catalog",
            access_levels=tables[1] if len(tables) > 1 else None,
        )
        self.tables = [*tables, lexicon.TABLE]
        """What decides output: the pack's tables and the lexicon."""
        self._scope = scope
        self._lists_out_of_scope_ids = lists_out_of_scope_ids

    def normalize(self, raw: bytes) -> Event | Rejection:
        """Return the event a raw record states."""
        return self.pack.normalize(raw)

    def map(
        self, raw: bytes, text: str, original: Original | None = None
    ) -> Normalized | OutOfScope | Rejection:
        """Map one record, as `map_all` does. Raises what a record that breaks the mapper raises."""
        (mapped,) = self.map_all([raw], [text], [original])
        if isinstance(mapped, Exception):
            raise mapped
        return mapped

    def map_all(
        self,
        raws: Sequence[bytes],
        texts: Sequence[str],
        originals: Sequence[Original | None],
    ) -> list[Normalized | OutOfScope | Rejection | Exception]:
        """Map records; each text is its raw record decoded.

        Where something was cut out of it, an original says what it was before. Each step is done
        for all of them before the next: code and tables of a step stay in the processor's caches.
        A record that breaks the mapper comes to the exception that was raised, and costs no other.
        """
        mapped: list[Any] = attempts(self.pack.normalize, raws)
        places = [at for at, event in enumerate(mapped) if isinstance(event, Event)]
        kept: list[tuple[int, Event, Classification]] = []
        for at, decided in zip(
            places, attempts(self._decide, [mapped[at] for at in places]), strict=True
        ):
            if isinstance(decided, Classification):
                kept.append((at, mapped[at], decided))
            else:
                mapped[at] = decided
        if not kept:
            return mapped
        hashes = [
            (was.sha256, was.size)
            if (was := originals[at]) is not None
            else (sha256(raws[at]).digest(), len(raws[at]))
            for at, _, _ in kept
        ]
        places, *known = map(list, zip(*kept, strict=True))
        for at, record in zip(
            places, attempts(ocsf_record, *known, *zip(*hashes, strict=True)), strict=True
        ):
            mapped[at] = Normalized(record, texts[at]) if isinstance(record, Record) else record
        return mapped

    def _decide(self, event: Event) -> Classification | OutOfScope | Rejection:
        try:
            classification = self.catalog.classify(event)
        except (msgspec.MsgspecError, RecursionError) as error:
            return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])
        reason = out_of_scope(event, classification, self._scope)
        if reason is not None:
            uid = event.logged.uid
            if uid is not None or not self._lists_out_of_scope_ids:
                return OutOfScope(reason, uid)
        return classification


def attempt(work: Callable[..., _ResultT], *arguments: Any) -> _ResultT | Exception:
    """Return what some work gives, or the exception it raised: of one record, for the log."""
    try:
        return work(*arguments)
    except MemoryError:
        raise  # of this process and this moment, not of the record
    except Exception as error:  # handed on
        return error


def attempts(work: Callable[..., _ResultT], *columns: Sequence[Any]) -> list[_ResultT | Exception]:
    """Return what `attempt` returns for each row; nearly always no row raises, and C goes on.

    Where one does, all are done again: whatever is done here gives the same twice.
    """
    try:
        return list(map(work, *columns))
    except MemoryError:
        raise  # of this process and this moment, not of a row
    except Exception:  # of one row: which, the slower way says
        return [attempt(work, *row) for row in zip(*columns, strict=True)]
