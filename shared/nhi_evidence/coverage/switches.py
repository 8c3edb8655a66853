"""Judge what has a single switch: clusters, audit devices, streams, event rules, access logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from nhi_evidence import plural
from nhi_evidence.coverage.answers import Answer, Reading
from nhi_evidence.coverage.aws import trails
from nhi_evidence.coverage.verdict import (
    Judgment,
    Verdict,
    all_accounts,
    all_of,
    of_accounts,
    unknown,
    weakened,
)

TAKING = "sts:AssumeRole"
EKS_CLUSTERS, EKS_CLUSTER = "eks:ListClusters", "eks:DescribeCluster"
_NO_CLUSTER = "there is no cluster: nothing shows that one would be recorded"
_NO_STAGE = "there is no stage: nothing shows that one would be recorded"
RULE = "events:DescribeRule"
VAULT_DEVICES = "GET sys/audit"
GITHUB_STREAMS = "GET enterprises/audit-log/streams"
GITHUB_API_EVENTS = "github:ApiRequestEvents"
OKTA_LOG = "GET api/v1/logs"
OKTA_STREAMS = "GET api/v1/logStreams"
MCP_HEARTBEAT = "mcp:Heartbeat"
_ALL_MANAGEMENT = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_ON = Verdict.CONFIGURED


def ingested_here(reading: Reading, source: str, judged: Judgment) -> Judgment:
    """Weaken a judgment from recorded to recorded here.

    What is recorded, but ingested by no source of the deployment, is recorded elsewhere: in the
    accounts that were looked at, and in no other.
    """
    deployment = reading.deployment()
    if deployment is None:
        return weakened(judged, Verdict.UNKNOWN, "what this deployment ingests is not known")
    if deployment.source(source) is None:
        reason = f"recorded there; this deployment has no source {source}"
        return weakened(judged, Verdict.ELSEWHERE, reason)
    return judged


def event_bus(reading: Reading) -> Judgment:
    """Judge whether an EventBridge rule forwards CloudTrail's read events as well."""
    rules = list(reading.ok(RULE))
    if not rules:
        return _unread(reading, RULE, "no rule of EventBridge was read")
    full = [rule for rule in rules if rule.answer.get("State") == _ALL_MANAGEMENT]
    names = tuple(rule.name for rule in rules)
    if full:
        name = full[0].answer.get("Name", "")
        reason = f"rule {name} passes reads on; delivery is best effort, so it is no evidence path"
        judged = Judgment(Verdict.ELSEWHERE, (reason,), answers=names)
        return of_accounts(judged, (rule.account for rule in full))
    states = ", ".join(sorted({str(rule.answer.get("State")) for rule in rules}))
    reason = f"no rule has the state {_ALL_MANAGEMENT} (found: {states})"
    judged = Judgment(Verdict.GAP, (reason,), ("reads on the event bus",), names)
    return of_accounts(judged, (rule.account for rule in rules))


def eks(reading: Reading, types: Sequence[str]) -> Judgment:
    """Judge whether every EKS cluster writes these log types."""
    wanted = {
        (answer.scope, str(name))
        for answer in reading.ok(EKS_CLUSTERS)
        for name in answer.answer["clusters"]
    }
    if not list(reading.ok(EKS_CLUSTERS)):
        return _unread(reading, EKS_CLUSTERS, "the clusters were not listed")
    unlisted = _unlisted(reading, EKS_CLUSTERS, "clusters")
    if not wanted:
        return unknown(*unlisted.values() or (_NO_CLUSTER,))
    judged: dict[str, list[Judgment]] = {
        account: [unknown(reason)] for account, reason in unlisted.items()
    }
    for scope, name in sorted(wanted):
        cluster = _cluster(reading.single(EKS_CLUSTER, scope, name=name), name, types)
        judged.setdefault(scope.partition("/")[0], []).append(cluster)
    return of_accounts(
        all_accounts({name: all_of(parts) for name, parts in judged.items()}), judged
    )


