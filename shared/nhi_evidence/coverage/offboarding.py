"""Offboarding: what an identity did before, what revoked it, what is left, what came after.

Three things together show it: a revocation on record, the state read after it, and no use
afterwards. Where use of a dead credential leaves no record, no log can show the third, and the
report says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from nhi_evidence import plural
from nhi_evidence.coverage.absence.conclude import platform_of
from nhi_evidence.coverage.absence.gather import is_by
from nhi_evidence.coverage.answers import Answer, Reading
from nhi_evidence.coverage.cells import cells
from nhi_evidence.coverage.counted import Record
from nhi_evidence.coverage.judges import Subject

_TAKES_AWAY = {
    (3004, 4): "deleted",
    (3004, 9): "disabled",
    (3001, 6): "deleted",
    (3001, 5): "disabled",
}
"""By OCSF class and activity: delete and disable of Entity Management and of Account Change."""
_GIVES_BACK = {(3004, 8), (3001, 2)}
_ENABLED = "enabled again"
_SESSION_POLICY = "AWSRevokeOlderSessions"
_HOUR_MS = 3_600_000
_LONGEST_MS = {"GetFederationToken": 36 * _HOUR_MS, "GetSessionToken": 36 * _HOUR_MS,
               "GenerateAccessToken": 12 * _HOUR_MS}  # fmt: skip
"""The longest a session can live, by operation; for all others a role session's twelve hours."""
_STATES = ("iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:GetUser", "iam:GetRole",
           "iam.projects.serviceAccounts.get", "iam.projects.serviceAccounts.keys.list",
           "graph:servicePrincipals", "graph:applications")  # fmt: skip
"""Calls whose answers state whether an identity or its credentials exist."""
_UNSEEN = {"aws": "aws.credential_validation.dead_key", "gcp": "gcp.credential_validation.dead_key"}


