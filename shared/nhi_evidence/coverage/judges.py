"""Evaluators by name: each turns a setting's answers into one judgment of a cell.

Each takes a reading of the cell's provider and the subject in question. An answer that is not
shaped as documented is neither a gap nor a proof: the cell is UNKNOWN, and says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from nhi_evidence.coverage import switches
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.aws import bucket, recorded
from nhi_evidence.coverage.aws.event_kind import EventKind
from nhi_evidence.coverage.azure import estate
from nhi_evidence.coverage.azure import settings as diagnostic
from nhi_evidence.coverage.cells import Cell, cells, setting_of, why_not_recorded
from nhi_evidence.coverage.gcp import audit_config, sinks, tree
from nhi_evidence.coverage.verdict import (
    Judgment,
    Verdict,
    all_accounts,
    all_of,
    impossible,
    of_accounts,
    unknown,
    weakened,
)
from nhi_evidence.errors import CatalogError

READ_BY = {"aws_agent": "aws", "aws_gateway": "aws", "eks": "aws", "gcp_agent": "gcp", "gke": "gcp",
           "azure_agent": "azure", "aks": "azure", "entra": "azure"}  # fmt: skip
"""Platform to the one whose reading decides its cells, where that is a different one."""

COLLECTED = frozenset({"aws", "azure", "gcp", "github", "okta", "vault"})
"""Platforms whose settings `collect` reads; a reading of any other is made by hand."""
_PULL = "its audit can be pulled only with an organization's long-lived key, and none is kept"
PULLED = {
    "anthropic": _PULL,
    "openai": _PULL,
    "mcp": "no source of this release takes in a server's own record of its requests",
}
"""Agent platforms, and why nothing is known of them without a reading (decision 131)."""

_ARN_ACCOUNT = re.compile(r"arn:[^:]*:[^:]*:[^:]*:([0-9]{12}):")
_TENANT = "/providers/microsoft.aadiam"


class Subject(msgspec.Struct, frozen=True):
    """Whose events are in question; without an identity, everyone's."""

    identity: str | None = None
    """ARN of a user or role, e-mail address of a service account, or object id."""

    @property
    def account(self) -> str | None:
        """The AWS account of an ARN."""
        match = _ARN_ACCOUNT.match(self.identity or "")
        return match[1] if match else None

    @property
    def caller(self) -> str | None:
        """Its `userIdentity.arn` in CloudTrail; for a role, the prefix of its sessions' and `*`."""
        if self.account is None or self.identity is None:
            return None
        head, _, rest = self.identity.partition(":iam::")
        if rest and ":role/" in rest:
            name = rest.rpartition("/")[2]
            return f"{head}:sts::{self.account}:assumed-role/{name}/*"
        return self.identity


EVERYONE = Subject()
_UNDOCUMENTED = "the settings are there, but it is not documented: only a canary can show a record"

Evaluator = Callable[[Reading, dict[str, Any], Subject], Judgment]


def judge(cell: Cell, reading: Reading | None, subject: Subject = EVERYONE) -> Judgment:
    """Judge a cell by a reading of the provider that decides it, or None if there is none.

    Raises `CatalogError` if its setting names no evaluator there is.
    """
    evaluate = _evaluator(cell)
    if evaluate is None:
        return BY_TABLE[evaluator_of(cell)](cell)
    if reading is None:
        return unknown(PULLED.get(cell.platform, "no reading of its settings"))
    try:
        return _as_documented(cell, evaluate(reading, cell.params, subject))
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, IndexError) as error:
        return unknown(f"an answer is not shaped as documented: {error!r}")


def _as_documented(cell: Cell, judged: Judgment) -> Judgment:
    """Claim no more than is documented: settings show a switch, not what the provider does."""
    if judged.verdict is not Verdict.CONFIGURED:
        if cell.confidence != "low":
            return judged
        return weakened(judged, Verdict.UNKNOWN, _UNDOCUMENTED)
    if cell.confidence == "low":
        return unknown(_UNDOCUMENTED, *judged.reasons, answers=judged.answers)
    if cell.documented == "partial":
        return msgspec.structs.replace(judged, missing=(*judged.missing, cell.limit))
    return judged


def next_step(cell: Cell, judged: Judgment, reading: Reading | None) -> str:
    """Say how to make an unknown cell known: try it, or read it; neither changes a setting."""
    setting = setting_of(cell)
    if evaluator_of(cell) == _NOT_KNOWN or _UNDOCUMENTED in judged.reasons:
        if cell.probe == "none":
            return "no probe is known that would show it"
        return f"try it, and look for its record: {cell.probe}; expected: {cell.expect}"
    is_collected = reading is not None and reader_of(cell.platform) in COLLECTED
    if not is_collected or switches.GITHUB_API_EVENTS in setting.reads:
        return f"no command of this release reads it, so see for yourself: {setting.setting}"
    calls = ", ".join(setting.reads)
    return f"nhi-evidence collect {reader_of(cell.platform)}, with the right to make {calls}"


