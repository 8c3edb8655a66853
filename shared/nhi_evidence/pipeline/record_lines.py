"""Raw records -> lines: routed, cut, mapped and written one by one.

What a source declares is cut out first, and nothing but what is left is read any further: so what
is cut can be in no attribute, no reason and no detail.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from nhi_evidence import sources
from nhi_evidence.event import LONGEST_DETAIL, RawRecord, Rejection
from nhi_evidence.evidence import lines
from nhi_evidence.evidence.lines import Cut, Settings
from nhi_evidence.pipeline.mapping import Normalized, Original, OutOfScope, PackMapper
from nhi_evidence.reading import cutting

Mapped = Normalized | OutOfScope | Rejection


class Read(msgspec.Struct, frozen=True):
    """What one record was mapped to."""

    pack: str | None
    """The pack that mapped it, where the source routes."""
    mapped: Mapped
    kept: cutting.Kept
    """What of its text may be written."""
    broken: Exception | None = None
    """What was raised, where it broke the mapper: for the log, never written."""
    category: str | None = None
    """What the source routed it by, as `routes.json` spells it."""


class RecordMapper:
    """Maps the records of one source, each alone."""

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

    def read(self, raw: bytes) -> Read:
        """Map one record. One that breaks the mapper is rejected alone: it costs no other."""
        try:
            return self._read(raw)
        except MemoryError:
            raise  # of this process and this moment, not of the record
        except Exception as error:  # before it was known what to cut
            kept = cutting.everything(raw) if self._cutters else cutting.Kept(raw)
            return _broken(None, kept, error)

    def _read(self, raw: bytes) -> Read:
        if len(raw) > self._settings.limits.mapped_bytes:
            return self._unread(raw, Rejection("record_too_large", f"{len(raw)} bytes"))
        try:
            text = str(raw, "utf-8")
        except UnicodeDecodeError as error:
            return self._unread(raw, Rejection("invalid_utf8", error.reason[:LONGEST_DETAIL]))
        if self._category is None or self._routes is None:
            return self._by(self._source, None, raw, text)
        category = self._category(raw)
        if isinstance(category, Rejection):
            return Read(None, category, cutting.Kept(raw))
        pack = self._routes.get(category)
        if pack is None:  # the table has no row for it
            unknown = Rejection("category_unknown", repr(category)[:LONGEST_DETAIL])
            return Read(None, unknown, cutting.Kept(raw))
        return msgspec.structs.replace(self._by(pack, pack, raw, text), category=category)

    def _by(self, name: str, pack: str | None, raw: bytes, text: str) -> Read:
        cutter = self._cutters.get(name)
        if cutter is None:
            return self._mapped(name, pack, text, cutting.Kept(raw))
        kept = cutter.cut(raw)
        if kept.refused is not None:
            return Read(pack, OutOfScope(f"refused_{kept.refused}"), kept)
        if not kept.pieces:
            return self._mapped(name, pack, text, kept)
        was = Original(sha256(raw).digest(), len(raw))
        return self._mapped(name, pack, kept.text.decode(), kept, was)

    def _mapped(
        self,
        name: str,
        pack: str | None,
        text: str,
        kept: cutting.Kept,
        was: Original | None = None,
    ) -> Read:
        try:
            return Read(pack, self._packs[name].map(kept.text, text, was), kept)
        except MemoryError:
            raise
        except Exception as error:  # handed on, for the log
            return _broken(pack, kept, error)

    def line(self, u: str, record: RawRecord, delivery_sha256: str) -> tuple[bytes | None, Read]:
        """Return the line of one record of the unit with id `u`, and what it was mapped to.

        None where it is out of scope and its raw text is not kept. `delivery_sha256` is what the
        unit line states of the delivery, in hex.
        """
        read = self.read(record.raw)
        cuts = cuts_of(read.kept, record, delivery_sha256) if read.kept.pieces else ()
        return self._written(u, record.index, read, cuts), read

    def again(self, u: str, parsed: lines.ParsedLine, was: tuple[str, int]) -> bytes | None:
        """Return the line of a record, mapped once more from what a line kept of it.

        `was` is what the line states of the record as delivered: hash (hex) and size. None where
        it is out of scope and its raw text is not kept, where there is more to cut, and where
        something was cut that no source declares.
        """
        read = self.read(parsed.raw or b"")
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
        return Read(None, rejection, cutting.everything(raw) if self.cuts else cutting.Kept(raw))


def _broken(pack: str | None, kept: cutting.Kept, error: Exception) -> Read:
    """Return what a record comes to that broke the mapper.

    The line names the kind of the error alone: its text may differ from one run to the next.
    """
    return Read(pack, Rejection("mapper_failed", type(error).__name__), kept, error)


def cuts_of(kept: cutting.Kept, record: RawRecord, delivery_sha256: str) -> tuple[Cut, ...]:
    """Return what a line states of the pieces that are gone from a record."""
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
