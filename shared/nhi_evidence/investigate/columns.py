"""The columns of `events`: one table for the local index, `query`, and the lake.

`path` is where the value is in a normalized record, so that any engine that reads the evidence
itself finds the same; several paths are tried in order.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Type(StrEnum):
    """The type of a column; each engine has its own word for it."""

    TEXT = "text"
    TEXTS = "texts"
    """A list of texts, in order; empty if there are none."""
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    """An instant, to the millisecond, UTC."""


class Column(msgspec.Struct, frozen=True):
    """One column."""

    name: str
    """Also the field of `Row`."""
    type: Type
    path: tuple[str, ...]
    """Attributes of the normalized record, dotted; empty if the value is in the line or object."""
    text: str
    """What it means, for the documentation."""


_T, _L = Type.TEXT, Type.TEXTS
CREDENTIAL_LABELS = ("api_key:", "key:", "token_id:")
"""Prefixes of an identity's labels that name a credential beside its own."""

COLUMNS = (
    Column("time", Type.TIME, ("time",), "the source's own event time, UTC"),
    Column("source", _T, (), "pack that mapped the record"),
    Column("provider", _T, ("cloud.provider",), "`AWS`, `GCP`, `Azure` ..."),
    Column("account", _T, ("cloud.account.uid",), "account, project or subscription of the log"),
    Column("region", _T, ("cloud.region",), "region of the log"),
    Column("uid", _T, ("metadata.uid",), "the source's native id of the record"),
    Column("correlation_uid", _T, ("metadata.correlation_uid",), "id that copies and parts share"),
    Column("service", _T, ("api.service.name",), "service, in the provider's words"),
    Column("operation", _T, ("api.operation",), "operation, in the provider's words"),
    Column("event_code", _T, ("metadata.event_code",), "the provider's type of event"),
    Column("class_uid", Type.INTEGER, ("class_uid",), "OCSF class"),
    Column("phase", _T, ("nhi_phase",), "effective phase"),
    Column("base_phase", _T, ("nhi_base_phase",), "what the operation means, whatever its outcome"),
    Column("sub_phase", _T, ("nhi_sub_phase",), "finer than the base phase"),
    Column("phase_rules", _L, ("nhi_phase_rules",), "rows that decided; `fallback:` is a guess"),
    Column("outcome", _T, ("nhi_outcome",), "success, denied, ... unknown"),
    Column("status_code", _T, ("status_code",), "the provider's own code"),
    Column("identity", _T, ("nhi.canonical_uid", "nhi.uid"), "who acted: canonical id, or own"),
    Column("identity_uid", _T, ("nhi.uid",), "who acted, in the provider's words"),
    Column("identity_name", _T, ("nhi.name",), "name of who acted; not unique"),
    Column("identity_type", _T, ("nhi.type",), "kind of identity"),
    Column("issuer", _T, ("nhi.issuer",), "who vouched for it"),
    Column("subject", _T, ("nhi.subject",), "as whom"),
    Column(
        "credential", _T, ("nhi.credential_uid",), "id of the credential used, never the secret"
    ),
    Column("credential_kind", _T, ("nhi.credential_kind",), "kind of credential"),
    Column("decision_rule", _T, ("nhi.decision_rule",), "rule that decided the identity"),
    Column("refinable_by", _L, ("nhi.refinable_by",), "rules that history could refine it by"),
    Column("issued", _L, ("nhi_issued_credential_uids",), "ids of credentials handed out"),
    Column("hops", _L, ("nhi_delegations",), "delegation chain, origin first"),
    Column(
        "hop_credentials",
        _L,
        ("nhi_delegations",),
        "credentials of the hops that name any, and those in the identity's labels",
    ),
    Column("mechanisms", _L, ("nhi_delegations",), "mechanism of each hop"),
    Column("is_agentic", Type.BOOLEAN, ("nhi.is_agentic",), "whether an AI agent, where known"),
    Column("invoked_by", _T, ("actor.invoked_by",), "service that called for the actor"),
    Column("ip", _T, ("src_endpoint.ip",), "caller's address; never a name"),
    Column("user_agent", _T, ("http_request.user_agent",), "what the caller says it is"),
    Column("targets", _L, ("resources",), "what was acted on: ids, or names"),
    Column("target_names", _L, ("resources",), "names of those that have an id, too"),
    Column("entity", _T, ("entity.uid",), "durable credential the operation was about"),
    Column("principal", _T, ("user.uid", "user.name"), "principal changed, assumed or granted to"),
    Column("labels", _L, ("metadata.labels",), "`split:1/2` and the like"),
    Column("raw_sha256", _T, ("raw_data_hash.value",), "SHA-256 of the exact raw record, hex"),
)
"""In the order of `Row`; where a record is (`place`) follows."""
