"""Our line, whole and in stretches, so that the table says where the time goes."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from nhi_evidence.event import Decoded, Delivery, Event
from nhi_evidence.evidence import batch, frame, merkle
from nhi_evidence.pipeline.export import Mapper, Normalized
from nhi_evidence.pipeline.scope import Scope

MAPPER = Mapper("aws_cloudtrail", scope=Scope.ALL)
GCP = Mapper("gcp_audit", scope=Scope.ALL)
AZURE = Mapper("azure_monitor", scope=Scope.ALL)
_encode = msgspec.json.Encoder().encode


def _decoded(gz: bytes) -> Decoded:
    decoded = MAPPER.source.decode(gz, MAPPER.limits)
    assert isinstance(decoded, Decoded)
    return decoded


def slices(gz: bytes) -> int:
    """Inflate and cut exact raw slices."""
    decoded = _decoded(gz)
    return sum(1 for index in range(len(decoded.spans)) if decoded.record(index).raw)


def events(gz: bytes) -> int:
    """Slices, normalized into events."""
    decoded = _decoded(gz)
    normalize = MAPPER.packs["aws_cloudtrail"].normalize
    records = (decoded.record(index).raw for index in range(len(decoded.spans)))
    return sum(isinstance(normalize(raw), Event) for raw in records)


def mapped(gz: bytes) -> int:
    """Events, classified, hashed and composed as OCSF records."""
    decoded = _decoded(gz)
    records = (decoded.record(index).raw for index in range(len(decoded.spans)))
    return sum(isinstance(MAPPER.map(raw), Normalized) for raw in records)


def _lines(gz: bytes) -> list[bytes]:
    decoded = _decoded(gz)
    lines = []
    for index in range(len(decoded.spans)):
        found = MAPPER.map(decoded.record(index).raw)
        assert isinstance(found, Normalized)
        lines.append(batch.kept_line(index, found.record, found.text))
    return lines


def encoded(gz: bytes) -> int:
    """OCSF records, encoded as lines with their raw text."""
    return len(_lines(gz))


def hashed(gz: bytes) -> int:
    """Lines, hashed into the record tree."""
    lines = _lines(gz)
    merkle.root(map(merkle.leaf_hash, lines))
    return len(lines)


def whole(gz: bytes) -> int:
    """Gzip file in, sealed-ready evidence objects out: record tree, zstd and key included."""
    return sum(one.kept for one in MAPPER.export(Delivery(unit="b/k@1", body=gz)))


def check(gz: bytes, data: bytes, mapper: Mapper = MAPPER) -> int:
    """Check that nothing is lost or altered before anything is measured; return the records."""
    seen = 0
    for one in mapper.export(Delivery(unit="b/k@1", body=gz)):
        _, *lines = frame.unpack(one.body, limit=1 << 31)
        for line in map(msgspec.json.decode, lines):
            if "k" in line:
                continue
            raw = line["r"].encode()
            assert raw in data, "a raw slice is not in the source"
            if "n" in line:
                assert line["n"]["raw_data_hash"]["value"] == sha256(raw).hexdigest()
        seen += one.seen
        assert one.seen == one.kept + one.rejected
    return seen


def gcp_whole(body: bytes) -> int:
    """File of JSON lines in, sealed-ready evidence objects out."""
    return sum(one.seen for one in GCP.export(Delivery(unit="b/o@1", body=body)))


def azure_whole(body: bytes) -> int:
    """Framed run of messages in, sealed-ready evidence objects out; none may be rejected."""
    return sum(one.kept for one in AZURE.export(Delivery(unit="n/h#1/0/1-2", body=body)))
