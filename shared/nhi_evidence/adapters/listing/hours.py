"""Comparing, hour by hour, what APIs list with the records that are here.

What is missing is stated, and what the API lists of it is kept as a fill beside the listing: an
object in the form of evidence, marked `raw_form: api`, which never counts as delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from nhi_evidence.adapters.listing import activity, entra, google, http_json, microsoft
from nhi_evidence.adapters.listing.activity import ActivityScope
from nhi_evidence.adapters.listing.entra import EntraScope
from nhi_evidence.adapters.listing.google import GoogleScope
from nhi_evidence.completeness import listing, records, saved
from nhi_evidence.completeness.due import STAGES_MS
from nhi_evidence.completeness.hours import HOUR_MS
from nhi_evidence.completeness.listing import Question
from nhi_evidence.completeness.records import Comparison
from nhi_evidence.completeness.statement import Named, Scope, Statement
from nhi_evidence.completeness.statement_file import Operation, operation_key
from nhi_evidence.errors import EvidenceError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.lines import ParsedLine
from nhi_evidence.evidence.verify.sorting import Sorter
from nhi_evidence.pipeline.export import Mapper

ApiScope = GoogleScope | EntraScope | ActivityScope

_FILL = ".ndjson.zst"


class Hour:
    """The comparison of one hour of one scope."""

    def __init__(self, scope: ApiScope, hour: str, sorter: Callable[[], Sorter], now: int) -> None:
        """Judge `hour`, which is listed at `now`."""
        self.api = scope
        self.hour = hour
        self.source = source_of(scope)
        self.scope = scope_of(scope)
        self._now = now
        self._begins = keys.hour_start(hour) or 0
        self._comparison = Comparison(sorter())
        self._ids = sorter()
        self._raw = sorter()
        self._refused = ""
        self.inputs: list[str] = []
        """Keys of the objects put for it."""

    def list(self, access: str) -> None:
        """Query the API. A refusal becomes a reason; raises `SourceUnavailableError`."""
        if isinstance(self.api, ActivityScope) and self._begins < self._now - activity.KEPT_MS:
            self.refuse("not_asked")
            return
        try:
            if isinstance(self.api, GoogleScope):
                for uid, entry in google.entries(self.api, access, self._request):
                    self._take(uid, entry=entry)
            elif isinstance(self.api, ActivityScope):
                for uid, own, entry in activity.entries(self.api, access, self._path):
                    self._take(uid, own, entry)
            else:
                for uid in entra.ids(self.api, access, self._path):
                    self._take(uid)
        except http_json.RefusedError as error:
            self.refuse(entra.reason(error) if isinstance(self.api, EntraScope) else "refused")

    def refuse(self, reason: str) -> None:
        """Note why there is no listing: a code of `REASONS`."""
        self._refused = reason

    def _take(self, uid: str, alias: str | None = None, entry: Any = None) -> None:
        self._comparison.listed(uid, alias)
        self._ids.add(uid.encode(), b"")
        if entry is not None:
            self._raw.add(uid.encode(), msgspec.json.encode(entry, order="sorted"))

    @property
    def _request(self) -> str:
        """The request as it is kept with the listing."""
        if isinstance(self.api, GoogleScope):
            return google.filter_of(self.api, google.hour_of(self._begins))
        if isinstance(self.api, ActivityScope):
            return activity.request_of(self.api, self._begins, self._begins + HOUR_MS)
        return self._path

    @property
    def _path(self) -> str:
        """Path and query for Microsoft's APIs; empty for Google's."""
        if isinstance(self.api, ActivityScope):
            return activity.path_of(self.api, self._begins, self._begins + HOUR_MS)
        if isinstance(self.api, EntraScope):
            return entra.path_of(self.api, self._begins, self._begins + HOUR_MS)
        return ""

    def put_listing(self, put: Callable[[Operation], str]) -> None:
        """Put what was listed, or why nothing was."""
        question = Question(
            source=self.source,
            hour=self.hour,
            scope=self.scope,
            request=self._request,
            at=self._now,
            refused=self._refused,
        )
        count = 0 if self._refused else sum(1 for _ in _once(self._ids))
        ids: Iterable[str] = () if self._refused else _once(self._ids)
        self.inputs += [put(each) for each in listing.write(question, ids, count)]

    def see(self, units: Sequence[Sequence[ParsedLine]]) -> None:
        """Add the records in an evidence object's lines, unit by unit."""
        span = (
            (self._begins, self._begins + HOUR_MS)
            if saved.lists_all(self.source, self.scope)
            else None
        )
        for lines in units:
            records.take(self._comparison, lines, self.scope, span, saved.matching(self.source))

    def conclude(self, put: Callable[[Operation], str]) -> Statement:
        """Return the statement, after putting a fill of what is missing, which it names."""
        open_until = self._begins + HOUR_MS + STAGES_MS[1]
        if self._refused:
            return records.state(self.scope, None, refused=self._refused, open_until=open_until)
        compared = self._comparison.compare()
        missing = {each.name for each in compared.named if each.reason == "missing"}
        if missing and not isinstance(self.api, EntraScope):
            filled = [put(each) for each in self._fills(missing)]
            self.inputs += filled
            compared.named = [_with(each, filled) for each in compared.named]
        return records.state(self.scope, compared, open_until=open_until)

    def _fills(self, missing: set[str]) -> Iterator[Operation]:
        """Yield objects with the missing records as the API lists them."""
        records = {uid: raw for uid, raw in self._raw if uid.decode() in missing}
        body = b"".join(raw + b"\n" for _, raw in sorted(records.items()))
        wanted = sha256(self._request.encode()).hexdigest()[:16]
        unit = f"api/{self.scope.account}/{wanted}/{sha256(body).hexdigest()[:16]}!h={self.hour}"
        mapper = Mapper(self.source, keep_out_of_scope_raw=False)
        for packed in mapper.packer.pack(mapper.units(Delivery(unit, body, raw_form="api"))):
            key = operation_key("recon", self.hour, packed.body, _FILL)
            yield Operation(key, packed.body, packed.metadata)


