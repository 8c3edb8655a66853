"""Does every value of an output have support in its raw record? The scan against invention."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from tests.cases.reader import at

CONSTANT = {
    ("class_name",),
    ("category_name",),
    ("activity_name",),
    ("status",),
    ("metadata", "version"),
    ("metadata", "profiles"),
    ("metadata", "extensions"),
    ("metadata", "product"),
    ("metadata", "log_name"),
    ("cloud", "provider"),
    ("nhi", "type"),
    ("nhi", "credential_kind"),
    ("nhi", "decision_rule"),
    ("nhi", "refinable_by"),
    ("nhi", "labels"),
    ("nhi_phase",),
    ("nhi_base_phase",),
    ("nhi_sub_phase",),
    ("nhi_phase_rules",),
    ("nhi_phase_refinable_by",),
    ("nhi_outcome",),
    ("raw_data_hash",),
    ("user", "type"),
    ("entity", "type"),
    ("entity", "user", "type"),
    ("databucket", "type"),
    ("metadata", "labels"),
}
"""Attributes whose text is ours by design: captions, names of rules, the schema's version."""

NAMED_IN_IDS = {
    *("aws", "role", "user", "root"),
    *("gcp", "sa", "wif", "subject", "agent"),
    *("entra", "sp"),
    *("k8s", "oidc"),
}
"""Words a canonical id puts between the record's own (`nhi:aws:<account>:role/<id>`)."""

_COMPOSED = {("api", "operation"), ("metadata", "uid")}
"""Attributes put together from texts of the record: a method and a path, an id and its stage."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d")

_NAMED_BY_US = {"mechanism", "type"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def unsupported(
    record: dict[str, Any], raw: Any, failure: Mapping[str, Any] = MappingProxyType({})
) -> list[str]:
    """Return every text and time of an output that its raw record does not hold.

    `failure` says where a record of this source states a failure without a code (`pack.toml`).
    """
    product = record["metadata"]["product"]
    texts = {*_texts(raw), *(name.lower() for name in product.values())}
    for name, value in raw.items() if isinstance(raw, dict) else ():
        if name.lower() == "isinteractive":  # names are read in any case
            texts.add("SignInLogs" if value else "NonInteractiveUserSignInLogs")
    joined = "\n".join(texts)
    missing = []
    for path, value in _leaves(record):
        pieces = _pieces(path, value)
        if not _is_ours(path) and not (
            (isinstance(value, str) and _holds(texts, joined, value))
            or all(_holds(texts, joined, one) for one in pieces if isinstance(one, str))
        ):
            missing.append(f"{'.'.join(path)} = {value!r}")
        if path[-1] in {"time", "created_time", "expiration_time"} and not _time_holds(
            joined, value
        ):
            missing.append(f"{'.'.join(path)} = {value!r}")
    status, code = record["status_id"], record.get("status_code")
    if status == 1 and code and "DryRun" not in code:
        missing.append(f"success with status_code {code}: an Outcome of SUCCESS has no code")
    if status == 2 and not code and not _states_failure(raw, failure):
        missing.append(
            "failure the record does not state: it has no code, and nothing that `failure` in"
            " tests/cases/<source>/pack.toml names"
        )
    return missing


def _pieces(path: tuple[str, ...], value: Any) -> list[Any]:
    if path in _COMPOSED and isinstance(value, str):
        return re.split(r"[ /]", value)
    return [value]


def _is_ours(path: tuple[str, ...]) -> bool:
    return any(path[: len(one)] == one for one in CONSTANT) or (
        (path[-1] in _NAMED_BY_US and path[0] in {"nhi_delegations", "resources", "unmapped"})
        or (path[0] == "observables" and path[-1] in {"name", "type"})
        or path == ("unmapped", "session_credential_from_console")
    )


def _holds(texts: set[str], joined: str, value: str) -> bool:
    """Whether a value is there itself, as part of a text, or as an id put together of such."""
    if value in texts or value in joined:
        return True
    if "|" in value and not value.startswith("nhi:"):
        return all(part in texts for part in value.split("|"))
    if value.startswith("nhi:oidc:"):
        return all(part in joined for part in value.removeprefix("nhi:oidc:").split("|", 1))
    pieces = value.removeprefix("nhi:").replace("|", ":").split(":")
    in_lower_case = joined.lower() if value.startswith(("nhi:entra:", "nhi:k8s:")) else joined
    return value.startswith("nhi:") and all(
        part in joined or part in in_lower_case or part in NAMED_IN_IDS
        for piece in pieces
        for part in piece.split("/")
    )


def _time_holds(joined: str, value: int) -> bool:
    if str(value) in joined or (value % 1000 == 0 and str(value // 1000) in joined):
        return True
    moment = _EPOCH + timedelta(milliseconds=value)
    return (
        moment.strftime("%Y-%m-%dT%H:%M:%S") in joined
        or moment.strftime("%Y-%m-%d %H:%M:%S") in joined
        or moment.strftime("%b %-d, %Y, %-I:%M:%S %p") in joined
        or any(
            moment == datetime.fromisoformat(text).replace(microsecond=moment.microsecond)
            for text in _INSTANT.findall(joined)
        )
    )


def _states_failure(raw: Any, failure: Mapping[str, Any]) -> bool:
    if any(at(raw, path) == value for path, value in failure.items()):
        return True
    return any(states(raw) for states in _STATES_FAILURE)


def _states_trail_failure(raw: Any) -> bool:
    response = str([raw.get("responseElements"), raw.get("serviceEventDetails")])
    failed = "Failure" in response or "'isError': True" in response
    return bool(raw.get("errorCode") or raw.get("errorMessage")) or failed


def _states_activity_failure(raw: Any) -> bool:
    words = (raw.get("resultType"), raw.get("status"))
    return any(word in str(words) for word in ("Failure", "Failed"))


def _states_audit_failure(raw: Any) -> bool:
    audit = raw.get("protoPayload")
    if not isinstance(audit, dict):
        return False
    permissions = audit.get("authorizationInfo") or ()
    return (
        any(one.get("granted") is False for one in permissions)
        or str(raw.get("logName")).endswith("policy")
        or str(audit.get("methodName")).endswith("loginFailure")
    )


def _states_vault_failure(raw: Any) -> bool:
    auth = raw.get("auth")
    results = auth.get("policy_results") if isinstance(auth, dict) else None
    return bool(raw.get("error")) or (results or {}).get("allowed") is False


_STATES_FAILURE = (
    _states_trail_failure,
    _states_audit_failure,
    _states_activity_failure,
    _states_vault_failure,
)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)
        if isinstance(value, str) and value.startswith("{"):
            yield from _texts_inside(value)


def _texts_inside(value: str) -> Iterator[str]:
    """Yield the texts of a record within a text: there, a character may be written escaped."""
    try:
        inside = json.loads(value)
    except (ValueError, RecursionError):
        return
    yield from _texts(inside)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, (*path, name))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path, value
