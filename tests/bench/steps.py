"""What each step costs by itself, for a record of each source: where one costs more than others.

Steps run over all records of a delivery, as many at once as the line takes; what they give is made
beforehand. What is left of the whole is compression, tables and the loop around the steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from nhi_evidence import sources
from nhi_evidence.event import Decoded, Delivery
from nhi_evidence.evidence import lines, merkle
from nhi_evidence.ocsf.write import ocsf_record
from nhi_evidence.pipeline.export import RECORDS_AT_ONCE, Mapper
from nhi_evidence.reading.cutting import Cutter
from tests.bench.ours import packed

Prepared = tuple[Mapper, Delivery, list[bytes]]


def text(prepared: Mapping[str, Prepared], rounds: int) -> str:
    """Return a table: a row for each source, the best of some rounds, in microseconds a record."""
    rows = {
        source: {name: _best(run, rounds, len(own[2])) for name, run in _steps(source, own)}
        for source, own in prepared.items()
    }
    names = list(next(iter(rows.values())))
    table = ["".join((f"{'':16}", *(f"{name:>10}" for name in names)))]
    table += [
        "".join((f"{source:16}", *(f"{row[name]:10.1f}" for name in names)))
        for source, row in rows.items()
    ]
    return "\n".join(table) + "\n"


def _steps(source: str, prepared: Prepared) -> Iterator[tuple[str, Callable[[], object]]]:
    mapper, delivery, raws = prepared
    pack, cutter = mapper.packs[source], sources.cutter(source)
    decoded = mapper.source.decode(delivery.body, mapper.settings.limits)
    assert isinstance(decoded, Decoded)
    texts = [cutter.cut(raw).text if cutter else raw for raw in raws]
    events: list[Any] = list(map(pack.normalize, texts))
    decided = list(map(pack.catalog.classify, events))
    hashes = [sha256(raw).digest() for raw in raws]
    composed = list(map(ocsf_record, events, decided, hashes, map(len, raws)))
    written = [
        lines.kept_line("u", index, record, raw.decode(), source)
        for index, (record, raw) in enumerate(zip(composed, texts, strict=True))
    ]
    yield "decode", lambda: mapper.source.decode(delivery.body, mapper.settings.limits)
    yield "cut", _cut(cutter, raws, are_json=decoded.are_json)
    yield "normalize", _each(pack.normalize, texts)
    yield "classify", _each(pack.catalog.classify, events)
    yield "hash", _each(lambda raw: sha256(raw).digest(), raws)
    yield "compose", _each(ocsf_record, events, decided, hashes, list(map(len, raws)))
    yield (
        "encode",
        _each(
            lambda record, raw: lines.kept_line("u", 0, record, raw.decode(), source),
            composed,
            texts,
        ),
    )
    yield "leaf", _each(merkle.leaf_hash, written)
    yield "whole", lambda: packed(mapper, delivery)


def _cut(cutter: Cutter | None, raws: Sequence[bytes], *, are_json: bool) -> Callable[[], object]:
    def run() -> None:
        if cutter is None:
            return
        for start in range(0, len(raws), RECORDS_AT_ONCE):
            cutter.cut_all(raws[start : start + RECORDS_AT_ONCE], are_json=are_json)

    return run


def _each(work: Callable[..., object], *columns: Sequence[Any]) -> Callable[[], object]:
    def run() -> None:
        for start in range(0, len(columns[0]), RECORDS_AT_ONCE):
            stop = start + RECORDS_AT_ONCE
            list(map(work, *(column[start:stop] for column in columns)))

    return run


def _best(run: Callable[[], object], rounds: int, records: int) -> float:
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        spent.append((time.process_time() - start) / records * 1e6)
    return min(spent)