def _unlisted(reading: Reading, call: str, what: str) -> dict[str, str]:
    """Return each account in which a regional call did not list everything, and what is unknown.

    An account that was listed and has none is not in it; one that was never asked is.
    """
    listed = {answer.scope for answer in reading.ok(call)}
    enabled = trails.regions_of(reading)
    unread = {answer.scope for answer in reading.unread(call)}
    refused = [answer.account for answer in (*reading.unread(TAKING), *reading.unread(call))]
    result = {}
    for account in dict.fromkeys((*trails.estate(reading)[0], *refused)):
        wanted = {f"{account}/{region}" for region in enabled.get(account, ())}
        wanted |= {scope for scope in unread if scope.partition("/")[0] == account}
        if not any(scope.partition("/")[0] == account for scope in listed):
            result[account] = f"the {what} of account {account} were not listed"
        elif left := sorted(scope.partition("/")[2] for scope in wanted - listed):
            where = ", ".join(left)
            result[account] = f"the {what} of account {account} were not listed in {where}"
        elif account not in enabled:
            result[account] = f"account {account} may have more {what}: its regions were not listed"
    return result


def _cluster(answer: Answer | None, name: str, types: Sequence[str]) -> Judgment:
    if answer is None or answer.status != "ok":
        return unknown(f"cluster {name} could not be read")
    entries = answer.answer["cluster"].get("logging", {}).get("clusterLogging", ())
    on = {type_ for entry in entries if entry.get("enabled") for type_ in entry["types"]}
    missing = [type_ for type_ in types if type_ not in on]
    if missing:
        reason = f"cluster {name} does not write {', '.join(missing)}"
        return Judgment(Verdict.GAP, (reason,), (f"cluster {name}",), (answer.name,))
    reason = f"cluster {name} writes {', '.join(types)}"
    return Judgment(_ON, (reason,), answers=(answer.name,))


class _Apis(NamedTuple):
    """One of the two families of APIs, and what API Gateway calls the same things in it."""

    what: str
    listing: str
    stages: str
    api_id: str
    items: str
    name: str
    settings: str
    destination: str


REST = _Apis(
    *("REST APIs", "apigateway:GetRestApis", "apigateway:GetStages", "restApiId"),
    *("item", "stageName", "accessLogSettings", "destinationArn"),
)
HTTP = _Apis(
    *("HTTP and WebSocket APIs", "apigatewayv2:GetApis", "apigatewayv2:GetStages", "ApiId"),
    *("Items", "StageName", "AccessLogSettings", "DestinationArn"),
)
_Stage = tuple[_Apis, Answer, dict[str, Any]]


def api_gateway(reading: Reading) -> Judgment:
    """Judge whether every API Gateway stage has an access log: nothing else shows invalid keys."""
    listed = [(apis, answer) for apis in (REST, HTTP) for answer in reading.ok(apis.stages)]
    refused = next((apis for apis in (REST, HTTP) if reading.unread(apis.stages)), None)
    if refused is not None or not listed:
        return _unread(reading, (refused or REST).stages, "the stages were not listed")
    unlisted = _unlisted(reading, HTTP.listing, HTTP.what)
    unlisted |= _unlisted(reading, REST.listing, REST.what)
    stages = [
        (apis, answer, stage)
        for apis, answer in listed
        for stage in answer.answer.get(apis.items, ())
    ]
    if not stages:
        return unknown(*unlisted.values() or (_NO_STAGE,))
    judged: dict[str, list[Judgment]] = {
        account: [unknown(reason)] for account, reason in unlisted.items()
    }
    for account in dict.fromkeys(answer.account for _, answer, _ in stages):
        own = [each for each in stages if each[1].account == account]
        judged.setdefault(account, []).append(_stages(own))
    return of_accounts(
        all_accounts({name: all_of(parts) for name, parts in judged.items()}), judged
    )


def _stages(stages: Sequence[_Stage]) -> Judgment:
    names = tuple(dict.fromkeys(answer.name for _, answer, _ in stages))
    without = [
        f"stage {stage.get(apis.name)} of {answer.request.get(apis.api_id)}"
        for apis, answer, stage in stages
        if not stage.get(apis.settings, {}).get(apis.destination)
    ]
    if without:
        reason = f"{plural.count(len(without), 'stage')} without an access log"
        return Judgment(Verdict.GAP, (reason,), tuple(without), names)
    return Judgment(_ON, ("every stage of an API has an access log",), answers=names)


class _Device(msgspec.Struct):
    type: str = ""
    options: dict[str, str] = {}