def needs_reading(cell: Cell) -> bool:
    """Whether a cell is judged by a reading; the table decides the others."""
    return _evaluator(cell) is not None


def never_read() -> frozenset[str]:
    """Return the platforms that no command of this release reads; their cells are always shown."""
    read = {cell.platform for cell in cells() if needs_reading(cell)}
    return frozenset({cell.platform for cell in cells()} - read) | frozenset(PULLED)


def reader_of(platform: str) -> str:
    """Return the platform whose reading decides the cells of this one."""
    return READ_BY.get(platform, platform)


def _trail(reading: Reading, params: dict[str, Any], subject: Subject) -> Judgment:
    kinds = msgspec.convert(params["kinds"], tuple[EventKind, ...])
    accounts = (subject.account,) if subject.account else ()
    return all_of(
        recorded.by_trails(
            reading, msgspec.structs.replace(kind, identity=subject.caller), accounts
        )
        for kind in kinds
    )


def _evidence_bucket(reading: Reading, _params: dict[str, Any], _subject: Subject) -> Judgment:
    return bucket.evidence_bucket(reading)


def _telemetry(reading: Reading, _params: dict[str, Any], _subject: Subject) -> Judgment:
    return bucket.telemetry(reading)


def _aggregated(reading: Reading, _params: dict[str, Any], _subject: Subject) -> Judgment:
    return bucket.aggregated(reading)


def _event_bus(reading: Reading, _params: dict[str, Any], _subject: Subject) -> Judgment:
    return switches.event_bus(reading)


def _api_gateway(reading: Reading, params: dict[str, Any], _subject: Subject) -> Judgment:
    return switches.ingested_here(reading, params["source"], switches.api_gateway(reading))


def _gcp(reading: Reading, params: dict[str, Any], subject: Subject) -> Judgment:
    known = tree.projects(reading)
    if not known:
        refused = reading.unread(tree.ANCESTRY)
        code = refused[0].error if refused else "nobody asked"
        return unknown(f"the projects and what is above them could not be read ({code})")
    judged = {
        project: _gcp_project(reading, params, subject, above) for project, above in known.items()
    }
    for project in tree.unread(reading):
        judged[project] = unknown(f"{project}: what is above it could not be read")
    return all_accounts({name.removeprefix("projects/"): one for name, one in judged.items()})


def _gcp_project(
    reading: Reading, params: dict[str, Any], subject: Subject, above: Sequence[str]
) -> Judgment:
    log, service = params["log"], params["service"]
    delivered = sinks.judge(reading, above, log, service)
    if log != "data_access" or not params["types"]:
        return delivered
    on = audit_config.judge(reading, above, service, params["types"], subject.identity)
    return on if on.verdict in {Verdict.GAP, Verdict.UNKNOWN} else all_of((on, delivered))


def _azure_subscription(reading: Reading, params: dict[str, Any], _subject: Subject) -> Judgment:
    known = estate.subscriptions(reading)
    if not known:
        return unknown("the subscriptions could not be read")
    return all_accounts(
        {
            estate.subscription_of(scope): _activity(reading, scopes, params["categories"])
            for scope, scopes in known.items()
        }
    )


def _activity(reading: Reading, scopes: Sequence[str], categories: Sequence[str]) -> Judgment:
    judged = diagnostic.judge(reading, scopes, categories)
    if judged.verdict is not Verdict.GAP:
        return judged
    reason = f"{scopes[0]}: Azure keeps it for 90 days; no setting sends it here"
    return Judgment(Verdict.ELSEWHERE, (reason,), judged.missing, judged.answers)


def _azure_resources(reading: Reading, params: dict[str, Any], _subject: Subject) -> Judgment:
    known = estate.resources(reading, params["type"])
    if known is None:
        return unknown(f"the resources of type {params['type']} were not listed")
    if not known:
        return unknown(f"there is no {params['type']}: nothing shows one would be recorded")
    children = params.get("children", ())
    by_subscription: dict[str, list[Judgment]] = {}
    for id_ in known:
        for scope in [f"{id_}/{child}" for child in children] or [id_]:
            judged = diagnostic.judge(reading, (scope,), params["categories"])
            by_subscription.setdefault(estate.subscription_of(id_), []).append(judged)
    judgment = all_accounts({name: all_of(parts) for name, parts in by_subscription.items()})
    return of_accounts(judgment, by_subscription)


