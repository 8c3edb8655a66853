"""The native-only line: what no Python around the libraries can go below.

The same bytes go through the same native calls, with the records prebuilt: inflating, slicing,
hashing, encoding, the tree, gaps, zstd. What the whole line costs beyond it is Python.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from operator import attrgetter

from nhi_evidence.event import Decoded, Delivery
from nhi_evidence.evidence import gaps, lines, unit
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.mapping import Normalized


def only(mapper: Mapper, delivery: Delivery) -> Callable[[bytes], int]:
    """Return the line of a delivery whose records are all kept, with its records prebuilt.

    The texts of records with a cut are prebuilt, too: Python finds the cuts.
    """
    decoded = _decoded(mapper, delivery.body)
    spans = decoded.spans
    reads = mapper.records.read_all([decoded.data[start:end] for start, end in spans])
    records = [read.mapped.record for read in reads if isinstance(read.mapped, Normalized)]
    packs = [read.pack for read in reads]
    kept = [read.kept.text for read in reads]
    assert len(records) == len(spans)
    u = lines.unit_id(delivery.unit)

    def line(body: bytes) -> int:
        again = _decoded(mapper, body)
        data = again.data
        raws = [data[start:end] for start, end in again.spans]
        texts = [str(text, "utf-8") for text in kept]
        hashes = [sha256(raw).hexdigest() for raw in raws]
        written = [
            lines.encode(lines.KeptLine(u, index, record, text, pack))
            for index, (record, text, pack) in enumerate(zip(records, texts, packs, strict=True))
        ]
        identity = unit.UnitIdentity(
            unit=delivery.unit,
            hour="unknown",
            kind="records",
            src_sha256=sha256(body).hexdigest(),
            raw_sha256=sha256(data).hexdigest(),
            raw_size=len(data),
        )
        part = unit.unit_part(
            identity,
            unit.PartPosition.only(len(data)),
            written,
            rebuild="exact",
            gaps=gaps.between(data, 0, len(data), again.spans),
            mapping=unit.MappingResult(kept=len(written)),
        )
        packed = list(mapper.packer.pack([part]))
        assert len(hashes) == len(written)
        return sum(map(attrgetter("kept"), packed[0].units))

    return line


def _decoded(mapper: Mapper, body: bytes) -> Decoded:
    decoded = mapper.source.decode(body, mapper.settings.limits)
    assert isinstance(decoded, Decoded)
    return decoded