def vault(reading: Reading, *, least: int, plain_accessor: bool) -> Judgment:
    """Judge whether audit devices record every request, in enough detail.

    A `filter` drops entries, so a device with one records an unknown share; `exclude` drops fields.
    """
    answer = reading.single(VAULT_DEVICES)
    if answer is None or answer.status != "ok":
        return _unread(reading, VAULT_DEVICES, "the audit devices were not read")
    body: dict[str, Any] = answer.answer.get("data", answer.answer)
    devices = msgspec.convert(
        {name: one for name, one in body.items() if isinstance(one, dict) and "type" in one},
        dict[str, _Device],
    )
    names = (answer.name,)
    if not devices:
        return Judgment(Verdict.GAP, ("there is no audit device",), ("every request",), names)
    unfiltered = {name: one for name, one in devices.items() if not one.options.get("filter")}
    if not unfiltered:
        reason = "every audit device has a filter, which drops entries"
        return Judgment(Verdict.GAP, (reason,), ("entries a filter drops",), names)
    if len(unfiltered) < least:
        reason = f"{len(unfiltered)} audit device records everything, and {least} are needed: "
        reason += "with one, its own removal is the last thing recorded"
        return Judgment(Verdict.GAP, (reason,), ("what follows its removal",), names)
    full = {name: one for name, one in unfiltered.items() if not one.options.get("exclude")}
    if not full:
        reason = "every audit device that records all entries excludes fields"
        return Judgment(Verdict.GAP, (reason,), ("fields that are excluded",), names)
    if plain_accessor and all(one.options.get("hmac_accessor") != "false" for one in full.values()):
        reason = "accessors are hashed, so that a token cannot be followed (hmac_accessor)"
        return Judgment(Verdict.GAP, (reason,), ("which token was made",), names)
    return Judgment(_ON, (f"audit devices {', '.join(sorted(full))}",), answers=names)


def github(reading: Reading, *, api_events: bool) -> Judgment:
    """Judge whether an enterprise streams its audit log, including API requests if needed."""
    answer = reading.single(GITHUB_STREAMS)
    if answer is None or answer.status in {"denied", "failed"}:
        return _unread(reading, GITHUB_STREAMS, "the streams were not read")
    streams = answer.answer if isinstance(answer.answer, list) else []
    if not any(stream.get("enabled") and not stream.get("paused_at") for stream in streams):
        reason = "no stream of the audit log is enabled and not paused"
        return Judgment(Verdict.GAP, (reason,), ("the audit log",), (answer.name,))
    on = Judgment(_ON, ("a stream of the audit log is enabled",), answers=(answer.name,))
    if not api_events:
        return on
    switch = reading.single(GITHUB_API_EVENTS)
    if switch is None or switch.status != "ok":
        reason = "whether API requests are streamed shows in the Enterprise's settings page alone"
        return unknown(reason, answers=(answer.name,))
    if not switch.answer.get("enabled"):
        reason = "API requests are not streamed"
        return Judgment(Verdict.GAP, (reason,), ("API requests",), (answer.name, switch.name))
    return on


def okta(reading: Reading) -> Judgment:
    """Judge whether Okta's System Log, which is always kept, leaves Okta by a log stream.

    If the log streams were not read, the log is only judged `reachable`: it may be pulled instead.
    """
    kept = reachable(reading, OKTA_LOG, "the System Log")
    answer = reading.single(OKTA_STREAMS)
    if kept.verdict is not _ON or answer is None:
        return kept
    names = (*kept.answers, answer.name)
    if answer.status != "ok":
        return unknown(f"the log streams were not read ({answer.error})", answers=names)
    if not isinstance(answer.answer, list):
        return unknown("the log streams were not read as a list", answers=names)
    streams = answer.answer
    active = [str(stream.get("name", "")) for stream in streams if stream["status"] == "ACTIVE"]
    if active:
        reason = f"log stream {', '.join(sorted(active))} is active"
        return Judgment(_ON, (reason,), answers=names)
    reason = "no log stream is active: Okta keeps its log for 90 days, and it does not come here"
    return Judgment(Verdict.ELSEWHERE, (reason,), ("the System Log",), names)


def reachable(reading: Reading, call: str, what: str) -> Judgment:
    """Judge a log that its product always keeps: all that is needed is that it can be read."""
    answer = reading.single(call)
    if answer is None or answer.status in {"denied", "failed"}:
        return _unread(reading, call, f"{what} was not read")
    if answer.status == "absent" or (
        isinstance(answer.answer, dict) and answer.answer.get("enabled") is False
    ):
        reason = f"{what} is switched off"
        return Judgment(Verdict.GAP, (reason,), (what,), (answer.name,))
    return Judgment(_ON, (f"{what} is there to be read",), answers=(answer.name,))


def _unread(reading: Reading, call: str, reason: str) -> Judgment:
    refused = reading.unread(call)
    code = f" ({refused[0].error})" if refused and refused[0].error else ""
    return unknown(reason + code, answers=tuple(answer.name for answer in refused))
