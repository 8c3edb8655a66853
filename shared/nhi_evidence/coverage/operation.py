"""One operation: is it recorded here, by what, and how is that known? Built on the atlas."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from nhi_evidence.catalog.atlas import Log
from nhi_evidence.catalog.atlas.explanation import Explanation, explain
from nhi_evidence.coverage import history, judges
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.cells import Cell, Step, cells
from nhi_evidence.coverage.changes import Change
from nhi_evidence.coverage.judges import Subject
from nhi_evidence.coverage.verdict import Judgment, Verdict, unknown
from nhi_evidence.errors import CatalogError

_PLATFORMS = {"aws_cloudtrail": "aws", "gcp_audit": "gcp", "azure_activity": "azure",
              "azure_entra": "entra", "azure_resource": "azure"}  # fmt: skip
_DOCUMENTED = "documented"
_READ_TYPES = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")


class Answered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known about one operation of one service."""

    service: str
    operation: str
    pack: str
    """The source pack that reads its records."""
    verdict: Verdict
    by: str
    """What records it, in words."""
    log: str
    """Class of log, according to the atlas."""
    log_known: str
    """How the class of log is known; empty where it is not."""
    phase: str
    known: str
    """How the phase is known."""
    reasons: tuple[str, ...]
    missing: tuple[str, ...] = ()
    read_at: int | None = None
    cells: tuple[str, ...] = ()
    """Ids of curated cells that name the operation."""

    def sentence(self, who: str, when: str) -> str:
        """Return the answer in one sentence."""
        name = f"{self.service}:{self.operation}" if self.service else self.operation
        return f"{name} by {who} at {when}: {_SAYS[self.verdict]}: {self.reasons[0]}."


_SAYS = {
    Verdict.PROVEN: "would have been recorded here, as a canary showed",
    Verdict.CONFIGURED: "would have been recorded here, as the settings were read",
    Verdict.BROKEN: "should have been recorded here, but a canary shows that it is not",
    Verdict.GAP: "would not have been recorded, or not every one",
    Verdict.IMPOSSIBLE: "is never recorded",
    Verdict.ELSEWHERE: "would have been recorded elsewhere, but not in this evidence",
    Verdict.UNKNOWN: "whether it would have been recorded is not known",
}


def operations(
    name: str,
    readings: Sequence[Reading],
    *,
    subject: Subject,
    resource: str | None = None,
) -> tuple[Answered, ...]:
    """Judge an operation, in every service that has it, by each platform's last reading.

    `resource` narrows an AWS data event to an ARN. Pass the readings up to the time in question.
    Raises `CatalogError` when a table cannot be read.
    """
    newest = {one.platform: one for one in sorted(readings, key=lambda reading: reading.at)}
    return tuple(_answered(each, newest, subject, resource) for each in explain(name))


def at_time(
    name: str,
    readings: Sequence[Reading],
    changes: Sequence[Change],
    at: int,
    *,
    subject: Subject,
    resource: str | None = None,
) -> tuple[Answered, ...]:
    """Judge an operation at an instant, as `history` judges cells.

    An earlier reading holds only if a later one, close enough, agrees, or if a record, close
    enough, says that it changed after the instant: otherwise nobody knows what was set then.
    """
    before = [one for one in readings if one.at <= at]

    def answered(until: int) -> tuple[Answered, ...]:
        earlier = [one for one in changes if one.at <= until]
        standing = tuple(history.newest(before, earlier).values())
        return operations(name, standing, subject=subject, resource=resource)

    answers = answered(at)
    later = [one for one in readings if one.at > at]
    result = []
    for place, answer in enumerate(answers):
        platform = judges.reader_of(_PLATFORMS.get(answer.pack, answer.pack))
        following = min(
            (reading for reading in later if reading.platform == platform),
            key=lambda reading: reading.at,
            default=None,
        )
        end = at if following is None else following.at
        changed = any(
            at < change.at < min(end, (answer.read_at or 0) + history.APART_MS)
            and change.platform == platform
            and _stated(answered(change.at)[place]) != _stated(answer)
            for change in changes
        )
        result.append(answer if changed else _confirmed(answer, following, name, subject, resource))
    return tuple(result)