class Use(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one credential of the identity was used, before and after the revocation."""

    credential: str
    """Its id; `not stated` where records name none."""
    used: int
    validated: int
    refused: int
    first: int
    last: int
    after: int = 0
    """Number of records of its use after the revocation."""
    last_after: int | None = None


class Revocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One act that took something away, or gave it back."""

    at: int
    what: str
    operation: str
    by: str
    outcome: str
    uid: str
    credential: str = ""


class Session(msgspec.Struct, frozen=True):
    """A credential issued to the identity before the revocation."""

    credential: str
    operation: str
    made: int
    may_live_until: int
    used_after: int
    """Number of records of its use after the revocation."""


class State(msgspec.Struct, frozen=True):
    """What a reading after the revocation says."""

    at: int
    call: str
    says: str
    usable: tuple[str, ...] = ()
    """Keys that it shows to be active."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The report, as `--json` prints it."""

    identity: str
    """As asked for."""
    revoked_at: int | None
    """Time of the last successful revocation, milliseconds since the epoch; None where there is
    none, or something was given back and not taken away again."""
    credentials: tuple[Use, ...]
    """Credentials that are not in `sessions`."""
    revocations: tuple[Revocation, ...]
    """Acts that removed or disabled the identity or a credential, or gave it back."""
    sessions: tuple[Session, ...]
    """Sessions that may outlive the revocation."""
    states: tuple[State, ...]
    """Its state and that of its credentials, by readings after the revocation."""
    use_after_is_visible: bool
    """Whether use of a dead credential leaves a record at all."""
    unseen: str = ""
    """Why it would not leave one."""
    unread: int = 0
    """How many objects and lines could not be read: what they hold was not looked for."""

    @property
    def usable(self) -> tuple[str, ...]:
        """Keys that were active when they were last read."""
        newest = {one.call: one for one in self.states}
        return tuple(dict.fromkeys(key for one in newest.values() for key in one.usable))

    @property
    def used_after(self) -> int:
        """Number of records of use after the revocation, by sessions too."""
        return sum(one.after for one in self.credentials) + sum(
            one.used_after for one in self.sessions
        )

    @property
    def head(self) -> tuple[str, str]:
        """The verdict, and what it means here."""
        if self.revoked_at is None:
            if any(one.what == _ENABLED and one.outcome == "success" for one in self.revocations):
                return "NOT OFFBOARDED", "the identity or a credential was enabled again"
            return "NOT OFFBOARDED", "no revocation is on record"
        if self.used_after:
            return "USED AFTER", f"{plural.count(self.used_after, 'record')} after the revocation"
        if not self.states:
            return "REVOKED", "but no later reading shows what is left"
        if self.usable:
            keys = plural.count(len(self.usable), "key")
            return "REVOKED", f"but {keys} could still be used: {', '.join(self.usable)}"
        if self.sessions:
            sessions = plural.count(len(self.sessions), "session")
            return "REVOKED", f"but {sessions} may outlive it; no such use is on record"
        if self.unread:
            unread = plural.count(self.unread, "object or line", "objects or lines")
            return "REVOKED", f"but {unread} could not be read"
        return "OFFBOARDED", "revoked, state read after it, no use on record after it"


def report(identity: str, records: Iterable[Record], readings: Sequence[Reading]) -> Report:
    """Make the report from the counted records of a store, in any order."""
    every = sorted(records, key=lambda record: record.head.time)
    own = [one for one in every if is_by(one, identity)]
    names = _names(identity, own)
    revocations = tuple(_revocations(every, names, Subject(identity).account))
    revoked_at = _revoked_at(revocations)
    sessions = tuple(_sessions(own, every, revoked_at))
    minted = {one.credential for one in sessions}
    platform = platform_of(identity)
    unseen = next((cell.record for cell in cells() if cell.id == _UNSEEN.get(platform)), "")
    return Report(
        identity=identity,
        revoked_at=revoked_at,
        credentials=tuple(one for one in _uses(own, revoked_at) if one.credential not in minted),
        revocations=revocations,
        sessions=sessions,
        states=tuple(_states(readings, names, Subject(identity).account, revoked_at)),
        use_after_is_visible=not unseen,
        unseen=unseen,
    )


def _revoked_at(acts: Sequence[Revocation]) -> int | None:
    """Return when the last of it was taken away; None if nothing was, or any was given back."""
    standing: dict[str, int | None] = {}
    for act in acts:
        if act.outcome == "success":
            standing[act.credential] = None if act.what == _ENABLED else act.at
    times = list(standing.values())
    if not times or None in times:
        return None
    return max(time for time in times if time is not None)


def _names(identity: str, own: Iterable[Record]) -> frozenset[str]:
    """Return the names of the identity, and the ids of its credentials."""
    names = {identity, identity.rpartition("/")[2]}
    for record in own:
        nhi = record.head.nhi
        names |= {nhi.canonical_uid, nhi.uid, nhi.credential_uid} - {None}  # type: ignore[arg-type]
    return frozenset(name for name in names if name)


def _uses(own: Sequence[Record], revoked_at: int | None) -> list[Use]:
    by_credential: dict[str, list[Record]] = {}
    for record in own:
        by_credential.setdefault(record.head.nhi.credential_uid or "not stated", []).append(record)
    uses = []
    for credential, records in by_credential.items():
        after = [one for one in records if revoked_at is not None and one.head.time > revoked_at]
        uses.append(
            Use(
                credential=credential,
                used=sum(one.head.nhi_outcome == "success" for one in records),
                validated=sum("credential_validation" in one.head.phases for one in records),
                refused=sum("failed_attempt" in one.head.phases for one in records),
                first=records[0].head.time,
                last=records[-1].head.time,
                after=len(after),
                last_after=after[-1].head.time if after else None,
            )
        )
    return uses


def _revocations(
    every: Sequence[Record], names: frozenset[str], account: str | None
) -> Iterable[Revocation]:
    for record in every:
        head = record.head
        what = _TAKES_AWAY.get((head.class_uid, head.activity_id))
        if (head.class_uid, head.activity_id) in _GIVES_BACK:
            what = _ENABLED
        if what is None and _SESSION_POLICY.encode() in record.raw:
            what = "older sessions revoked"
        about = head.about & names
        if what is None or not about or account not in {None, head.account}:
            continue
        yield Revocation(
            at=head.time,
            what=what,
            operation=head.api.operation,
            by=head.nhi.uid or head.nhi.name or "not stated",
            outcome=head.nhi_outcome,
            uid=head.metadata.uid or "",
            credential=(head.entity.uid or "") if head.entity else "",
        )


def _sessions(
    own: Sequence[Record], every: Sequence[Record], revoked_at: int | None
) -> Iterable[Session]:
    if revoked_at is None:
        return
    for record in own:
        head = record.head
        longest = _LONGEST_MS.get(head.api.operation, 12 * _HOUR_MS)
        if head.time > revoked_at or head.time + longest <= revoked_at:
            continue
        for credential in head.nhi_issued_credential_uids:
            used = sum(
                one.head.time > revoked_at and one.head.nhi.credential_uid == credential
                for one in every
            )
            yield Session(credential, head.api.operation, head.time, head.time + longest, used)


def _states(
    readings: Sequence[Reading],
    names: frozenset[str],
    account: str | None,
    revoked_at: int | None,
) -> Iterable[State]:
    """Yield what later readings state of exactly these names, in the account if one is known."""
    if revoked_at is None:
        return
    either = "|".join(map(re.escape, sorted(names)))
    wanted = re.compile(f"(?<!{_OF_A_NAME})(?:{either})(?!{_OF_A_NAME})")
    for reading in sorted(readings, key=lambda each: each.at):
        if reading.at <= revoked_at:
            continue
        for answer in reading.answers:
            if answer.call not in _STATES or answer.status in {"denied", "failed"}:
                continue
            if account not in {None, answer.account}:
                continue
            text = msgspec.json.encode([answer.scope, answer.request, answer.answer]).decode()
            if wanted.search(text):
                says = "there is none" if answer.status == "absent" else text[:500]
                yield State(reading.at, answer.call, says, tuple(_usable(reading, answer)))


def _usable(reading: Reading, answer: Answer) -> Iterator[str]:
    """Yield the keys of an answer that are active; none of one of another shape."""
    members = _KEYS.get(answer.call)
    if members is None or answer.status != "ok" or not isinstance(answer.answer, dict):
        return
    account = reading.single(_SERVICE_ACCOUNT, answer.scope)
    body = None if account is None else account.answer
    if isinstance(body, dict) and body.get("disabled"):
        return
    keys, name = members
    for key in answer.answer.get(keys) or ():
        if isinstance(key, dict) and not (
            key.get("Status") == "Inactive"
            or key.get("disabled")
            or key.get("keyType") == "SYSTEM_MANAGED"
        ):
            yield str(key.get(name))


_SERVICE_ACCOUNT = "iam.projects.serviceAccounts.get"
_KEYS = {
    "iam:ListAccessKeys": ("AccessKeyMetadata", "AccessKeyId"),
    "iam.projects.serviceAccounts.keys.list": ("keys", "name"),
}
"""Calls that list the keys of an identity: the member that has them, and that of a key's name.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyMetadata.html
https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys
"""


_OF_A_NAME = r"[\w+=,.@-]"
"""Characters that names have; a longer name is another one's.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
