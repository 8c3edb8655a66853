"""Every real record beside the checkout is accounted for and valid, with nothing invented."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path

import msgspec
import pytest

from nhi_evidence import sources
from nhi_evidence.azure import event_hub
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import unit
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.corpus.__main__ import AT_LEAST
from tests.corpus.measure import EXPECTED, measure
from tests.memory_store import MemoryStore
from tests.reading import Unit

LARGEST = "aws_cloudtrail"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(source, marks=pytest.mark.slow) if source == LARGEST else source
        for source in EXPECTED
    ],
)
def test_every_record_is_accounted_for_and_valid(corpus: Path, source: str) -> None:
    """Kept + rejected == input; each kept record is valid OCSF, and each value in it has support.

    Nearly every record that names a target also does so in normalized form, according to a judge
    independent of source packs.
    """
    expected = EXPECTED[source]
    measured = measure(source, corpus)
    assert measured.kept + measured.rejected.total() == measured.records
    assert measured.kept >= expected.at_least
    assert set(measured.rejected) <= set(expected.rejected)
    assert [] == measured.changed + measured.invalid + measured.invented + measured.repeated
    assert measured.naming or not expected.at_least
    assert measured.named_share >= AT_LEAST, measured.unnamed


def deliverable(source: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file as it is, and each file of wrapped events as one delivery."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        body = path.read_bytes()
        yield path.name, body
        if path.suffix == ".ndjson":
            wrapped = [msgspec.json.decode(line) for line in body.splitlines()]
            events = [json.dumps(one["event"], indent=1).encode() for one in wrapped]
            yield f"{path.name}, indented", b'{ "Records" : [\n' + b" ,\n".join(events) + b"] }\n"
            lines = [json.dumps(one["event"]).encode() for one in wrapped]
            yield f"{path.name}, in lines", b"\n\n".join(lines)


@pytest.mark.parametrize("source", EXPECTED)
@pytest.mark.parametrize("window", [unit.PART_BYTES, 50_000], ids=["one part", "parts"])
def test_every_file_is_rebuilt_byte_for_byte(
    corpus: Path, source: str, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only from unit lines, gaps and records; what cannot be read is kept as received."""
    monkeypatch.setattr(unit, "PART_BYTES", window)
    mapper = Mapper(source, keep_out_of_scope_raw=True)
    decoded = 0
    for name, body in deliverable(source, corpus / EXPECTED[source].folder):
        for delivered in (body, gzip.compress(body)):
            store = MemoryStore()
            outcome = lock_batch(mapper, [Delivery("b/k@1", delivered)], store)
            assert ({"b/k@1"}, {}) == (outcome.locked, outcome.unmapped), name
            read = Unit(store)
            if read.rejection is None:
                # A source whose deliveries are never packed takes packed bytes for a record.
                if "cut" in {one["rebuild"] for one in read.headers}:
                    assert len(body) in {read.size_with_cuts(), len(delivered)}, name
                    decoded += 1
                    continue
                rebuilt = read.rebuilt()
                assert rebuilt in (body, delivered), name
                assert {sha256(rebuilt).hexdigest()} == {one["raw_sha256"] for one in read.headers}
                decoded += 1
            elif read.headers[0]["rebuild"] == "cut":
                assert len(delivered) == read.size_with_cuts(), name
            else:
                assert delivered == b"".join(read.raw()), name
    assert decoded


def test_every_message_is_rebuilt_byte_for_byte(corpus: Path) -> None:
    """For Azure packs as runs of messages: headers, envelopes and white space are gaps."""
    mapper = Mapper("azure_monitor", keep_out_of_scope_raw=True)
    folders = [name for name in EXPECTED if name.startswith("azure_")]
    assert folders
    for source in folders:
        for name, body in deliverable(source, corpus / EXPECTED[source].folder):
            pieces = [body[start : start + 100_000] for start in range(0, len(body), 100_000)]
            run = event_hub.Run("n/h#1/0", tuple(map(event_hub.Message, pieces, count())))
            delivered = event_hub.frame(run)
            store = MemoryStore()
            lock_batch(mapper, [Delivery(run.unit, delivered)], store).ensure_locked()
            read = Unit(store)
            assert (None, delivered) == (read.rejection, read.rebuilt()), name


def test_every_folder_of_a_pack_is_read(corpus: Path) -> None:
    """A pack whose name is a folder of the corpus declares what it makes of it."""
    folders = {path.name for path in corpus.iterdir()} & set(sources.names())
    assert folders <= set(EXPECTED)