def _stated(answer: Answered) -> tuple[Verdict, tuple[str, ...]]:
    return answer.verdict, answer.reasons


def _confirmed(
    answer: Answered, following: Reading | None, name: str, subject: Subject, resource: str | None
) -> Answered:
    if answer.read_at is None or answer.verdict in {Verdict.UNKNOWN, Verdict.IMPOSSIBLE}:
        return answer
    if following is None:
        reason = f"{answer.verdict} when last read, before it; no later reading says the same"
    elif following.at - answer.read_at > history.APART_MS:
        reason = f"{answer.verdict} when last read, and the next reading is too far from it"
    else:
        then = operations(name, (following,), subject=subject, resource=resource)
        same = (answer.service, answer.operation)
        verdict = next(each.verdict for each in then if (each.service, each.operation) == same)
        if verdict is answer.verdict:
            return answer
        reason = f"{answer.verdict} when last read and {verdict} when read next"
    return msgspec.structs.replace(
        answer, verdict=Verdict.UNKNOWN, reasons=(reason, *answer.reasons), missing=()
    )


def _answered(
    explained: Explanation,
    newest: dict[str, Reading],
    subject: Subject,
    resource: str | None,
) -> Answered:
    platform = _PLATFORMS.get(explained.pack, explained.pack)
    reading = newest.get(judges.reader_of(platform))
    by, judged = _judged(explained, platform, reading, subject, resource)
    judged = _no_guess(explained, judged)
    return Answered(
        service=explained.service,
        operation=explained.operation,
        pack=explained.pack,
        verdict=judged.verdict,
        by=by,
        log=explained.log,
        log_known=explained.log_known,
        phase=explained.phase,
        known=explained.known,
        reasons=judged.reasons,
        missing=judged.missing,
        read_at=None if reading is None else reading.at,
        cells=tuple(_curated(explained, platform)),
    )


def _no_guess(explained: Explanation, judged: Judgment) -> Judgment:
    """Claim a record only where the operation is documented to leave one."""
    if judged.verdict is not Verdict.CONFIGURED or explained.log_known == _DOCUMENTED:
        return judged
    reason = f"the settings record {explained.log} events; that this operation makes one is "
    reason += f"not documented (its class is known by: {explained.log_known or 'nothing'})"
    return unknown(reason, *judged.reasons, answers=judged.answers)


def _judged(
    explained: Explanation,
    platform: str,
    reading: Reading | None,
    subject: Subject,
    resource: str | None,
) -> tuple[str, Judgment]:
    if not explained.in_atlas and not explained.ref:
        return "nothing known", unknown("no pinned source names the operation")
    if explained.log == Log.NONE:
        reason = "no log has it: reads through Azure Resource Manager are never written"
        return "no log", Judgment(Verdict.IMPOSSIBLE, (reason,))
    if explained.log == Log.UNKNOWN:
        return "a log that is not known", unknown("which class of log records it is unknown")
    if reading is None:
        return f"{platform}, {explained.log} log", unknown(f"no reading of {platform}")
    makers = {"aws": _aws, "gcp": _gcp, "azure": _azure, "entra": _entra}
    return makers[platform](explained, reading, subject, resource)


def _aws(
    explained: Explanation, reading: Reading, subject: Subject, resource: str | None
) -> tuple[str, Judgment]:
    """Judge as a read and as a write: only the record says which it is; IAM's level does not."""
    name = explained.recorded_as or explained.operation
    base: dict[str, Any] = {"source": f"{explained.service}.amazonaws.com", "names": [name]}
    types: tuple[str, ...] = ()
    if explained.log == Log.MANAGEMENT:
        kinds = [{**base, "category": "Management"}]
        by = "CloudTrail management event"
    else:
        types = _data_types().get(explained.service, ())
        if not types:
            reason = f"which type of data event {explained.service} has is not known here"
            return "CloudTrail data event", unknown(reason)
        base.pop("source")
        arn = {"arn": resource} if resource else {}
        kinds = [{**base, "category": "Data", "type": type_, **arn} for type_ in types]
        by = f"CloudTrail data event of {', '.join(types)}"
    judged = [_both_ways(kind, reading, subject) for kind in kinds]
    return by, judged[0] if len(judged) == 1 else _any_type(judged, types)


