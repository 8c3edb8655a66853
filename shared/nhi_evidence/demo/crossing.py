"""Following one workload through the clouds by issuer and subject, from the evidence alone.

AWS states both in the record. Google Cloud states the subject and names the provider of a pool,
Azure names a federated credential: what is behind these names is stated once, in the record that
configured the trust. Sessions are followed by the ids of issued credentials. This takes a join of
records, so it is never done at ingest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nhi_evidence.demo.bucket import Object
from nhi_evidence.demo.show_clouds import NAMES
from nhi_evidence.terminal.safe_text import neutralize

_JOIN = "nhi:oidc:"
_CREDENTIALS = "FederatedIdentityCredentials"
_PROVIDERS = "/providers/"
_SERVICE = re.compile(r"^google\.[a-z0-9.]+\.(?:[A-Z]\w+\.)?")
"""The package and service before a method's name, for which the table has no room."""


class Followed(msgspec.Struct, frozen=True):
    """One action of the workload, and what links it to the workload."""

    time: str
    source: str
    operation: str
    outcome: str
    phase: str
    known_by: str


class _Record(NamedTuple):
    source: str
    event: dict[str, Any]
    raw: str


class _Trust(NamedTuple):
    """What an act of trust states is behind a name: an issuer, and perhaps one subject."""

    issuer: str
    subject: str | None
    since: str


def follow(objects: Sequence[Object], join_id: str) -> list[Followed]:
    """Return what the workload of an issuer and subject did, in time order."""
    records = sorted(_kept(objects), key=lambda record: record.event["time"])
    trusts = {name: trust for record in records for name, trust in _trusts(record)}
    sessions: set[str] = set()
    steps = []
    for record in records:
        known_by = _known_by(record.event["nhi"], join_id, trusts, sessions)
        if known_by is None:
            continue
        sessions.update(record.event.get("nhi_issued_credential_uids", ()))
        steps.append(
            Followed(
                time=_clock(record.event),
                source=record.source,
                operation=record.event["api"]["operation"],
                outcome=record.event["nhi_outcome"],
                phase=record.event["nhi_phase"],
                known_by=known_by,
            )
        )
    return steps


def show(out: Console, join_id: str, steps: Sequence[Followed]) -> None:
    """Show the workload's path through the clouds."""
    title = f"One CI job through the clouds: {join_id}"
    table = Table(box=box.SIMPLE, title=Text(neutralize(title)), title_justify="left")
    for column in ("time", "cloud", "operation", "outcome", "phase", "known by"):
        table.add_column(column, overflow="fold")
    for step in steps:
        name = NAMES.get(step.source, step.source)
        operation = _SERVICE.sub("", step.operation)
        cells = (step.time, name, operation, step.outcome, step.phase, step.known_by)
        table.add_row(*(Text(neutralize(cell)) for cell in cells))
    out.print(table)


def _kept(objects: Sequence[Object]) -> Iterator[_Record]:
    for stored in objects:
        for line in map(msgspec.json.decode, stored.lines):
            if "n" in line:
                yield _Record(stored.header.source, line["n"], line["r"])


def _known_by(
    nhi: dict[str, Any], join_id: str, trusts: dict[str, _Trust], sessions: set[str]
) -> str | None:
    subject, credential = nhi.get("subject"), nhi.get("credential_uid")
    if subject and _id(nhi.get("issuer", ""), subject) == join_id:
        return "issuer and subject"
    if credential in trusts and _behind(trusts, {credential}, subject) == {join_id}:
        return f"federated credential, trusted {trusts[credential].since}"
    # Any provider of a pool may have vouched: the issuer is known only if all have the same.
    providers = {name for name in trusts if _is_of(name, nhi.get("issuer", ""))}
    if subject and _behind(trusts, providers, subject) == {join_id}:
        return f"subject; provider trusted {min(trusts[name].since for name in providers)}"
    return f"session {credential}" if credential in sessions else None


def _behind(trusts: dict[str, _Trust], names: set[str], subject: str | None) -> set[str]:
    """Return the workloads behind names, given a subject where a name states none."""
    behind = [trusts[name] for name in names]
    return {_id(trust.issuer, trust.subject or subject or "") for trust in behind}


def _trusts(record: _Record) -> Iterator[tuple[str, _Trust]]:
    """Yield what an act of trust states: the name later records use, and what is behind it."""
    if record.source == "gcp_audit" and '"issuerUri"' in record.raw:
        payload = msgspec.json.decode(record.raw)["protoPayload"]
        oidc = payload["request"]["workloadIdentityPoolProvider"]["oidc"]
        yield payload["resourceName"], _Trust(oidc["issuerUri"], None, _clock(record.event))
    elif record.source == "azure_monitor" and _CREDENTIALS in record.raw:
        for target in msgspec.json.decode(record.raw)["properties"]["targetResources"]:
            for changed in target["modifiedProperties"]:
                if changed["displayName"] == _CREDENTIALS:
                    for relation in msgspec.json.decode(changed["newValue"]):
                        trust = _Trust(
                            relation["Issuer"], relation["Subject"], _clock(record.event)
                        )
                        yield relation["Id"], trust


def _is_of(provider: str, issuer: str) -> bool:
    """Whether an issuer is this provider, or the pool that holds it."""
    return issuer in {provider, provider.partition(_PROVIDERS)[0]}


def _id(issuer: str, subject: str) -> str:
    return f"{_JOIN}{issuer.removeprefix('https://')}|{subject}"


def _clock(event: dict[str, Any]) -> str:
    return str(event["metadata"]["original_time"])[11:19]
