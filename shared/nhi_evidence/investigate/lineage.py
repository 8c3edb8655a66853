"""Which credential was made from which, and who acted with it: joined by credential id alone.

Records arrive late and in any order, and the one that minted a credential may be missing. Nothing
here depends on the order, and nothing is claimed that no record states.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from nhi_evidence.identity import MECHANISMS, Mechanism
from nhi_evidence.investigate.index import EventIndex, Selection, order
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.trust import JOIN, Trusts

MAX_CREDENTIALS = 5_000
"""How many credentials are followed; a path with more says that it was cut off."""

MAX_ROWS = 200_000
"""How many records a path has at most; a path with more says that it was cut off."""


class Mint(StrEnum):
    """What is known about how a credential was made."""

    SEEN = "seen"
    NOT_EXPECTED = "not expected"
    """Handed to the workload by the platform, or made by a service to act on the caller's behalf:
    there need not be a record of it."""
    BEFORE = "not in this evidence"
    """Lasts until it is deleted: made before the evidence begins, or where nothing was recorded."""
    MISSING = "missing"
    """A record of its making should exist, but is not here."""


_DELIVERED = frozenset(
    {"Workload Instance", "Managed Identity", "Provider Service", "Cloud Service Principal"}
)
"""Identity types that are handed their credentials by the platform."""

_FORWARD = MECHANISMS[Mechanism.PROVIDER_FORWARD_ACCESS]
"""A service derives a credential from its caller's to call another service on its behalf, and no
record is written of that:
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
"""

_UNNAMED_SERVICE = "AWS Internal"
"""What CloudTrail writes when an AWS service made the request and is not named."""

LASTING = frozenset(
    {
        "access_key",
        "service_account_key",
        "service_specific_credential",
        "account_key",
        "client_secret",
        "certificate_or_assertion",
        "federated_identity_credential",
    }
)
"""Kinds of credential that last until they are deleted."""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """One credential of a path."""

    uid: str
    mint: Mint
    minted_by: Row | None
    """The record of its making."""
    parent: str | None
    """The credential it was made with, if that record names one."""
    first: int | None
    """First use in the path, milliseconds since the epoch; None if it was never used."""
    last: int | None
    """Last use, likewise."""
    uses: int


class Step(msgspec.Struct, frozen=True):
    """One record of a path, and what ties it to the path."""

    row: Row
    known_by: str
    coverage: tuple[int, ...] | None = None
    """Which entries of the timeline's `visibility` are about this record: what recorded it, and
    for how long, as a coverage report says. None where no report was given."""


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """What an identity did, itself or with anything made from its credentials, in all clouds."""

    steps: tuple[Step, ...]
    """In chronological order."""
    credentials: tuple[Credential, ...]
    """In order of first appearance."""
    workloads: tuple[str, ...]
    """Ids of the workloads known to be behind it, the same in every cloud."""
    cut_off: str | None
    """Which limit left something out; None if nothing was."""

    def covered(self, coverage: Sequence[tuple[int, ...]]) -> Path:
        """Return the path with what is said of the coverage of each of its steps."""
        return msgspec.structs.replace(
            self,
            steps=tuple(
                Step(step.row, step.known_by, numbers)
                for step, numbers in zip(self.steps, coverage, strict=True)
            ),
        )


def follow(index: EventIndex, seed: Selection) -> Path:
    """Return the path that begins with a selection.

    It leads from every record to the use of the credentials that record issued, and so on, and
    across clouds where issuer and subject, or an act of trust, name the same workload.
    """
    return _Following(index, seed).path()


class _Following:
    """The state of one search."""

    def __init__(self, index: EventIndex, seed: Selection) -> None:
        self._index = index
        self._seed = seed
        self._trusts = Trusts(index.trusts())
        self._steps: dict[tuple[str, str, int], Step] = {}
        self._minted: dict[str, Row] = {}
        self._credentials: dict[str, None] = {}
        self._asked: set[str] = set()
        self._workloads: dict[str, None] = {}
        self._cut_off: str | None = None

    def path(self) -> Path:
        self._workloads.update(
            (identity, None)
            for identity in sorted(self._seed.identities)
            if identity.startswith(JOIN)
        )
        self._take(self._seed)
        while self._cut_off is None:
            credentials, workloads = self._next_credentials(), self._next_workloads()
            if not credentials and not workloads:
                break
            self._take(self._within(Selection(credentials=frozenset(credentials))))
            for workload in workloads:
                self._take(self._named(workload), workload)
        self._find_mints()
        steps = tuple(sorted(self._steps.values(), key=lambda step: order(step.row)))
        return Path(
            steps=steps,
            credentials=_credentials(steps, self._credentials, self._minted),
            workloads=tuple(self._workloads),
            cut_off=self._cut_off,
        )

    @property
    def _is_of_an_actor(self) -> bool:
        """Whether the seed names an actor, so that everything those actors used is followed."""
        return bool(self._seed.identities or self._seed.credentials)

    def _take(self, selection: Selection, workload: str | None = None) -> None:
        if selection.is_empty:
            return
        for row in self._index.rows(selection):
            if len(self._steps) >= MAX_ROWS:
                self._cut_off = f"more than {MAX_ROWS} records"
                return
            key = (row.place.object, row.place.unit, row.place.line)
            known_by = None if key in self._steps else self._known_by(selection, row, workload)
            if known_by is not None:
                self._steps[key] = Step(row, known_by)
                self._note(row)

    def _note(self, row: Row) -> None:
        """Note the credentials and workload that a record of the path leads to."""
        if self._is_of_an_actor:
            known = self._trusts.behind(row)
            if known is not None:
                self._workloads[known.workload] = None
            if row.credential:
                self._credentials[row.credential] = None
            for uid in self._seed.credentials.intersection(row.hop_credentials):
                self._credentials[uid] = None
        for uid in row.issued:
            self._credentials[uid] = None
            self._minted.setdefault(uid, row)

    def _known_by(self, selection: Selection, row: Row, workload: str | None) -> str | None:
        """Return what ties a record to the path; None if it belongs to another.

        In a pool, any provider may have vouched for a subject: such a record is taken only if
        acts of trust lead to a workload of the path, and to no other.
        """
        if workload is not None and row.identity != workload:
            known = self._trusts.behind(row)
            return known.by if known and known.workload == workload else None
        if selection.identities & {row.identity, row.identity_uid, row.identity_name}:
            return "identity"
        if row.credential in selection.credentials:
            return f"credential {row.credential}"
        of_hops = [uid for uid in row.hop_credentials if uid in selection.credentials]
        if of_hops:
            return f"credential {of_hops[0]}"
        return f"address {row.ip}" if row.ip in selection.addresses else "target"

    def _next_credentials(self) -> list[str]:
        """Return the credentials whose use has not been looked up yet.

        That includes those the identity used itself: a session may go on in records that leave its
        name out, and they belong to the path by its credential.
        """
        new = [uid for uid in self._credentials if uid not in self._asked]
        if len(self._asked) + len(new) > MAX_CREDENTIALS:
            self._cut_off = f"more than {MAX_CREDENTIALS} credentials"
            new = new[: MAX_CREDENTIALS - len(self._asked)]
        self._asked.update(new)
        return new

    def _next_workloads(self) -> list[str]:
        new = [each for each in self._workloads if each not in self._asked]
        self._asked.update(new)
        return new

    def _named(self, workload: str) -> Selection:
        credentials, pairs = self._trusts.names_of(workload)
        return self._within(
            Selection(identities=frozenset({workload}), credentials=credentials, subjects=pairs)
        )

    def _within(self, selection: Selection) -> Selection:
        """Limit a selection to the seed's time; only the making of credentials may be earlier."""
        return msgspec.structs.replace(selection, since=self._seed.since, until=self._seed.until)

    def _find_mints(self) -> None:
        """Look for the records that made credentials of the path, even before the seed's time."""
        unknown = frozenset(self._credentials) - set(self._minted)
        if not unknown:
            return
        for row in self._index.rows(Selection(issued=unknown, until=self._seed.until)):
            if row.outcome != "success":
                continue
            for uid in (*row.issued, row.entity):
                if uid in unknown and (uid in row.issued or _is_creation(row)):
                    self._minted.setdefault(uid, row)


