"""Reconciling by saved listings: no API is queried, and the verdict is the same as if it were.

A listing is used if all of its parts are present, each matches the hash in its name, and its ids
are of the hour and account it is for. A missing part is a reason in the statement, anything else an
error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import unquote

from msgspec.structs import replace

from nhi_evidence import sources
from nhi_evidence.completeness import listing, records
from nhi_evidence.completeness.due import STAGES_MS, WINDOW_MS
from nhi_evidence.completeness.hours import HOUR_MS
from nhi_evidence.completeness.listing import Listing, Question
from nhi_evidence.completeness.records import Comparison, Matching
from nhi_evidence.completeness.statement import Named, Scope, Statement
from nhi_evidence.completeness.statement_file import operation_key
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.lines import ParsedLine
from nhi_evidence.evidence.verify.sorting import Sorter

BEFORE_MS = 3 * HOUR_MS
"""Records of an hour are searched for, as the deployed function does, in the source hours from this
long before it ..."""
AFTER_MS = WINDOW_MS + HOUR_MS
"""... until this long after it began."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DELIVERED_AS = {
    "gcp_audit": "gcp_audit",
    "azure_entra": "azure_monitor",
    "azure_activity": "azure_monitor",
}
"""By pack of a listing's records, the source that delivers them."""


def lists_all(source: str, scope: Scope) -> bool:
    """Whether a listing must contain every record of its hour and scope.

    A folder's own records cannot be distinguished from those of others, nor can the records of one
    Entra log from those of another.
    """
    if source == "gcp_audit":
        return scope.account.startswith("projects/")
    return source == "azure_activity"


def matching(source: str) -> Matching | None:
    """Return how the records of a pack are matched; None if by their native id."""
    pack = sources.listed_source(source)
    return None if pack is None else Matching(source, pack.listed_id)


class SavedListing:
    """The parts of one listing."""

    def __init__(self, question: Question) -> None:
        """Start without parts."""
        self.question = question
        self.keys: list[str] = []
        self._parts: dict[int, Listing] = {}
        self._of = 0

    def add(self, key: str, part: Listing) -> None:
        """Add a part. Raises `ValueError` if it contradicts a part added before."""
        there = self._parts.setdefault(part.part, part)
        self._of = max(self._of, part.parts)
        if there != part or self._of != part.parts:
            raise ValueError(f"{key}: part {part.part} contradicts another part of the listing")
        if key not in self.keys:
            self.keys.append(key)

    @property
    def lacks(self) -> str:
        """Numbers of the missing parts; empty if there are none."""
        missing = [str(part) for part in range(1, self._of + 1) if part not in self._parts]
        return ", ".join(missing)

    @property
    def ids(self) -> Iterator[str]:
        """The ids in all parts that are present, in order."""
        return (uid for part in sorted(self._parts) for uid in self._parts[part].ids)

    def check(self, key: str, part: Listing) -> None:
        """Check a part of the listing.

        Raises `ValueError` if something it lists is not of the listing's hour and account, or if
        the request was not for the whole hour: what was not asked for would pass for not there.
        """
        begins = keys.hour_start(self.question.hour)
        if begins is None:
            raise ValueError(f"{key}: {self.question.hour!r} is not an hour")
        if self.question.source not in DELIVERED_AS:
            raise ValueError(f"{key}: {self.question.source!r} is not a source with listings")
        spans = _spans(self.question.source, begins)
        if not all(each in unquote(self.question.request) for each in spans):
            raise ValueError(f"{key}: its request is not for the hour {self.question.hour}")
        problem = next((uid for uid in part.ids if not self._is_own(uid)), None)
        if problem is not None:
            raise ValueError(
                f"{key}: lists a record that is not of {self.question.scope.account} in "
                f"{self.question.hour}: {problem[:200]}"
            )

    def _is_own(self, uid: str) -> bool:
        """Whether an id may be of the hour and account; an opaque one may."""
        hour = self.question.hour
        spelled = f"{hour[:4]}-{hour[4:6]}-{hour[6:8]}T{hour[8:]}:"
        account = self.question.scope.account.lower()
        _, _, rest = uid.partition("|")
        if self.question.source == "gcp_audit":
            is_own = not account.startswith("projects/") or f"|{account}/" in f"|{uid}".lower()
            return rest.startswith(spelled) and is_own
        if self.question.source == "azure_activity":
            resource = uid.rpartition("|")[2]
            is_own = resource.startswith("sha256:") or _is_below(resource, account)
            return rest.startswith(spelled) and is_own
        return True


