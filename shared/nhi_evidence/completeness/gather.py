"""Reads from sealed objects what completeness is judged by: tables and signed lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from nhi_evidence import sources
from nhi_evidence.azure import event_hub
from nhi_evidence.completeness import chains, streams
from nhi_evidence.completeness.hours import hours
from nhi_evidence.completeness.items import (
    BrokenItem,
    ClaimItem,
    FileItem,
    Items,
    ListItem,
    PromiseItem,
    RunItem,
)
from nhi_evidence.completeness.numbers import MESSAGE_BYTES
from nhi_evidence.completeness.promises import Promise
from nhi_evidence.completeness.statement import Scope, Subject
from nhi_evidence.event import Limits
from nhi_evidence.evidence import counting, keys
from nhi_evidence.evidence.lines import Header, UnitLine, decode_line
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.verify.sorting import Sorter
from nhi_evidence.reading.inflate import inflated_sha256

MAX_LIST_HOURS = 48
"""Maximum hours one signed list may span to be accepted."""

Opened = Callable[[], Iterator[tuple[UnitLine, Sequence[bytes]]]]
"""Reads an entire object: each unit line with its lines."""


class Gatherer:
    """Collects what sealed objects say, by source, hour and scope."""

    def __init__(self, sorter: Callable[[], Sorter]) -> None:
        """Collect items in sorters made by `sorter`."""
        self.items = Items(sorter())
        self._runs = streams.Runs(sorter())
        self._chains = chains.Chains(sorter())

    def take(
        self,
        order: int,
        key: str,
        vid: str,
        *,
        table: Table,
        void: frozenset[int],
        opened: Opened,
    ) -> None:
        """Take an object whose bytes and table are valid, at its index in the whole log.

        `void` are indexes of unit lines whose claims are void. Raises `ValueError` when the object
        cannot be read for its signed lists and rejections.
        """
        source = table.header.source
        units = [unit for place, unit in enumerate(table.units) if place not in void]
        pack = sources.signing_source(source)
        if pack is None:
            self._plain(order, key, vid, table.header, units)
            return
        read_in_full = {"companion", "rejection"}
        read = dict(_by_unit(opened)) if any(unit.kind in read_in_full for unit in units) else {}
        for unit, claim in zip(
            units, counting.claims(order, key, table.header, units), strict=True
        ):
            subject = (source, table.header.hour, _file_scope(pack, unit.unit))
            own = read.get((unit.unit, unit.part), ())
            delivered = _inflated_sha256(unit, own) if unit.kind == "rejection" else None
            self.items.add(subject, ClaimItem(claim, vid, delivered))
            if unit.kind == "companion":
                self._signed_list(pack, order, subject, unit, own)

    def promised(self, order: int, at: int, promise: Promise, *, sealed: int | None) -> None:
        """Take a promise of heartbeats that the store received `at`, and when it was `sealed`."""
        for scope in promise.scopes:
            subject = (promise.source, promise.hour, scope)
            self.items.add(subject, PromiseItem(order, at, sealed))

    def close(self) -> Items:
        """Return everything, after the last item was taken."""
        self._runs.close(self.items)
        self._chains.close(self.items)
        return self.items

    def _plain(
        self, order: int, key: str, vid: str, header: Header, units: Sequence[UnitLine]
    ) -> None:
        """Take units of a source whose provider signs no list."""
        for unit, claim in zip(units, counting.claims(order, key, header, units), strict=True):
            claimed = event_hub.claimed(unit.unit)
            hub, slash, partition = (claimed[0] if claimed else "").rpartition("/")
            subject = (header.source, header.hour, Scope(stream=hub))
            self.items.add(subject, ClaimItem(claim, vid))
            if claimed is None or not slash or unit.part != 1 or unit.messages is None:
                continue
            _, first, last = claimed
            count = last - first + 1
            hashes = b"".join(bytes.fromhex(each)[:MESSAGE_BYTES] for each in unit.messages.h)
            is_exact = (unit.messages.first, len(unit.messages.h)) == (first, count)
            # Anything that states its messages differently is not a run: `streams.judge` names it.
            if is_exact and len(hashes) == count * MESSAGE_BYTES and "\0" not in unit.unit:
                self._runs.add(subject, RunItem(order, unit.unit, partition, first, last, hashes))

    def _signed_list(
        self,
        pack: sources.SigningSource,
        order: int,
        subject: Subject,
        unit: UnitLine,
        own: Sequence[bytes],
    ) -> None:
        try:
            (line,) = own
            document = decode_line(line).raw or b""
            stated = pack.signed_list(document)
        except (ValueError, RecursionError) as error:
            self.items.add(subject, BrokenItem(order, unit.unit, str(error)[:300]))
            return
        try:
            signature = pack.signature(unit.source_metadata)
        except ValueError:
            signature = b""
        digest = sha256(document).hexdigest()
        item = ListItem(
            order=order,
            source=pack.NAME,
            place=stated.place,
            unit_place=file_name(unit.unit),
            sha256=digest,
            chain=stated.chain,
            begins=stated.begins,
            ends=stated.ends,
            previous=stated.previous,
            previous_sha256=stated.previous_sha256,
            previous_signature=stated.previous_signature,
            signed=stated.statement.signed,
            fingerprint=stated.statement.fingerprint,
            signature=signature,
        )
        self._chains.add(subject, item)
        # The list belongs to every hour it touches, and to the hours of its files.
        source, _, scope = subject
        touched = {
            (source, hour, scope) for hour in hours(stated.begins, stated.ends, most=MAX_LIST_HOURS)
        }
        for name, file_sha256 in stated.files:
            bucket, _, key = name.partition("/")
            of = (source, _hour(pack, name), _scope(pack, bucket, key))
            touched.add(of)
            self.items.add(of, FileItem(order, name, file_sha256, digest))
        for of in touched | {subject}:
            self.items.add(of, item)


def file_name(unit: str) -> str:
    """Return `<bucket>/<key>` of a file's unit: its name without version and hour."""
    return unit.rpartition("@")[0] or unit


def _by_unit(opened: Opened) -> Iterator[tuple[tuple[str, int], Sequence[bytes]]]:
    for unit, own in opened():
        if unit.kind != "records":
            yield (unit.unit, unit.part), own


def _file_scope(pack: sources.SigningSource, unit: str) -> Scope:
    bucket, _, key = file_name(unit).partition("/")
    return _scope(pack, bucket, key)


def _scope(pack: sources.SigningSource, bucket: str, key: str) -> Scope:
    scope = pack.scope_of(key)
    if scope is None:
        return Scope(stream=bucket)
    return Scope(scope.account, scope.region, f"{bucket}/{scope.folder}")


def _hour(pack: sources.SigningSource, name: str) -> str:
    return keys.unit_hour(f"{name}@", pack.hour_of)


def _inflated_sha256(unit: UnitLine, own: Sequence[bytes]) -> str | None:
    """Return the SHA-256 of what a rejected delivery inflates to; None if it does not inflate.

    Also None if it has several parts. A provider's list states the hash of the inflated file
    whether or not the file can be read.
    """
    if unit.parts != 1:
        return None
    try:
        delivered = b"".join(decode_line(line).raw or b"" for line in own)
    except ValueError:
        return None
    return inflated_sha256(delivered, Limits())
