"""Prove many records at once: each object is read once, each epoch chosen once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from nhi_evidence.evidence import keys, log, note, objects, proof, prove
from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate.row import Place
from nhi_evidence.ports import EvidenceReader


class _Unit(NamedTuple):
    number: int
    """Number of its line in the table, from 1."""
    lines: Sequence[bytes]
    places: Mapping[int, int]
    """Index of a record in the unit to the position of its line."""


class Prover:
    """Makes the proof files of records whose place is known."""

    def __init__(
        self, store: EvidenceReader, stored: StoredLog, pinned: Sequence[note.Key]
    ) -> None:
        """Prove records of `store` under the checkpoints of `stored`."""
        self._store = store
        self._stored = stored
        self._keys = prove.keys_file(pinned)
        self._epochs: dict[str, list[tuple[int, int]]] = {}

    def prove(self, places: Iterable[Place]) -> Iterator[tuple[Place, Mapping[str, bytes] | str]]:
        """Yield the files of each record's proof, or why it has none; object by object."""
        by_object: dict[str, list[Place]] = {}
        for place in places:
            by_object.setdefault(place.object, []).append(place)
        for key, wanted in by_object.items():
            try:
                table, units = self._read(key)
            except (KeyError, ValueError, RecursionError) as error:
                yield from ((place, f"{key}: {error}") for place in wanted)
                continue
            for place in wanted:
                try:
                    yield place, self._files(table, units, place)
                except (KeyError, ValueError, proof.ProveError) as error:
                    yield place, f"{key}, record {place.line} of {place.unit}: {error}"

    def _read(self, key: str) -> tuple[Table, dict[str, _Unit]]:
        body = self._store.get(key)
        if sha256(body).hexdigest() != keys.parse_key(key).body_sha256:
            raise ValueError("body hash does not match its key")
        table, lines = objects.read_object(body)
        units: dict[str, _Unit] = {}
        for number, (unit, own) in enumerate(objects.lines_of(table, lines), start=1):
            places = {
                index: place
                for place, line in enumerate(own)
                if (index := decode_line(line).i) is not None
            }
            units[unit.unit] = _Unit(number, own, places)
        return table, units

    def _files(self, table: Table, units: Mapping[str, _Unit], place: Place) -> dict[str, bytes]:
        unit = units[place.unit]
        return {
            **prove.record(table, unit.number, unit.lines, unit.places[place.line]),
            **prove.entry(self._stored, place.shard, self._epoch(place), place.leaf),
            **prove.anchors(self._stored, place.shard, self._epoch(place)),
            proof.KEYS: self._keys,
        }

    def _epoch(self, place: Place) -> int:
        """Return the newest anchored epoch that includes a leaf, else the newest epoch of all."""
        if place.shard not in self._epochs:
            self._epochs[place.shard] = list(self._candidates(place.shard))
        for size, epoch in self._epochs[place.shard]:
            if size > place.leaf:
                return epoch
        raise proof.ProveError(f"leaf {place.leaf} of shard {place.shard} is not signed yet")

    def _candidates(self, shard: str) -> Iterator[tuple[int, int]]:
        """Yield size and number of the epochs with an anchor, newest first, then the newest."""
        prefix = f"{log.PREFIX}{shard}/anchor/"
        names = {key.removeprefix(prefix).partition("/")[0] for key in self._stored.keys(prefix)}
        anchored = (int(name) for name in names if name.isascii() and name.isdigit())
        for epoch in (*sorted(anchored, reverse=True), self._stored.newest_signed(shard)):
            head = self._stored.checkpoint(shard, epoch) if epoch else None
            if head is not None:
                yield head.size, epoch