def _spans(source: str, begins: int) -> tuple[str, ...]:
    """Return what the request for an hour contains, unquoted (docs/evidence-format.md)."""
    first, last, next_ = (
        f"{_EPOCH + timedelta(milliseconds=at):%Y-%m-%dT%H:%M:%S}"
        for at in (begins, begins + HOUR_MS - 1000, begins + HOUR_MS)
    )
    if source == "gcp_audit":
        return (f'timestamp>="{first}Z" AND timestamp<"{next_}Z"',)
    if source == "azure_activity":
        return (f"eventTimestamp ge '{first}.0000000Z' and eventTimestamp le '{last}.9999999Z'",)
    return (f"DateTime ge {first}Z and ", f"DateTime lt {next_}Z")


def _is_below(resource: str, subscription: str) -> bool:
    segments = resource.split("/")
    return "subscriptions" not in segments or subscription in segments


def collect(
    bodies: Iterable[tuple[str, bytes]],
) -> dict[tuple[str, str, Scope], SavedListing]:
    """Return the newest listing of each source, hour and scope.

    `bodies` are file names with their contents. Raises `ValueError` naming a file that is not a
    listing, does not match the hash in its name, or is not of the hour or account it states.
    """
    by_question: dict[Question, SavedListing] = {}
    for key, body in bodies:
        stated = key.rpartition("/")[2].removesuffix(listing.ENDING)
        if sha256(body).hexdigest() != stated:
            raise ValueError(f"{key}: its bytes do not match its name")
        try:
            part = listing.read(body)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error
        saved = by_question.setdefault(part.question, SavedListing(part.question))
        saved.add(operation_key("recon", part.question.hour, body, listing.ENDING), part)
        saved.check(key, part)
    newest: dict[tuple[str, str, Scope], SavedListing] = {}
    for question in sorted(by_question, key=lambda each: each.at):
        newest[question.source, question.hour, question.scope] = by_question[question]
    return newest


class SavedHour:
    """The comparison of one listing with the records that are here."""

    def __init__(self, saved: SavedListing, sorter: Sorter) -> None:
        """Collect ids in `sorter`."""
        self.saved = saved
        question = saved.question
        self._begins = keys.hour_start(question.hour) or 0
        self._comparison = Comparison(sorter)
        self._span = (
            (self._begins, self._begins + HOUR_MS)
            if lists_all(question.source, question.scope)
            else None
        )
        self._matching = matching(question.source)
        for uid in saved.ids:
            self._comparison.listed(uid)

    def may_be_in(self, source: str, hour: str) -> bool:
        """Whether an object of a source hour may hold records of the listed hour."""
        begins = keys.hour_start(hour)
        if source != DELIVERED_AS[self.saved.question.source]:
            return False
        return begins is None or -BEFORE_MS <= begins - self._begins <= AFTER_MS

    def see(self, units: Sequence[Sequence[ParsedLine]]) -> None:
        """Add the records in an object's lines, unit by unit."""
        for lines in units:
            records.take(
                self._comparison, lines, self.saved.question.scope, self._span, self._matching
            )

    def state(self) -> Statement:
        """Return the statement on the listing's hour and scope."""
        question = self.saved.question
        open_until = self._begins + HOUR_MS + STAGES_MS[1]
        if question.refused:
            return records.state(
                question.scope, None, refused=question.refused, open_until=open_until
            )
        if self.saved.lacks:
            lacking = records.state(
                question.scope, None, refused="listing_incomplete", open_until=open_until
            )
            return _with_parts(lacking, self.saved.lacks)
        return records.state(question.scope, self._comparison.compare(), open_until=open_until)


def _with_parts(statement: Statement, parts: str) -> Statement:
    named = Named("listing_incomplete", f"parts {parts}")
    return replace(statement, named=(named,), totals={"listing_incomplete": 1})


def by_subject(
    hours: Mapping[tuple[str, str, Scope], SavedHour],
) -> Iterator[tuple[str, str, list[SavedHour]]]:
    """Yield source and hour with the comparisons of their scopes, in order."""
    grouped: dict[tuple[str, str], list[SavedHour]] = {}
    for source, hour, scope in sorted(hours):
        grouped.setdefault((source, hour), []).append(hours[source, hour, scope])
    for (source, hour), own in grouped.items():
        yield source, hour, own