def _both_ways(kind: dict[str, Any], reading: Reading, subject: Subject) -> Judgment:
    read, write = (
        _by("aws_trail", {"kinds": [{**kind, "read_only": flag}]}, reading, subject)
        for flag in (True, False)
    )
    if read.verdict is write.verdict:
        return read
    reasons = (
        f"as a read {read.verdict}, as a write {write.verdict}; the record alone says which it is",
        *read.reasons,
        *write.reasons,
    )
    return unknown(*dict.fromkeys(reasons))


def _any_type(judged: Sequence[Judgment], types: Sequence[str]) -> Judgment:
    if len({one.verdict for one in judged}) == 1:
        return judged[0]
    each = ", ".join(f"{one.verdict} as {type_}" for type_, one in zip(types, judged, strict=True))
    return unknown(f"it depends on the resource: {each}")


def _gcp(
    explained: Explanation, reading: Reading, subject: Subject, _resource: str | None
) -> tuple[str, Judgment]:
    service = explained.service
    if explained.log == Log.MANAGEMENT:
        params: dict[str, Any] = {"log": "activity", "service": service, "types": []}
        return "Admin Activity entry", _by("gcp", params, reading, subject)
    by_type = {
        type_: _by(
            "gcp", {"log": "data_access", "service": service, "types": [type_]}, reading, subject
        )
        for type_ in _READ_TYPES
    }
    judged = list(by_type.values())
    if len({one.verdict for one in judged}) == 1:
        return "Data Access entry", judged[0]
    each = ", ".join(f"{one.verdict} as {type_}" for type_, one in by_type.items())
    return "Data Access entry", unknown(f"it depends on its type: {each}")


def _azure(
    explained: Explanation, reading: Reading, subject: Subject, _resource: str | None
) -> tuple[str, Judgment]:
    if explained.log == Log.MANAGEMENT:
        params = {"categories": ["Administrative"]}
        return "Activity Log record", _by("azure_subscription", params, reading, subject)
    provider = explained.operation.partition("/")[0].lower()
    for cell in cells():
        if str(cell.params.get("type", "")).lower().startswith(f"{provider}/"):
            return "resource log", judges.judge(cell, reading, subject)
    return "resource log", unknown(f"which categories {provider} logs it in is not known here")


def _entra(
    explained: Explanation, reading: Reading, subject: Subject, _resource: str | None
) -> tuple[str, Judgment]:
    if explained.log == Log.MANAGEMENT:
        params: dict[str, Any] = {"category": "AuditLogs", "premium": False}
        return "Entra audit record", _by("entra", params, reading, subject)
    params = {"category": "MicrosoftGraphActivityLogs", "premium": True}
    return "Graph activity record", _by("entra", params, reading, subject)


def _by(name: str, params: dict[str, Any], reading: Reading, subject: Subject) -> Judgment:
    cell = next(one for one in cells() if judges.evaluator_of(one) == name)
    narrowed = msgspec.structs.replace(
        cell, params=params, confidence="high", documented="setting", limit=""
    )
    return judges.judge(narrowed, reading, subject)


def _curated(explained: Explanation, platform: str) -> Iterator[str]:
    for cell in cells():
        if cell.platform.partition("_")[0] == platform and _names(cell, explained):
            yield cell.id


def _names(cell: Cell, explained: Explanation) -> bool:
    if cell.step is Step.FAILED_ATTEMPT:
        return False
    name = explained.recorded_as or explained.operation
    source = f"{explained.service}.amazonaws.com"
    return any(
        name in kind.get("names", ()) and kind.get("source") in (None, source)
        for kind in cell.params.get("kinds", ())
    )


@cache
def _data_types() -> dict[str, tuple[str, ...]]:
    """Return the types of each service's data events.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
    """
    data = pkgutil.get_data(__name__, "data_event_types.json")
    if data is None:
        raise CatalogError("coverage: data_event_types.json is missing")
    return msgspec.json.decode(data, type=dict[str, tuple[str, ...]])
