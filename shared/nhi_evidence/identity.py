"""Who acted, and through whom: the kinds of identity and the hops of a delegation chain."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import msgspec


class IdentityKind(IntEnum):
    """Kinds of identity (`nhi.type_id`)."""

    UNKNOWN = 0
    LONG_LIVED_KEY = 1
    TEMPORARY_SESSION = 2
    WORKLOAD_INSTANCE = 3
    K8S_SERVICE_ACCOUNT = 4
    FEDERATED_WORKLOAD = 5
    CLOUD_SERVICE_PRINCIPAL = 6
    MANAGED_IDENTITY = 7
    APPLICATION = 8
    APPLICATION_OBO = 9
    API_TOKEN = 10
    MACHINE_KEY = 11
    CI_JOB = 12
    PROVIDER_SERVICE = 13
    CERTIFICATE_WORKLOAD = 14
    AI_AGENT = 15
    AI_AGENT_USER = 16
    ROOT_OR_BREAK_GLASS = 17
    HUMAN = 18
    HUMAN_PROGRAMMATIC = 19
    ANONYMOUS = 20
    UNATTRIBUTED_TOKEN = 21


CAPTIONS: Mapping[IdentityKind, str] = {
    IdentityKind.UNKNOWN: "Unknown",
    IdentityKind.LONG_LIVED_KEY: "Long-lived Access Key",
    IdentityKind.TEMPORARY_SESSION: "Temporary Session",
    IdentityKind.WORKLOAD_INSTANCE: "Workload Instance",
    IdentityKind.K8S_SERVICE_ACCOUNT: "Kubernetes Service Account",
    IdentityKind.FEDERATED_WORKLOAD: "Federated Workload",
    IdentityKind.CLOUD_SERVICE_PRINCIPAL: "Cloud Service Principal",
    IdentityKind.MANAGED_IDENTITY: "Managed Identity",
    IdentityKind.APPLICATION: "Application",
    IdentityKind.APPLICATION_OBO: "Application on Behalf of User",
    IdentityKind.API_TOKEN: "API Token",
    IdentityKind.MACHINE_KEY: "Deploy or Machine Key",
    IdentityKind.CI_JOB: "CI Job",
    IdentityKind.PROVIDER_SERVICE: "Provider Service",
    IdentityKind.CERTIFICATE_WORKLOAD: "Certificate Workload",
    IdentityKind.AI_AGENT: "AI Agent",
    IdentityKind.AI_AGENT_USER: "AI Agent User",
    IdentityKind.ROOT_OR_BREAK_GLASS: "Root or Break-glass",
    IdentityKind.HUMAN: "Human",
    IdentityKind.HUMAN_PROGRAMMATIC: "Human via Programmatic Credential",
    IdentityKind.ANONYMOUS: "Anonymous",
    IdentityKind.UNATTRIBUTED_TOKEN: "Unattributed Token",
}
"""Name of a kind in records (`nhi.type`)."""


class Mechanism(IntEnum):
    """How a hop obtained or passed on its authority (`nhi_delegations[].mechanism_id`)."""

    UNKNOWN = 0
    ASSUME_ROLE = 1
    WEB_IDENTITY = 2
    SAML = 3
    IMPERSONATION = 4
    TOKEN_EXCHANGE = 5
    ON_BEHALF_OF = 6
    INSTANCE_METADATA = 7
    PROVIDER_FORWARD_ACCESS = 8
    KEY_USE = 9
    K8S_IMPERSONATION = 10
    AGENT_INVOCATION = 11
    SESSION_MINT = 12
    OTHER = 99


MECHANISMS: Mapping[Mechanism, str] = {
    Mechanism.UNKNOWN: "Unknown",
    Mechanism.ASSUME_ROLE: "Assume Role",
    Mechanism.WEB_IDENTITY: "Web Identity Federation",
    Mechanism.SAML: "SAML Federation",
    Mechanism.IMPERSONATION: "Impersonation",
    Mechanism.TOKEN_EXCHANGE: "Token Exchange",
    Mechanism.ON_BEHALF_OF: "On Behalf Of",
    Mechanism.INSTANCE_METADATA: "Instance Metadata",
    Mechanism.PROVIDER_FORWARD_ACCESS: "Provider Forward Access",
    Mechanism.KEY_USE: "Key Use",
    Mechanism.K8S_IMPERSONATION: "Kubernetes Impersonation",
    Mechanism.AGENT_INVOCATION: "Agent Invocation",
    Mechanism.SESSION_MINT: "Session Mint",
    Mechanism.OTHER: "Partner Delegation",
}
"""Name of a mechanism in records (`nhi_delegations[].mechanism`)."""


class Identity(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Who acted, and which rule decided that (OCSF extension object `nhi_identity`)."""

    type_id: int
    type: str
    name: str | None = None
    uid: str | None = None
    canonical_uid: str | None = None
    credential_uid: str | None = None
    credential_kind: str | None = None
    issuer: str | None = None
    subject: str | None = None
    is_agentic: bool | None = None
    decision_rule: str
    refinable_by: tuple[str, ...] = ()
    """Rules that could decide more with history or inventory; never applied at ingest."""
    labels: tuple[str, ...] = ()
    root_uid: str | None = None
    is_chain_complete: bool | None = None


class Hop(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One hop of a delegation chain, 0 the origin (OCSF extension object `nhi_delegation_hop`)."""

    hop: int
    uid: str
    canonical_uid: str | None = None
    credential_uid: str | None = None
    mechanism_id: int
    mechanism: str
    issuer: str | None = None
    created_time: int | None = None


def decided(kind: IdentityKind, rule: str, **attributes: Any) -> Identity:
    """Return the identity a rule decided on; `attributes` are those of `Identity`."""
    return Identity(type_id=kind.value, type=CAPTIONS[kind], decision_rule=rule, **attributes)


def chain_hop(position: int, uid: str, mechanism: Mechanism, **attributes: Any) -> Hop:
    """Return a hop of a chain; `attributes` are those of `Hop`."""
    return Hop(
        hop=position,
        uid=uid,
        mechanism_id=mechanism.value,
        mechanism=MECHANISMS[mechanism],
        **attributes,
    )


def acting_hop(position: int, actor: Identity) -> Hop:
    """Return the last hop of a chain: the actor itself, by its key where the record names one."""
    mechanism = Mechanism.KEY_USE if actor.credential_uid else Mechanism.UNKNOWN
    return Hop(
        hop=position,
        uid=actor.uid or "",
        canonical_uid=actor.canonical_uid,
        credential_uid=actor.credential_uid,
        mechanism_id=mechanism.value,
        mechanism=MECHANISMS[mechanism],
    )


def with_unusable(identity: Identity, names: tuple[str, ...]) -> Identity:
    """Name in an identity's labels the attributes of its record whose shape could not be read."""
    if not names:
        return identity
    labels = tuple(f"unusable:{name}" for name in names)
    return msgspec.structs.replace(identity, labels=identity.labels + labels)
