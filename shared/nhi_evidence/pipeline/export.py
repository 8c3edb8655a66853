"""The line: delivery -> records -> events -> evidence objects. Pure; the writing is the caller's.

Every record of a delivery ends as exactly one of kept, out of scope or rejected, and the counts
of an object add up: `seen == kept + rejected + sum(out_of_scope)`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from nhi_evidence import __version__, sources
from nhi_evidence.event import (
    Decoded,
    Delivery,
    Event,
    Limits,
    RawRecord,
    Rejection,
    Undecodable,
)
from nhi_evidence.evidence import batch, frame, keys
from nhi_evidence.ocsf import write
from nhi_evidence.pipeline.mapping import Normalized, OutOfScope, PackMapper
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.stored import Batch

__all__ = ["Mapper", "Normalized", "OutOfScope"]

_DETAIL = 200


class Mapper:
    """One source with its packs, tables and settings: same input, same output."""

    def __init__(
        self, source: str, *, scope: Scope = Scope.NHI, limits: Limits | None = None
    ) -> None:
        """Load a source and every pack it routes to.

        Raises `SettingsError` for an unknown source and `CatalogError` for a table that does
        not hold together.
        """
        self.source = sources.load(source)
        self.scope = scope
        self.limits = limits or Limits()
        self._routes = sources.routes(source)
        names = [source] if self._routes is None else sorted(set(self._routes.values()))
        self.packs = {
            name: PackMapper(
                name, scope=scope, lists_out_of_scope_ids=self.source.LISTS_OUT_OF_SCOPE_IDS
            )
            for name in names
        }
        """By name: the source itself, or every pack it routes to."""
        self._only = self.packs[source] if self._routes is None else None
        self._category = None if self._routes is None else sources.router(source).category
        self.identity = batch.MapperIdentity(__version__, self._digest())

    def _digest(self) -> str:
        """Hash everything that changes output: version, tables, settings, codec."""
        parts: dict[str, object] = {
            "version": __version__,
            "ocsf": f"{write.VERSION}+nhi/{write.EXTENSION_VERSION}",
            "format": batch.FORMAT_VERSION,
            "scope": self.scope,
            "limits": self.limits,
            "codec": frame.CODEC,
        }
        tables = {
            name: [sha256(one).hexdigest() for one in pack.tables]
            for name, pack in self.packs.items()
        }
        if self._routes is None:
            parts["tables"] = tables[self.source.NAME]
        else:
            parts |= {"packs": tables, "routes": dict(sorted(self._routes.items()))}
        return sha256(msgspec.json.encode(parts)).hexdigest()

    def map(self, raw: bytes) -> Normalized | OutOfScope | Rejection:
        """Map one raw record."""
        return self._map(raw)[1]

    def _map(self, raw: bytes) -> tuple[str | None, Normalized | OutOfScope | Rejection]:
        """Map one raw record; the first value names the pack, where the source routes."""
        if len(raw) > self.limits.mapped_bytes:
            return None, Rejection("record_too_large", f"{len(raw)} bytes")
        try:
            text = str(raw, "utf-8")
        except UnicodeDecodeError as error:
            return None, Rejection("invalid_utf8", str(error)[:_DETAIL])
        if self._only is not None:
            return None, self._only.map(raw, text)
        routed = self._route(raw)
        if isinstance(routed, Rejection):
            return None, routed
        return routed, self.packs[routed].map(raw, text)

    def _route(self, raw: bytes) -> str | Rejection:
        """Return the pack a record belongs to, by the table; a category without a row has none."""
        if self._category is None or self._routes is None:
            return self.source.NAME
        category = self._category(raw)
        if isinstance(category, Rejection):
            return category
        pack = self._routes.get(category)
        return pack or Rejection("category_unknown", repr(category)[:_DETAIL])

    def _normalize(self, raw: bytes) -> Event | Rejection:
        if self._only is not None:
            return self._only.normalize(raw)
        routed = self._route(raw)
        return routed if isinstance(routed, Rejection) else self.packs[routed].normalize(raw)

    def export(self, delivery: Delivery) -> Iterator[Batch]:
        """Turn a delivery into its evidence objects, part by part.

        A delivery that cannot be decoded becomes a rejection unit holding its bytes. Raises
        `BatchError` when a part exceeds one PUT.
        """
        decoded = delivery.undecodable or self.source.decode(delivery.body, self.limits)
        if isinstance(decoded, Undecodable):
            yield from self.reject_delivery(delivery, decoded)
            return
        unit = self._unit(delivery, decoded)
        parts = batch.split(decoded.spans)
        for number, indexes in enumerate(parts, start=1):
            yield self._part(unit, decoded, indexes, number, len(parts))

    def _part(
        self, unit: batch.UnitIdentity, decoded: Decoded, indexes: range, part: int, parts: int
    ) -> Batch:
        lines: list[bytes] = []
        rejected = 0
        out_of_scope_ids: Counter[str] = Counter()
        uids: list[str] = []
        for index in indexes:
            record = decoded.record(index)
            pack, mapped = self._map(record.raw)
            if isinstance(mapped, Normalized):
                lines.append(batch.kept_line(index, mapped.record, mapped.text, pack))
            elif isinstance(mapped, Rejection):
                lines.append(batch.rejected_line(record, mapped, pack))
                rejected += 1
            else:
                out_of_scope_ids[mapped.reason] += 1
                uids.append(mapped.uid or "")
        return batch.build(
            unit=unit,
            mapper=self.identity,
            scope=self.scope,
            part=part,
            parts=parts,
            first=indexes.start,
            lines=lines,
            rejected=rejected,
            out_of_scope=out_of_scope_ids,
            messages=_messages(decoded) if part == 1 else None,
            out_of_scope_ids=uids if self.source.LISTS_OUT_OF_SCOPE_IDS else None,
        )

    def _unit(self, delivery: Delivery, decoded: Decoded) -> batch.UnitIdentity:
        src_sha256 = sha256(delivery.body).digest()
        is_as_delivered = decoded.data is delivery.body
        return batch.UnitIdentity(
            source=self.source.NAME,
            unit=delivery.unit,
            hour=delivery.hour or self._hour_of_first(decoded),
            src_sha256=src_sha256,
            raw_sha256=src_sha256 if is_as_delivered else sha256(decoded.data).digest(),
            raw_form=delivery.raw_form,
        )

    def _hour_of_first(self, decoded: Decoded) -> str:
        """Hour of the unit's first record, where the source names none."""
        if not decoded.spans:
            return keys.UNKNOWN_HOUR
        event = self._normalize(decoded.record(0).raw)
        return keys.UNKNOWN_HOUR if isinstance(event, Rejection) else keys.hour_of(event.time)

    def reject_delivery(self, delivery: Delivery, undecodable: Undecodable) -> Iterator[Batch]:
        """Turn a delivery into a rejection unit: its bytes, in order, in lines of one chunk."""
        whole = Rejection(undecodable.reason, undecodable.detail)
        unit = batch.UnitIdentity(
            source=self.source.NAME,
            unit=delivery.unit,
            hour=delivery.hour or keys.UNKNOWN_HOUR,
            src_sha256=sha256(delivery.body).digest(),
            raw_sha256=None,
            raw_form=delivery.raw_form,
        )
        spans = batch.chunks(len(delivery.body))
        parts = batch.split(spans)
        for number, indexes in enumerate(parts, start=1):
            lines = [
                batch.rejected_line(
                    RawRecord(index, spans[index][0], delivery.body[slice(*spans[index])]), whole
                )
                for index in indexes
            ]
            yield batch.build(
                unit=unit,
                mapper=self.identity,
                scope=self.scope,
                part=number,
                parts=len(parts),
                first=indexes.start,
                lines=lines,
                rejected=len(lines),
                out_of_scope={},
                rejection=whole,
            )


def _messages(decoded: Decoded) -> bytes | None:
    """Line of the messages of a delivery, where it is a run of a stream."""
    if not decoded.messages:
        return None
    return batch.messages_line(decoded.data, decoded.messages)
