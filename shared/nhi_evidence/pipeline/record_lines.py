"""Raw records -> lines: routed, cut, mapped and written, each record by itself, step by step.

Declared fields are cut out first, and only what is left is read any further, so that what is cut
cannot be in any attribute, reason or detail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import repeat

import msgspec

from nhi_evidence import sources
from nhi_evidence.event import LONGEST_DETAIL, RawRecord, Rejection
from nhi_evidence.evidence import lines
from nhi_evidence.evidence.lines import Cut, Settings
from nhi_evidence.pipeline.mapping import (
    Normalized,
    Original,
    OutOfScope,
    PackMapper,
    attempt,
)
from nhi_evidence.reading import cutting

Mapped = Normalized | OutOfScope | Rejection


class Read(msgspec.Struct):
    """The result of mapping one record; filled in step by step."""

    pack: str | None
    """The pack that mapped it, where the source routes."""
    mapped: Mapped
    kept: cutting.Kept
    """The part of its text that may be written."""
    broken: Exception | None = None
    """The exception, if it broke the mapper: for the log, never written."""
    category: str | None = None
    """What the source routed it by, in the spelling of `routes.json`."""


class _Waiting(msgspec.Struct, gc=False):
    """Records of one pack that are read, and wait to be cut and mapped, as columns."""

    reads: list[Read] = []
    raws: list[bytes] = []
    texts: list[str] = []
    originals: list[Original | None] = []


_NOT_YET = Rejection("mapper_failed", "was not reached")
"""Placeholder until a record is mapped."""
_NOT_CUT = cutting.Kept(b"")
"""Placeholder until it is known what to cut from a record: nothing of it can be written."""


class RecordMapper:
    """Maps the records of one source, each by itself."""

    def __init__(self, source: str, packs: Mapping[str, PackMapper], settings: Settings) -> None:
        """Take the packs a source routes to, or its own. Raises `SettingsError`."""
        self._packs = packs
        self._settings = settings
        self._routes = sources.routes(source)
        self._source = source
        self._category = None if self._routes is None else sources.router(source).category
        cutters = {name: sources.cutter(name) for name in packs}
        self._cutters = {name: cutter for name, cutter in cutters.items() if cutter is not None}

    @property
    def cuts(self) -> bool:
        """Whether the source itself declares what may not be locked."""
        return self._source in self._cutters

    def may_need_cuts(self, body: bytes) -> bool:
        """Whether an unreadable delivery may contain what the source declares."""
        own = self._cutters.get(self._source)
        return own is not None and own.may_need_cuts(body)

    def read(self, raw: bytes) -> Read:
        """Map one record, as `read_all` does."""
        return self.read_all([raw])[0]

    def read_all(self, raws: Sequence[bytes], *, are_json: bool = False) -> list[Read]:
        """Map records. One that breaks the mapper is rejected without affecting the others.

        `are_json` if each is known to be one JSON value.
        """
        waiting: dict[str, _Waiting] = defaultdict(_Waiting)
        reads = self._all_begun(raws, waiting)
        if reads is None:
            reads = [self._begun(raw, waiting) for raw in raws]
        for name, table in waiting.items():
            if name in self._cutters:
                self._cut(table, self._cutters[name], are_json=are_json)
            mapped = self._packs[name].map_all(table.raws, table.texts, table.originals)
            for read, result in zip(table.reads, mapped, strict=True):
                if isinstance(result, Exception):
                    read.mapped, read.broken = _failed(result), result
                else:
                    read.mapped = result
        return reads

    def _all_begun(self, raws: Sequence[bytes], waiting: dict[str, _Waiting]) -> list[Read] | None:
        """Do what `_begun` does with each record, for all of them at once.

        None if the source routes, or if a record is too large or not UTF-8.
        """
        longest = max(map(len, raws), default=0)
        if self._routes is not None or longest > self._settings.limits.mapped_bytes:
            return None
        try:
            texts = list(map(bytes.decode, raws))
        except UnicodeDecodeError:
            return None
        is_cut = self._source in self._cutters
        kept = repeat(_NOT_CUT) if is_cut else map(cutting.Kept, raws)
        reads = list(map(Read, repeat(None, len(raws)), repeat(_NOT_YET), kept))
        waiting[self._source] = _Waiting([*reads], [*raws], texts, [None] * len(raws))
        return reads

    def _begun(self, raw: bytes, waiting: dict[str, _Waiting]) -> Read:
        """Read one record until it is known which pack maps which part of its text."""
        try:
            return self._begin(raw, waiting)
        except MemoryError:
            raise  # due to this process at this moment, not to the record
        except Exception as error:  # before it was known what to cut
            return Read(None, _failed(error), _kept_unread(raw, self._cutters.values()), error)

    def _begin(self, raw: bytes, waiting: dict[str, _Waiting]) -> Read:
        if len(raw) > self._settings.limits.mapped_bytes:
            return self._unread(raw, Rejection("record_too_large", f"{len(raw)} bytes"))
        try:
            text = str(raw, "utf-8")
        except UnicodeDecodeError as error:
            return self._unread(raw, Rejection("invalid_utf8", error.reason[:LONGEST_DETAIL]))
        if self._category is None or self._routes is None:
            return self._wait(self._source, raw, text, waiting)
        category = self._category(raw)
        if isinstance(category, Rejection):
            return Read(None, category, cutting.Kept(raw))
        pack = self._routes.get(category)
        if pack is None:  # the table has no row for it
            unknown = Rejection("category_unknown", repr(category)[:LONGEST_DETAIL])
            return Read(None, unknown, cutting.Kept(raw))
        return self._wait(pack, raw, text, waiting, category=category)

    def _wait(
        self,
        name: str,
        raw: bytes,
        text: str,
        waiting: dict[str, _Waiting],
        *,
        category: str | None = None,
    ) -> Read:
        """Add a record to those waiting for the pack of this name."""
        kept = _NOT_CUT if name in self._cutters else cutting.Kept(raw)
        read = Read(None if category is None else name, _NOT_YET, kept, None, category)
        table = waiting[name]
        table.reads.append(read)
        table.raws.append(raw)
        table.texts.append(text)
        table.originals.append(None)
        return read

    def _cut(self, table: _Waiting, cutter: cutting.Cutter, *, are_json: bool) -> None:
        """Cut the waiting records, and remove those that are refused or break the cutter."""
        settled = []
        every = _all_cut(cutter, table.raws, are_json=are_json)
        for at, (read, kept) in enumerate(zip(table.reads, every, strict=True)):
            if isinstance(kept, Exception):  # it is not known what to cut
                read.kept = _kept_unread(table.raws[at], self._cutters.values())
                read.pack = read.category = None
                read.mapped, read.broken = _failed(kept), kept
                settled.append(at)
                continue
            read.kept = kept
            if kept.refused is not None:
                read.mapped = OutOfScope(f"refused_{kept.refused}")
                settled.append(at)
            elif kept.pieces:
                raw = table.raws[at]
                table.originals[at] = Original(sha256(raw).digest(), len(raw))
                table.raws[at], table.texts[at] = kept.text, kept.text.decode()
        for column in (table.reads, table.raws, table.texts, table.originals) if settled else ():
            for at in reversed(settled):
                del column[at]

    def line(self, u: str, record: RawRecord, delivery_sha256: str) -> tuple[bytes | None, Read]:
        """Return the line of one record, as `all_lines` does."""
        return self.all_lines(u, [record], delivery_sha256)[0]

    def all_lines(
        self,
        u: str,
        records: Sequence[RawRecord],
        delivery_sha256: str,
        *,
        are_json: bool = False,
    ) -> list[tuple[bytes | None, Read]]:
        """Return the line of each record of the unit with id `u`, and what it was mapped to.

        None if it is out of scope and its raw text is not kept. `delivery_sha256` is the
        delivery's hash as stated in the unit line, hex; `are_json` if each record is known to be
        one JSON value.
        """
        reads = self.read_all([record.raw for record in records], are_json=are_json)
        return [
            (
                self._written(
                    u,
                    record.index,
                    read,
                    cuts_of(read.kept, record, delivery_sha256) if read.kept.pieces else (),
                ),
                read,
            )
            for record, read in zip(records, reads, strict=True)
        ]

    def again(self, u: str, parsed: lines.ParsedLine, was: tuple[str, int]) -> bytes | None:
        """Return the line of a record, mapped again from what its line kept.

        `was` is the line's statement about the record as delivered: hash (hex) and size. None
        if it is out of scope and its raw text is not kept, if there is more to cut, and if
        something was cut that no source declares.
        """
        read = self.read(parsed.raw or b"")
        if parsed.c and not parsed.raw:
            is_declared = self._may_cut_whole(parsed)
        else:
            is_declared = (read.pack or self._source) in self._cutters
        if read.kept.pieces or (parsed.c and not is_declared):
            return None
        if parsed.c and isinstance(read.mapped, Normalized):
            record = read.mapped.record
            fingerprint = msgspec.structs.replace(record.raw_data_hash, value=was[0])
            record = msgspec.structs.replace(
                record, raw_data_hash=fingerprint, raw_data_size=was[1]
            )
            read = Read(read.pack, Normalized(record, read.mapped.text), read.kept)
        return self._written(u, parsed.i or 0, read, parsed.c)

    def _may_cut_whole(self, parsed: lines.ParsedLine) -> bool:
        """Whether a record's whole text may have been cut, so that nobody can map it again.

        A refused category is its pack's own; in a record that cannot be read, any pack's fields
        may be. A kept one was read.
        """
        if parsed.form == "out_of_scope":
            return (parsed.s or self._source) in self._cutters
        return parsed.form == "rejected" and bool(self._cutters)

    def _written(self, u: str, index: int, read: Read, cuts: tuple[Cut, ...]) -> bytes | None:
        mapped, text = read.mapped, read.kept.text
        if isinstance(mapped, Normalized):
            return lines.kept_line(u, index, mapped.record, mapped.text, read.pack, cuts=cuts)
        if isinstance(mapped, Rejection):
            return lines.rejected_line(u, RawRecord(index, 0, text), mapped, read.pack, cuts=cuts)
        if not self._settings.keep_out_of_scope_raw:
            return None
        return lines.out_of_scope_line(u, index, mapped.reason, text.decode(), read.pack, cuts=cuts)

    def _unread(self, raw: bytes, rejection: Rejection) -> Read:
        own = self._cutters.get(self._source)
        return Read(None, rejection, _kept_unread(raw, () if own is None else (own,)))


def _all_cut(
    cutter: cutting.Cutter, raws: Sequence[bytes], *, are_json: bool
) -> Sequence[cutting.Kept | Exception]:
    """Return what is kept of each record, or the exception it raised."""
    try:
        return cutter.cut_all(raws, are_json=are_json)
    except MemoryError:
        raise  # due to this process at this moment, not to a record
    except Exception:  # due to one record: the slower way below tells which
        return [attempt(cutter.cut, raw) for raw in raws]


def _kept_unread(raw: bytes, cutters: Iterable[cutting.Cutter]) -> cutting.Kept:
    """Return what is kept of an unreadable record: all of it, unless it may need cuts."""
    is_in_doubt = any(cutter.may_need_cuts(raw) for cutter in cutters)
    return cutting.everything(raw) if is_in_doubt else cutting.Kept(raw)


def _failed(error: Exception) -> Rejection:
    """Return the rejection of a record that broke the mapper.

    The line names only the type of the error: its text may differ from run to run.
    """
    return Rejection("mapper_failed", type(error).__name__)


def cuts_of(kept: cutting.Kept, record: RawRecord, delivery_sha256: str) -> tuple[Cut, ...]:
    """Return a line's statement about the pieces cut from a record."""
    return tuple(
        Cut(
            piece.rule,
            offset,
            piece.end - piece.start,
            lines.cut_hash(
                delivery_sha256, record.index, piece.rule, record.raw[piece.start : piece.end]
            ),
        )
        for piece, offset in kept.offsets()
    )