def _is_forwarded(row: Row) -> bool:
    return _FORWARD in row.mechanisms or row.invoked_by == _UNNAMED_SERVICE


def _is_creation(row: Row) -> bool:
    """Whether a record about a durable credential is the one that made it."""
    return row.base_phase == "Credential Lifecycle" and row.sub_phase == "create"


def _credentials(
    steps: Iterable[Step], uids: Iterable[str], minted: dict[str, Row]
) -> tuple[Credential, ...]:
    uses: defaultdict[str, list[Row]] = defaultdict(list)
    for step in steps:
        for uid in dict.fromkeys((step.row.credential, *step.row.hop_credentials)):
            if uid:
                uses[uid].append(step.row)
    credentials = []
    for uid in uids:
        rows, mint = uses.get(uid, []), minted.get(uid)
        credentials.append(
            Credential(
                uid=uid,
                mint=_mint(uid, mint, rows),
                minted_by=mint,
                # A renewal is recorded under the token that it hands out: that made nothing.
                parent=mint.credential if mint and mint.credential != uid else None,
                first=rows[0].time if rows else None,
                last=rows[-1].time if rows else None,
                uses=len(rows),
            )
        )
    return tuple(credentials)


def _mint(uid: str, mint: Row | None, uses: list[Row]) -> Mint:
    if mint is not None:
        return Mint.SEEN
    # Of a credential that only hops have, the records do not say whether it lasts.
    of_actors = [row for row in uses if row.credential == uid]
    if any(row.credential_kind in LASTING for row in of_actors) or (uses and not of_actors):
        return Mint.BEFORE
    if uses and all(row.identity_type in _DELIVERED or _is_forwarded(row) for row in uses):
        return Mint.NOT_EXPECTED
    return Mint.MISSING
