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
    """A record that is understood but not evidence, and why."""

    reason: str
    uid: str | None = None
    """Its native id, by which it can be requested again."""


class Normalized(msgspec.Struct, frozen=True, gc=False):
    """A kept record: its OCSF form and its exact text."""

    record: Record
    text: str


class Original(msgspec.Struct, frozen=True, gc=False):
    """A record as delivered."""

    sha256: bytes
    size: int


class PackMapper:
    """Maps the records of one pack: same input, same output."""

    def __init__(self, name: str, *, scope: Scope, lists_out_of_scope_ids: bool) -> None:
        """Load a pack.

        With `lists_out_of_scope_ids`, a record without a native id is kept whatever the scope: if
        left out, it could not be matched with a listing. Raises `SettingsError` for an unknown pack
        and `CatalogError` for an inconsistent table.
        """
        self.pack = sources.pack(name)
        tables = [sources.table(name, file) for file in self.pack.TABLES]
        self.catalog = Catalog(
            tables[0],
            name=f"{name} catalog",
            access_levels=tables[1] if len(tables) > 1 else None,
        )
        self.tables = [*tables, lexicon.TABLE]
        """What determines the output: the pack's tables and the lexicon."""
        self._scope = scope
        self._lists_out_of_scope_ids = lists_out_of_scope_ids

    def normalize(self, raw: bytes) -> Event | Rejection:
        """Return the event a raw record states."""
        return self.pack.normalize(raw)

    def map(
        self, raw: bytes, text: str, original: Original | None = None
    ) -> Normalized | OutOfScope | Rejection:
        """Map one record like `map_all`, passing on whatever exception it causes in the mapper."""
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

        For a record with cuts, an original describes it as delivered. Each step is done for all
        records before the next one, so that its code and tables stay in the CPU caches. A record
        that breaks the mapper gives the exception that was raised, and does not affect others.
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
    """Return the result of some work on one record, or the exception it raised, for the log."""
    try:
        return work(*arguments)
    except MemoryError:
        raise  # due to this process at this moment, not to the record
    except Exception as error:  # returned
        return error


def attempts(work: Callable[..., _ResultT], *columns: Sequence[Any]) -> list[_ResultT | Exception]:
    """Return `attempt` of each row; nearly always no row raises, and the loop stays in C.

    If one does, all are done again: everything here gives the same result twice.
    """
    try:
        return list(map(work, *columns))
    except MemoryError:
        raise  # due to this process at this moment, not to a row
    except Exception:  # due to one row: the slower way below tells which
        return [attempt(work, *row) for row in zip(*columns, strict=True)]