def _azure_traces(reading: Reading, _params: dict[str, Any], _subject: Subject) -> Judgment:
    judged = switches.reachable(
        reading, "Microsoft.CognitiveServices/accounts/projects/connections", "tracing"
    )
    if judged.verdict is not Verdict.CONFIGURED:
        return judged
    reason = "traces lie in Application Insights, where their operator can change them"
    return Judgment(Verdict.ELSEWHERE, (reason,), answers=judged.answers)


def _entra(reading: Reading, params: dict[str, Any], _subject: Subject) -> Judgment:
    judged = diagnostic.judge(reading, (_TENANT,), (params["category"],))
    if not params["premium"] or judged.verdict is not Verdict.CONFIGURED:
        return judged
    has_premium = estate.has_premium(reading)
    if has_premium is None:
        reason = "the licenses could not be read: without Entra ID P1 or P2 nothing is exported"
        return unknown(reason, answers=judged.answers)
    if not has_premium:
        reason = "the tenant has neither Entra ID P1 nor P2: nothing of it is exported"
        return Judgment(Verdict.GAP, (reason,), (params["category"],), judged.answers)
    return judged


def _entra_tenant_setting(reading: Reading, _params: dict[str, Any], _subject: Subject) -> Judgment:
    judged = diagnostic.judge(reading, (_TENANT,), ("AuditLogs",))
    if judged.verdict is not Verdict.CONFIGURED:
        return judged
    reason = "a change of it is in the directory's activity log; here the next reading shows it"
    return Judgment(Verdict.ELSEWHERE, (reason,), answers=judged.answers)


def _eks(reading: Reading, params: dict[str, Any], _subject: Subject) -> Judgment:
    return switches.ingested_here(reading, params["source"], switches.eks(reading, params["types"]))


def _vault(reading: Reading, params: dict[str, Any], _subject: Subject) -> Judgment:
    judged = switches.vault(
        reading, least=params["least"], plain_accessor=params.get("plain_accessor", False)
    )
    return switches.ingested_here(reading, params["source"], judged)


def _github(reading: Reading, params: dict[str, Any], _subject: Subject) -> Judgment:
    judged = switches.github(reading, api_events=params.get("api_events", False))
    return switches.ingested_here(reading, params["source"], judged)


def _okta(reading: Reading, params: dict[str, Any], _subject: Subject) -> Judgment:
    return switches.ingested_here(reading, params["source"], switches.okta(reading))


def _reachable(reading: Reading, params: dict[str, Any], _subject: Subject) -> Judgment:
    judged = switches.reachable(reading, params["call"], params["what"])
    return switches.ingested_here(reading, params["source"], judged)


_NOT_KNOWN = "not_known"
BY_TABLE: dict[str, Callable[[Cell], Judgment]] = {
    "impossible": lambda cell: impossible(why_not_recorded(cell)),
    _NOT_KNOWN: lambda cell: unknown(cell.limit or setting_of(cell).setting),
}
"""Evaluators that need no reading: the table alone decides."""
EVALUATORS: dict[str, Evaluator] = {
    "aws_trail": _trail,
    "aws_evidence_bucket": _evidence_bucket,
    "aws_telemetry": _telemetry,
    "aws_aggregated": _aggregated,
    "aws_event_bus": _event_bus,
    "api_gateway": _api_gateway,
    "gcp": _gcp,
    "azure_subscription": _azure_subscription,
    "azure_resources": _azure_resources,
    "azure_traces": _azure_traces,
    "entra": _entra,
    "entra_tenant_setting": _entra_tenant_setting,
    "eks": _eks,
    "vault": _vault,
    "github": _github,
    "okta": _okta,
    "reachable": _reachable,
    "mcp": _reachable,
}
"""Evaluators of a reading; these and those of `BY_TABLE` are all that a setting may name."""


def _evaluator(cell: Cell) -> Evaluator | None:
    """Return what judges a reading; None where the table alone decides."""
    setting = setting_of(cell)
    evaluate = EVALUATORS.get(setting.evaluator)
    if evaluate is None and setting.evaluator not in BY_TABLE:
        one_of = ", ".join((*BY_TABLE, *EVALUATORS))
        named = f"setting {setting.id}: no evaluator {setting.evaluator}"
        raise CatalogError(f"coverage: {named}; one of {one_of}")
    return evaluate


def evaluator_of(cell: Cell) -> str:
    """Return the name of the evaluator that decides a cell."""
    return setting_of(cell).evaluator
