"""Sinks: whether all of a project's audit entries are exported to us."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.gcp import log_filter
from nhi_evidence.coverage.gcp.log_filter import Entry, FilterError
from nhi_evidence.coverage.verdict import Judgment, Verdict, unknown

SINKS = "logging.sinks.list"
SOURCE = "gcp_audit"
_SEVERITIES = {"data_access": ("INFO", "ERROR"), "activity": ("NOTICE", "ERROR"),
               "policy": ("ERROR",), "system_event": ("INFO",)}  # fmt: skip
"""Severities of a log's audit entries: of calls that succeed and of calls that fail."""


class _Exclusion(msgspec.Struct):
    name: str
    filter: str = ""
    disabled: bool = False


class _Sink(msgspec.Struct, rename="camel"):
    name: str
    destination: str
    filter: str = ""
    disabled: bool = False
    include_children: bool = False
    intercept_children: bool = False
    exclusions: tuple[_Exclusion, ...] = ()


class _Sinks(msgspec.Struct):
    sinks: tuple[_Sink, ...] = ()


def judge(reading: Reading, ancestors: Sequence[str], log: str, service: str) -> Judgment:
    """Judge whether all of a service's entries in a project's audit log are exported to us.

    Raises `msgspec.ValidationError` for a malformed answer.
    """
    project = ancestors[0]
    read = [(at, reading.single(SINKS, at)) for at in ancestors]
    names = tuple(answer.name for _, answer in read if answer is not None)
    deployment = reading.deployment()
    if deployment is None:
        return unknown("what this deployment ingests is not known", answers=names)
    source = deployment.source(SOURCE)
    destinations = source.destinations if source else ()
    best: list[tuple[str, ...]] = []
    intercepted = ""
    is_unread_above = False
    for at, answer in reversed(read):  # from the top down: a sink above may keep entries to itself
        if answer is None or answer.status != "ok":
            is_unread_above = True
            continue
        for sink in msgspec.convert(answer.answer, _Sinks).sinks:
            if sink.disabled or (at != project and not sink.include_children):
                continue
            if sink.destination in destinations and not intercepted:
                losses = _losses(sink, project, log, service)
                if not losses and not is_unread_above:
                    by = f"{project}: sink {sink.name} of {at}"
                    return Judgment(Verdict.CONFIGURED, (by,), answers=names)
                if losses:
                    best.append(losses)
        intercepted = intercepted or _intercepting(reading, at, project)
    unread = [at for at, answer in read if answer is None or answer.status != "ok"]
    judged = _not_all(project, log, best, unread, intercepted)
    return msgspec.structs.replace(judged, answers=names)


def _not_all(
    project: str,
    log: str,
    losses: Sequence[tuple[str, ...]],
    unread: Sequence[str],
    intercepted: str,
) -> Judgment:
    """Judge a project for which none of our sinks exports every entry."""
    lost = (f"entries of {log} in {project}",)
    if unread:
        return unknown(f"{project}: the sinks of {', '.join(unread)} could not be read")
    if losses:
        fewest = min(losses, key=len)
        if any("cannot be decided" in loss for loss in fewest):
            return unknown(*fewest)
        return Judgment(Verdict.GAP, fewest, lost)
    why = f"a sink of {intercepted} keeps them" if intercepted else "no sink brings them here"
    reason = f"{project}: {log} entries stay in Cloud Logging; {why}"
    return Judgment(Verdict.ELSEWHERE, (reason,), lost)


def _intercepting(reading: Reading, at: str, project: str) -> str:
    """Return `at` if a sink there intercepts entries from the sinks below it, else empty."""
    answer = reading.single(SINKS, at)
    if at == project or answer is None or answer.status != "ok":
        return ""
    sinks = msgspec.convert(answer.answer, _Sinks).sinks
    return at if any(sink.intercept_children and not sink.disabled for sink in sinks) else ""


def _losses(sink: _Sink, project: str, log: str, service: str) -> tuple[str, ...]:
    """Return what one of our sinks leaves out; empty if it exports every entry."""
    losses = []
    for severity in _SEVERITIES[log]:
        entry = _entry(project, log, service, severity)
        kind = "failed calls" if severity == "ERROR" else "calls that succeed"
        try:
            if log_filter.holds(sink.filter, entry) is not True:
                losses.append(f"{project}: the filter of sink {sink.name} leaves out {kind}")
            losses += [
                f"{project}: exclusion {exclusion.name} of sink {sink.name} drops {kind}"
                for exclusion in sink.exclusions
                if not exclusion.disabled and log_filter.holds(exclusion.filter, entry) is not False
            ]
        except FilterError as error:
            losses.append(f"{project}: a filter of sink {sink.name} cannot be decided: {error}")
    return tuple(losses)


def _entry(project: str, log: str, service: str, severity: str) -> Entry:
    name = f"cloudaudit.googleapis.com/{log}"
    return {
        "logName": f"{project}/logs/{name}",
        "log_id": name,
        "severity": severity,
        "protoPayload.serviceName": service,
        "protoPayload.@type": "type.googleapis.com/google.cloud.audit.AuditLog",
    }
