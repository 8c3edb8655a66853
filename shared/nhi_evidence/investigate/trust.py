"""Acts of trust: which workload is behind a name that later records use.

AWS states issuer and subject in the record. Google Cloud states the subject and names a pool's
provider, and Entra names a federated credential: what is behind these names is stated only once,
in the record of the act that set up the trust (docs/decisions/0031).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from nhi_evidence.investigate.row import Row

JOIN = "nhi:oidc:"
"""Prefix of the id that is the same in every cloud; issuer, `|` and subject follow."""

_PROVIDERS = "/providers/"
_MARKS = {
    "gcp_audit": b"issuerUri",
    "azure_entra": b"FederatedIdentityCredentials",
    "azure_monitor": b"FederatedIdentityCredentials",
}
"""Text that the raw record of an act of trust contains, by pack; no other pack has any."""
SOURCES = tuple(_MARKS)
"""Packs whose records may be acts of trust."""
TEXTS = tuple(dict.fromkeys(_MARKS.values()))
"""Texts of which the raw record of an act of trust contains at least one."""
_CREDENTIALS = "FederatedIdentityCredentials"


class Trust(msgspec.Struct, frozen=True):
    """What an act of trust states: the name later records use, and who is behind it."""

    name: str
    issuer: str
    subject: str | None
    """None where the act trusts every subject of the issuer."""
    time: int
    """Time of the act, milliseconds since the epoch, UTC."""


def may_state(source: str, text: bytes) -> bool:
    """Whether the text of a pack's record, quoted or not, may be an act of trust."""
    mark = _MARKS.get(source)
    return mark is not None and mark in text


def trusts(row: Row, raw: bytes) -> Iterator[Trust]:
    """Yield what a record's exact raw text states about trust; nothing if it is malformed."""
    if row.outcome != "success" or not may_state(row.source, raw):
        return
    try:
        if row.source == "gcp_audit":
            yield from _pool_provider(raw, row.time)
        else:
            yield from _federated_credentials(raw, row.time)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return


class _Oidc(msgspec.Struct, rename="camel"):
    issuer_uri: str


class _PoolProvider(msgspec.Struct):
    oidc: _Oidc


class _Request(msgspec.Struct, rename="camel"):
    workload_identity_pool_provider: _PoolProvider


class _Payload(msgspec.Struct, rename="camel"):
    resource_name: str
    request: _Request


class _Entry(msgspec.Struct, rename="camel"):
    proto_payload: _Payload


def _pool_provider(raw: bytes, time: int) -> Iterator[Trust]:
    payload = msgspec.json.decode(raw, type=_Entry).proto_payload
    issuer = payload.request.workload_identity_pool_provider.oidc.issuer_uri
    yield Trust(payload.resource_name, issuer, None, time)


class _Modified(msgspec.Struct, rename="camel"):
    display_name: str | None = None
    new_value: str | None = None


class _Target(msgspec.Struct, rename="camel"):
    modified_properties: tuple[_Modified, ...] | None = None


class _Properties(msgspec.Struct, rename="camel"):
    target_resources: tuple[_Target, ...]


class _Audit(msgspec.Struct):
    properties: _Properties


class _FederatedCredential(msgspec.Struct, rename="pascal"):
    id: str
    issuer: str
    subject: str | None = None


def _federated_credentials(raw: bytes, time: int) -> Iterator[Trust]:
    for target in msgspec.json.decode(raw, type=_Audit).properties.target_resources:
        for changed in target.modified_properties or ():
            if changed.display_name == _CREDENTIALS and changed.new_value:
                for credential in msgspec.json.decode(
                    changed.new_value, type=tuple[_FederatedCredential, ...]
                ):
                    yield Trust(credential.id, credential.issuer, credential.subject, time)


def workload_id(issuer: str, subject: str) -> str:
    """Return a workload's id across all clouds; the issuer lacks `https://`, as AWS names it."""
    return f"{JOIN}{issuer.removeprefix('https://')}|{subject}"


class Known(msgspec.Struct, frozen=True):
    """The workload behind the actor of a record, and how it is known."""

    workload: str
    by: str
    since: int | None
    """Time of the first act of trust that says so, milliseconds since the epoch; None if the
    record itself does."""


class Trusts:
    """All acts of trust, to look up who is behind the actor of a record."""

    def __init__(self, trusts: Iterable[Trust]) -> None:
        """Index acts of trust, given in any order."""
        self._by_name: dict[str, list[Trust]] = {}
        for trust in sorted(trusts, key=lambda each: each.time):
            self._by_name.setdefault(trust.name, []).append(trust)
        self._by_issuer: dict[str, list[str]] = {}
        """Providers, by what a record may name as the issuer: the provider, or its pool."""
        for name in self._by_name:
            for issuer in dict.fromkeys((name, name.partition(_PROVIDERS)[0])):
                self._by_issuer.setdefault(issuer, []).append(name)

    def behind(self, row: Row) -> Known | None:
        """Return the workload behind the actor of a record.

        None if nothing is known, or if acts of trust disagree: in a pool any provider may have
        vouched, so it is known who did only if all lead to one workload.
        """
        if row.identity and row.identity.startswith(JOIN):
            return Known(row.identity, "issuer and subject", None)
        if row.credential in self._by_name:
            return self._agreed(row, [row.credential], f"federated credential {row.credential}")
        if not row.subject:
            return None
        providers = self._by_issuer.get(row.issuer or "", ())
        return self._agreed(row, providers, "subject, of a provider")

    def names_of(self, workload: str) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
        """Return how records may name a workload: federated credentials, and issuer and subject."""
        issuer, _, subject = workload.removeprefix(JOIN).partition("|")
        pairs = {(issuer, subject), (f"https://{issuer}", subject)}
        credentials = set()
        for name, known in self._by_name.items():
            for trust in known:
                if trust.issuer.removeprefix("https://") != issuer:
                    continue
                if trust.subject is None:
                    pairs |= {(name, subject), (name.partition(_PROVIDERS)[0], subject)}
                elif trust.subject == subject:
                    credentials.add(name)
        return frozenset(credentials), frozenset(pairs)

    def _agreed(self, row: Row, names: Sequence[str], by: str) -> Known | None:
        named = [trust for name in names for trust in self._by_name[name] if trust.time <= row.time]
        known = [trust for trust in named if trust.subject or row.subject]
        behind = {workload_id(each.issuer, each.subject or row.subject or "") for each in known}
        if len(behind) != 1 or len(known) != len(named):
            return None
        return Known(behind.pop(), by, min(trust.time for trust in known))
