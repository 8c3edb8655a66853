"""The line: delivery -> records -> events -> evidence objects. Pure; the writing is the caller's.

Every record of a delivery ends as exactly one of kept, out of scope or rejected, and the counts
of an object add up: `seen == kept + rejected + sum(out_of_scope)`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from nhi_evidence import __version__, ocsf, sources
from nhi_evidence.catalog import Catalog
from nhi_evidence.event import (
    Decoded,
    Delivery,
    Limits,
    RawRecord,
    Rejection,
    Undecodable,
)
from nhi_evidence.evidence import batch, frame, keys
from nhi_evidence.ocsf_objects import Record
from nhi_evidence.scope import Scope, out_of_scope
from nhi_evidence.stored import Batch

_DETAIL = 200


class OutOfScope(msgspec.Struct, frozen=True, gc=False):
    """A record that is understood and not evidence, and why."""

    reason: str


class Normalised(msgspec.Struct, frozen=True, gc=False):
    """A kept record: its OCSF form and its exact text."""

    record: Record
    text: str


class Mapper:
    """One source pack with its tables and settings: same input, same output."""

    def __init__(
        self, source: str, *, scope: Scope = Scope.NHI, limits: Limits | None = None
    ) -> None:
        """Load a source pack.

        Raises `SettingsError` for an unknown source and `CatalogError` for a table that does
        not hold together.
        """
        self.source = sources.load(source)
        self.scope = scope
        self.limits = limits or Limits()
        tables = [sources.table(source, file) for file in self.source.TABLES]
        self._catalog = Catalog(
            tables[0],
            name=f"{source} catalog",
            access_levels=tables[1] if len(tables) > 1 else None,
        )
        self.identity = batch.MapperIdentity(__version__, self._digest(tables))

    def _digest(self, tables: list[bytes]) -> str:
        """Hash everything that changes output: version, tables, settings, codec."""
        parts = {
            "version": __version__,
            "ocsf": f"{ocsf.VERSION}+nhi/{ocsf.EXTENSION_VERSION}",
            "format": batch.FORMAT_VERSION,
            "scope": self.scope,
            "limits": self.limits,
            "codec": frame.CODEC,
            "tables": [sha256(one).hexdigest() for one in tables],
        }
        return sha256(msgspec.json.encode(parts)).hexdigest()

    def map(self, raw: bytes) -> Normalised | OutOfScope | Rejection:
        """Map one raw record."""
        if len(raw) > self.limits.mapped_bytes:
            return Rejection("record_too_large", f"{len(raw)} bytes")
        try:
            text = str(raw, "utf-8")
        except UnicodeDecodeError as error:
            return Rejection("invalid_utf8", str(error)[:_DETAIL])
        event = self.source.normalize(raw)
        if isinstance(event, Rejection):
            return event
        try:
            classification = self._catalog.classify(event)
        except (msgspec.MsgspecError, RecursionError) as error:
            return Rejection("malformed_json", str(error)[:_DETAIL])
        reason = out_of_scope(event, classification, self.scope)
        if reason is not None:
            return OutOfScope(reason)
        record = ocsf.write(
            event, classification, raw_sha256=sha256(raw).digest(), raw_size=len(raw)
        )
        return Normalised(record, text)

    def export(self, delivery: Delivery) -> Iterator[Batch]:
        """Turn a delivery into its evidence objects, part by part.

        A delivery that cannot be decoded becomes a rejection unit holding its bytes. Raises
        `BatchError` when a part exceeds one PUT.
        """
        decoded = self.source.decode(delivery.body, self.limits)
        if isinstance(decoded, Undecodable):
            yield from self._rejection_unit(delivery, decoded)
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
        left_out: Counter[str] = Counter()
        for index in indexes:
            record = decoded.record(index)
            mapped = self.map(record.raw)
            if isinstance(mapped, Normalised):
                lines.append(batch.kept_line(index, mapped.record, mapped.text))
            elif isinstance(mapped, Rejection):
                lines.append(batch.rejected_line(record, mapped))
                rejected += 1
            else:
                left_out[mapped.reason] += 1
        return batch.build(
            unit=unit,
            mapper=self.identity,
            scope=self.scope,
            part=part,
            parts=parts,
            first=indexes.start,
            lines=lines,
            rejected=rejected,
            out_of_scope=left_out,
        )

    def _unit(self, delivery: Delivery, decoded: Decoded) -> batch.UnitIdentity:
        return batch.UnitIdentity(
            source=self.source.NAME,
            unit=delivery.unit,
            hour=delivery.hour or self._hour_of_first(decoded),
            src_sha256=sha256(delivery.body).digest(),
            raw_sha256=sha256(decoded.data).digest(),
        )

    def _hour_of_first(self, decoded: Decoded) -> str:
        """Hour of the unit's first record, where the source names none."""
        if not decoded.spans:
            return keys.UNKNOWN_HOUR
        event = self.source.normalize(decoded.record(0).raw)
        return keys.UNKNOWN_HOUR if isinstance(event, Rejection) else keys.hour_of(event.time)

    def _rejection_unit(self, delivery: Delivery, undecodable: Undecodable) -> Iterator[Batch]:
        """Keep a delivery that cannot be decoded: its bytes, in order, in lines of one chunk."""
        whole = Rejection(undecodable.reason, undecodable.detail)
        unit = batch.UnitIdentity(
            source=self.source.NAME,
            unit=delivery.unit,
            hour=delivery.hour or keys.UNKNOWN_HOUR,
            src_sha256=sha256(delivery.body).digest(),
            raw_sha256=None,
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
