"""One source pack with its tables: a raw record is kept, out of scope, or rejected."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from nhi_evidence import sources
from nhi_evidence.catalog import lexicon
from nhi_evidence.catalog.catalog import Catalog
from nhi_evidence.event import LONGEST_DETAIL, Event, Rejection
from nhi_evidence.ocsf.objects import Record
from nhi_evidence.ocsf.write import ocsf_record
from nhi_evidence.pipeline.scope import Scope, out_of_scope


class OutOfScope(msgspec.Struct, frozen=True, gc=False):
    """A record that is understood and not evidence, and why."""

    reason: str
    uid: str | None = None
    """Its native id, by which it can be asked for again."""


class Normalized(msgspec.Struct, frozen=True, gc=False):
    """A kept record: its OCSF form and its exact text."""

    record: Record
    text: str


class Original(msgspec.Struct, frozen=True, gc=False):
    """A record as it was delivered."""

    sha256: bytes
    size: int


class PackMapper:
    """What one pack makes of its records: same input, same output."""

    def __init__(self, name: str, *, scope: Scope, lists_out_of_scope_ids: bool) -> None:
        """Load a pack.

        With `lists_out_of_scope_ids`, a record without a native id is kept whatever the scope: left
        out, nobody could ask for it again. Raises `SettingsError` for an unknown pack and
        `CatalogError` for a table that does not hold together.
        """
        self.pack = sources.pack(name)
        tables = [sources.table(name, file) for file in self.pack.TABLES]
        self.catalog = Catalog(
            tables[0],
            name=f"{name} catalog",
            access_levels=tables[1] if len(tables) > 1 else None,
        )
        self.tables = [*tables, lexicon.TABLE]
        """What decides output: the pack's tables and the lexicon."""
        self._scope = scope
        self._lists_out_of_scope_ids = lists_out_of_scope_ids

    def normalize(self, raw: bytes) -> Event | Rejection:
        """Return the event a raw record states."""
        return self.pack.normalize(raw)

    def map(
        self, raw: bytes, text: str, original: Original | None = None
    ) -> Normalized | OutOfScope | Rejection:
        """Map one record; `text` is `raw` decoded.

        Where something was cut out of it, `original` says what it was before.
        """
        event = self.pack.normalize(raw)
        if isinstance(event, Rejection):
            return event
        try:
            classification = self.catalog.classify(event)
        except (msgspec.MsgspecError, RecursionError) as error:
            return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])
        reason = out_of_scope(event, classification, self._scope)
        if reason is not None:
            uid = event.logged.uid
            if uid is not None or not self._lists_out_of_scope_ids:
                return OutOfScope(reason, uid)
        was = original or Original(sha256(raw).digest(), len(raw))
        record = ocsf_record(event, classification, raw_sha256=was.sha256, raw_size=was.size)
        return Normalized(record, text)
