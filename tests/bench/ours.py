"""Our pipeline, all of it and in stretches, so that the table says where the time goes."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from nhi_evidence.event import Decoded, Delivery, Event
from nhi_evidence.evidence import gaps, lines, merkle, objects
from nhi_evidence.pipeline.export import RECORDS_AT_ONCE, Mapper, Normalized
from nhi_evidence.pipeline.record_lines import Read
from nhi_evidence.pipeline.scope import Scope

MAPPER = Mapper("aws_cloudtrail", scope=Scope.ALL, keep_out_of_scope_raw=True)
GCP = Mapper("gcp_audit", scope=Scope.ALL, keep_out_of_scope_raw=True)
AZURE = Mapper("azure_monitor", scope=Scope.ALL, keep_out_of_scope_raw=True)
_U = lines.unit_id("b/k@1")


def _decoded(gz: bytes) -> Decoded:
    decoded = MAPPER.source.decode(gz, MAPPER.settings.limits)
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
    return sum(isinstance(read.mapped, Normalized) for read in _in_steps(list(records)))


def _in_steps(raws: list[bytes]) -> Iterator[Read]:
    """Map records as a delivery's are: so many at once."""
    for start in range(0, len(raws), RECORDS_AT_ONCE):
        yield from MAPPER.records.read_all(raws[start : start + RECORDS_AT_ONCE])


def _lines(gz: bytes) -> list[bytes]:
    decoded = _decoded(gz)
    records = list(map(decoded.record, range(len(decoded.spans))))
    return [
        line
        for start in range(0, len(records), RECORDS_AT_ONCE)
        for line, _ in MAPPER.records.all_lines(
            _U, records[start : start + RECORDS_AT_ONCE], "00" * 32
        )
        if line is not None
    ]


def encoded(gz: bytes) -> int:
    """OCSF records, encoded as lines with their raw text."""
    return len(_lines(gz))


def hashed(gz: bytes) -> int:
    """Lines, hashed into the tree of their unit."""
    written = _lines(gz)
    merkle.root(map(merkle.leaf_hash, written))
    return len(written)


def packed(mapper: Mapper, delivery: Delivery) -> list[objects.EvidenceObject]:
    """Map a delivery and pack it: what is left to do is the PUT."""
    return list(mapper.packer.pack(mapper.units(delivery)))


def _kept(mapper: Mapper, delivery: Delivery) -> int:
    return sum(unit.kept for body in packed(mapper, delivery) for unit in body.units)


def full_line(gz: bytes) -> int:
    """Gzip file in, evidence objects out: trees, gaps, zstd and key included."""
    return _kept(MAPPER, Delivery(unit="b/k@1", body=gz))


def check(body: bytes, data: bytes, mapper: Mapper = MAPPER) -> int:
    """Check that nothing is lost or altered before anything is measured; return the records.

    `data` is what the delivered `body` inflates to: it must come together again from the
    objects alone.
    """
    records = 0
    rebuilt: list[bytes] = []
    for written_object in packed(mapper, Delivery(unit="b/k@1", body=body)):
        table, written = objects.read_object(written_object.body)
        for unit, own in objects.lines_of(table, written):
            raws = []
            for line in map(lines.decode_line, own):
                if line.form == "ids":
                    continue
                raw = line.raw or b""
                raws.append(raw)
                if line.form == "kept":
                    stated = msgspec.json.decode(line.n)["raw_data_hash"]["value"]
                    assert stated == sha256(raw).hexdigest()
            rebuilt += gaps.rebuild(unit.gaps, raws)
            assert unit.records == unit.kept + unit.rejected
            records += unit.kept
    assert data == b"".join(rebuilt), "the delivery is not what was kept of it"
    return records


def gcp_full_line(body: bytes) -> int:
    """File of JSON lines in, evidence objects out."""
    return _kept(GCP, Delivery(unit="b/o@1", body=body))


def azure_whole(body: bytes) -> int:
    """Framed run of messages in, evidence objects out; none may be rejected."""
    return _kept(AZURE, Delivery(unit="n/h#1/0/1-2", body=body))