def source_of(scope: ApiScope) -> str:
    """Return the pack of a scope's records."""
    if isinstance(scope, ActivityScope):
        return activity.PACK
    return "gcp_audit" if isinstance(scope, GoogleScope) else "azure_entra"


def scope_of(scope: ApiScope) -> Scope:
    """Return a scope as statements name it."""
    if isinstance(scope, GoogleScope):
        return Scope(account=scope.resource)
    if isinstance(scope, ActivityScope):
        return Scope(account=scope.subscription)
    return Scope(account=scope.tenant, stream=scope.log)


def audience(scope: ApiScope) -> str:
    """Return the audience of the identity token for a scope."""
    return google.audience(scope) if isinstance(scope, GoogleScope) else microsoft.AUDIENCE


def access(scope: ApiScope, identity: Callable[[str], str]) -> str:
    """Return a token for a scope's API. Raises `EvidenceError`."""
    if isinstance(scope, GoogleScope):
        return google.token(scope, identity)
    if isinstance(scope, ActivityScope):
        return activity.token(scope, identity)
    return entra.token(scope, identity)


def ask(
    scope: ApiScope,
    hours: Sequence[str],
    identity: Callable[[str], str],
    sorter: Callable[[], Sorter],
    now: int,
) -> tuple[list[Hour], str]:
    """List some hours of a scope; return them, and what went wrong, if anything.

    If something went wrong, all of the hours are refused.
    """
    listed = [Hour(scope, hour, sorter, now) for hour in hours]
    problem = ""
    try:
        token = access(scope, identity)
        for each in listed:
            each.list(token)
    except EvidenceError as error:
        problem = str(error)
        for each in listed:
            each.refuse("refused")
    return listed, problem


def _once(sorter: Sorter) -> Iterator[str]:
    last: bytes | None = None
    for uid, _ in sorter:
        if uid != last:
            yield uid.decode()
        last = uid


def _with(named: Named, filled: Sequence[str]) -> Named:
    if named.reason != "missing" or not filled:
        return named
    return msgspec.structs.replace(named, detail=f"filled in {filled[0]}")
