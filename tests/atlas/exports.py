"""What arrives as files in S3: names that the providers' own references have, kept as inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nhi_evidence.catalog.atlas import Entry, Log
from tests.atlas.classify import entry, rows

DOCUMENTED = "documented"
_SWITCHED_ON = {"log": Log.DATA.value, "log_known": DOCUMENTED}
_API_REQUEST = "api.request"

_UNAUDITED = re.compile(
    r"\w+ (?:init|seal|seal-status|step-down|unseal|leader|health|rekey/(?:init|update|verify)"
    r"|rekey-recovery-key/(?:init|update|verify)|storage/raft/(?:bootstrap|join)"
    r"|internal/ui/feature-flags)"
)
"""Operations of `sys/` that go past every audit device: https://developer.hashicorp.com/vault/docs/audit"""


def github() -> list[Entry]:
    """Events of the audit log; requests of the API are one of them, and have to be switched on."""
    every = []
    for row in rows("github_actions.csv"):
        action = row["action"]
        log = Log.DATA if action == _API_REQUEST else Log.MANAGEMENT
        facts = {"log": log.value, "log_known": DOCUMENTED}
        every.append(entry("github_audit", action.partition(".")[0], action, **facts))
    return every


def okta() -> list[Entry]:
    """Event types of the System Log, which is always on."""
    facts = {"log": Log.MANAGEMENT.value, "log_known": DOCUMENTED, "target": "target"}
    return [
        entry("okta_system", name.partition(".")[0], name, **facts) for name in okta_event_types()
    ]


def okta_event_types() -> Iterator[str]:
    """Event types as the log spells them."""
    return (row["event_type"] for row in rows("okta_event_types.csv"))


def vault() -> list[Entry]:
    """Operations of the API's paths, by type of mount; no device records until one is enabled."""
    every = []
    for service, operation in vault_operations():
        facts = {**_SWITCHED_ON, "target": "request.path"}
        if service == "system" and _UNAUDITED.fullmatch(operation):
            facts["log"] = Log.NONE.value
        every.append(entry("vault_audit", service, operation, **facts))
    return every


def vault_operations() -> Iterator[tuple[str, str]]:
    """Type of mount and operation, as the pack spells both: a role's name is any."""
    for row in rows("vault_paths.csv"):
        path = re.sub(r"^role/[^/]+", "role/*", row["path"])
        for operation in row["operations"].split():
            yield row["mount"], f"{operation} {path}"


def kubernetes() -> list[Entry]:
    """Verbs of the API's resources; a cluster records none until its audit log is on."""
    facts = {**_SWITCHED_ON, "target": "objectRef"}
    return [entry("k8s_audit", *named, **facts) for named in kubernetes_operations()]


def kubernetes_operations() -> Iterator[tuple[str, str]]:
    """API group and operation."""
    for row in rows("kubernetes_resources.csv"):
        for verb in row["verbs"].split():
            yield row["group"], f"{verb} {row['resource']}"


def api_gateway() -> list[Entry]:
    """Methods a route can have; which paths there are is the API's own business."""
    facts = {**_SWITCHED_ON, "target": "routeKey"}
    return [
        entry("aws_api_gateway", "execute-api", row["route"], **facts)
        for row in rows("api_gateway_routes.csv")
    ]
