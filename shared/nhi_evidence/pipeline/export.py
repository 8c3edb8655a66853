"""The pipeline: delivery -> records -> events -> units. Pure; packing and writing come after.

Every record of a delivery ends as exactly one of kept, out of scope or rejected, and the counts
of a unit add up: `records == kept + rejected + sum(out_of_scope)`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

from nhi_evidence import sources
from nhi_evidence.event import (
    Decoded,
    Delivery,
    Kind,
    Limits,
    RawRecord,
    Rejection,
    Undecodable,
)
from nhi_evidence.evidence import gaps, keys, lines
from nhi_evidence.evidence.lines import Settings
from nhi_evidence.evidence.objects import Packer
from nhi_evidence.evidence.unit import (
    CHUNK_BYTES,
    MappingResult,
    PartPosition,
    UnitIdentity,
    UnitPart,
    chunks,
    messages_of,
    split,
    unit_part,
)
from nhi_evidence.pipeline.mapping import Normalized, OutOfScope, PackMapper
from nhi_evidence.pipeline.record_lines import Read, RecordMapper, cuts_of
from nhi_evidence.pipeline.release import mapper_identity
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.reading import cutting
from nhi_evidence.reading.inflate import inflated

__all__ = ["Mapper", "Normalized", "OutOfScope"]

RECORDS_AT_ONCE = 128
"""Records taken through each step together; limited, to bound memory for a file of any size."""


class Mapper:
    """One source with its packs, tables and settings: same input, same output."""

    def __init__(
        self,
        source: str,
        *,
        scope: Scope = Scope.NHI,
        keep_out_of_scope_raw: bool,
        limits: Limits | None = None,
    ) -> None:
        """Load a source and every pack it routes to.

        `keep_out_of_scope_raw` decides whether the raw text of out-of-scope records is kept,
        without which a delivery cannot be rebuilt. Raises `SettingsError` for an unknown source
        and `CatalogError` for an inconsistent table.
        """
        self.source = sources.load(source)
        self.settings = Settings(scope, keep_out_of_scope_raw, limits or Limits())
        self.identity = mapper_identity()
        self.packer = Packer(source=self.source.NAME, mapper=self.identity, settings=self.settings)
        self._limits = self.settings.limits
        routes = sources.routes(source)
        names = [source] if routes is None else sorted(set(routes.values()))
        self.packs = {
            name: PackMapper(
                name, scope=scope, lists_out_of_scope_ids=self.source.LISTS_OUT_OF_SCOPE_IDS
            )
            for name in names
        }
        """By name: the source itself, or every pack it routes to."""
        self.records = RecordMapper(source, self.packs, self.settings)

    def hour(self, unit: str) -> str:
        """Return the hour a unit of this source belongs to."""
        return keys.unit_hour(unit, self.source.hour_of)

    def map(self, raw: bytes) -> Normalized | OutOfScope | Rejection:
        """Map one raw record. Passes on whatever exception a record causes in the mapper."""
        read = self.records.read(raw)
        if read.broken is not None:
            raise read.broken
        return read.mapped

    def units(self, delivery: Delivery) -> Iterator[UnitPart]:
        """Turn a delivery into its unit, part by part.

        A delivery that cannot be decoded becomes a rejection: its bytes, and why.
        """
        if delivery.undecodable is not None:
            yield from self.reject_delivery(delivery, delivery.undecodable)
        elif delivery.kind is Kind.COMPANION:
            yield from self._companion(delivery)
        else:
            decoded = self.source.decode(delivery.body, self._limits)
            if isinstance(decoded, Undecodable):
                yield from self.reject_delivery(delivery, decoded)
            else:
                yield from self._records(delivery, decoded)

    def _records(self, delivery: Delivery, decoded: Decoded) -> Iterator[UnitPart]:
        size = len(decoded.data)
        src_sha256 = sha256(delivery.body).hexdigest()
        is_as_delivered = decoded.data is delivery.body
        identity = UnitIdentity(
            unit=delivery.unit,
            hour=self.hour(delivery.unit),
            kind="records",
            src_sha256=src_sha256,
            raw_sha256=src_sha256 if is_as_delivered else sha256(decoded.data).hexdigest(),
            raw_size=size,
            raw_form=delivery.raw_form,
            source_metadata=delivery.source_metadata,
        )
        parts = split(decoded.spans, size)
        for number, (indexes, span) in enumerate(parts, start=1):
            yield self._part(identity, decoded, indexes, span=span, part=number, parts=len(parts))

    def _part(
        self,
        identity: UnitIdentity,
        decoded: Decoded,
        indexes: range,
        *,
        span: tuple[int, int],
        part: int,
        parts: int,
    ) -> UnitPart:
        u = lines.unit_id(identity.unit)
        delivery_sha256 = identity.raw_sha256 or identity.src_sha256
        written: list[bytes] = []
        is_cut = False
        rejected = 0
        excluded: Counter[str] = Counter()
        uids: list[str] = []
        broken: Exception | None = None
        categories: Counter[str] = Counter()
        for line, read in self._lines(u, decoded, indexes, delivery_sha256):
            if line is not None:
                written.append(line)
            broken = broken or read.broken
            if read.category is not None:
                categories[read.category] += 1
            is_cut = is_cut or bool(read.kept.pieces)
            mapped = read.mapped
            if isinstance(mapped, Rejection):
                rejected += 1
            elif isinstance(mapped, OutOfScope):
                excluded[mapped.reason] += 1
                uids.append(mapped.uid or "")
        is_complete = self.settings.keep_out_of_scope_raw or not excluded
        kept = len(indexes) - rejected - sum(excluded.values())
        if self.source.LISTS_OUT_OF_SCOPE_IDS:
            written.append(lines.out_of_scope_ids_line(u, uids))
        return unit_part(
            identity,
            PartPosition(part, parts, span, indexes.start),
            written,
            rebuild="no" if not is_complete else "cut" if is_cut else "exact",
            gaps=gaps.between(decoded.data, *span, decoded.spans[indexes.start : indexes.stop]),
            mapping=MappingResult(
                kept=kept,
                rejected=rejected,
                out_of_scope=excluded,
                broken=broken,
                categories=categories,
            ),
            messages=messages_of(decoded.data, decoded.messages) if part == 1 else None,
        )

    def _lines(
        self, u: str, decoded: Decoded, indexes: range, delivery_sha256: str
    ) -> Iterator[tuple[bytes | None, Read]]:
        for start in range(indexes.start, indexes.stop, RECORDS_AT_ONCE):
            numbers = range(start, min(start + RECORDS_AT_ONCE, indexes.stop))
            yield from self.records.all_lines(
                u,
                list(map(decoded.record, numbers)),
                delivery_sha256,
                are_json=decoded.are_json,
            )

    def _companion(self, delivery: Delivery) -> Iterator[UnitPart]:
        """Keep the exact text of a companion, inflated if it is a gzip file."""
        content = inflated(delivery.body, self._limits)
        if isinstance(content, bytes) and len(content) > CHUNK_BYTES:
            content = Undecodable("companion_too_large", f"{len(content)} bytes")
        if isinstance(content, Undecodable):
            yield from self.reject_delivery(delivery, content)
            return
        identity = UnitIdentity(
            unit=delivery.unit,
            hour=self.hour(delivery.unit),
            kind="companion",
            src_sha256=sha256(delivery.body).hexdigest(),
            raw_sha256=sha256(content).hexdigest(),
            raw_size=len(content),
            source_metadata=delivery.source_metadata,
        )
        line = lines.companion_line(lines.unit_id(delivery.unit), content)
        yield unit_part(identity, PartPosition.only(len(content)), [line], rebuild="exact")

    def reject_delivery(self, delivery: Delivery, undecodable: Undecodable) -> Iterator[UnitPart]:
        """Turn a delivery into a rejection: its bytes, in order, in lines of one chunk each."""
        is_cut = bool(delivery.body) and self.records.may_need_cuts(delivery.body)
        # Where a source has fields that may not be locked, a detail may not quote them either.
        rejection = Rejection(undecodable.reason, "" if is_cut else undecodable.detail)
        size = len(delivery.body)
        identity = UnitIdentity(
            unit=delivery.unit,
            hour=self.hour(delivery.unit),
            kind="rejection",
            src_sha256=sha256(delivery.body).hexdigest(),
            raw_sha256=None,
            raw_size=size,
            raw_form=delivery.raw_form,
            source_metadata=delivery.source_metadata,
        )
        u = lines.unit_id(delivery.unit)
        spans = chunks(size)
        parts = split(spans, size)
        for number, (indexes, span) in enumerate(parts, start=1):
            yield unit_part(
                identity,
                PartPosition(number, len(parts), span, indexes.start),
                [
                    _chunk_line(
                        u,
                        RawRecord(index, spans[index][0], delivery.body[slice(*spans[index])]),
                        rejection,
                        identity.src_sha256 if is_cut else None,
                    )
                    for index in indexes
                ],
                rebuild="cut" if is_cut else "exact",
                messages=messages_of(delivery.body, delivery.messages) if number == 1 else None,
                rejection=rejection,
            )


def _chunk_line(u: str, chunk: RawRecord, rejection: Rejection, cut_of: str | None) -> bytes:
    """Return the line of a chunk; `cut_of` is the delivery's SHA-256 where nothing is kept."""
    if cut_of is None:
        return lines.rejected_line(u, chunk, rejection)
    cuts = cuts_of(cutting.everything(chunk.raw), chunk, cut_of)
    return lines.rejected_line(u, RawRecord(chunk.index, 0, b""), rejection, cuts=cuts)
