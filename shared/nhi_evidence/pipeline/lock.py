"""Locking a delivery: source copy, then evidence, then success. The order is the promise.

An answer is given only after every write is confirmed, so whoever acknowledges after `lock`
returns never acknowledges unlocked evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from nhi_evidence.event import Delivery, Kind
from nhi_evidence.evidence import keys
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.ports import EvidenceWriter
from nhi_evidence.stored import Batch


class Locked(msgspec.Struct, frozen=True):
    """What locking one delivery came to."""

    unit: str
    seen: int
    kept: int
    rejected: int
    out_of_scope: Mapping[str, int]
    keys: tuple[str, ...]
    """Evidence objects of the unit, in part order."""
    created: int
    """Objects written by this call; the rest were there already."""


def lock(
    mapper: Mapper,
    delivery: Delivery,
    writer: EvidenceWriter,
    *,
    keep_source: bool = True,
    metadata: Mapping[str, str] | None = None,
    batches: Iterable[Batch] | None = None,
) -> Locked:
    """Write a delivery's source copy and evidence objects; of a companion, the copy alone.

    `metadata` says who wrote and when; it is fixed with each object version and is no part of
    key or body. `batches` are the delivery's objects where they are made already. Raises
    `StoreUnavailableError` when a write is not confirmed: the delivery must then be retried,
    and repeating all of it is safe.
    """
    written = dict(metadata or {})
    if delivery.kind is Kind.COMPANION:
        hour = delivery.hour or keys.UNKNOWN_HOUR
        created = _copy_source(mapper, delivery, hour, writer, written)
        return Locked(delivery.unit, 0, 0, 0, {}, (), created)
    created = 0
    evidence_keys = []
    seen = kept = rejected = 0
    out_of_scope_ids: Counter[str] = Counter()
    for position, batch in enumerate(batches or mapper.export(delivery)):
        if position == 0 and keep_source:
            hour = delivery.hour or keys.hour_in(batch.key)
            created += _copy_source(mapper, delivery, hour, writer, written)
        key = keys.of_attempt(batch.key, delivery.attempt)
        receipt = writer.put_new(key, batch.body, metadata={**batch.metadata, **written})
        created += receipt.created
        evidence_keys.append(key)
        seen += batch.seen
        kept += batch.kept
        rejected += batch.rejected
        out_of_scope_ids.update(batch.out_of_scope)
    return Locked(
        delivery.unit, seen, kept, rejected, dict(out_of_scope_ids), tuple(evidence_keys), created
    )


def _copy_source(
    mapper: Mapper, delivery: Delivery, hour: str, writer: EvidenceWriter, metadata: dict[str, str]
) -> int:
    """Keep the delivered bytes as they came, and what the source says of them beside."""
    key = keys.source_copy_key(
        source=mapper.source.NAME,
        hour=hour,
        unit=delivery.unit,
        body_sha256=sha256(delivery.body).digest(),
    )
    provenance = msgspec.json.encode(
        {"unit": delivery.unit, **delivery.provenance}, order="deterministic"
    )
    beside_key = keys.source_metadata_key(copy_key=key, metadata_sha256=sha256(provenance).digest())
    copy = writer.put_new(key, delivery.body, metadata=metadata)
    beside = writer.put_new(beside_key, provenance, metadata=metadata)
    return copy.created + beside.created
