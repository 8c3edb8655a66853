"""The curated cells: each one step on one platform, what records it and how to tell.

Two tables: `settings.json` says what to set, how to read it and how to fix it; `cells.json` says
for each cell which setting decides, what the record is, how a canary tries it, and what stays
unseen. They cover clouds and agents; a source of files has both in its folder's `coverage.toml`.
What is documented is a fact in the table; verdicts are derived from answers (`judges`).
"""

from __future__ import annotations

import pkgutil
import re
from enum import StrEnum
from functools import cache
from typing import Any, Literal, get_args

import msgspec

from nhi_evidence import sources
from nhi_evidence.errors import CatalogError, SettingsError
from nhi_evidence.phases import Phase


class Step(StrEnum):
    """What can be observed on the way to misuse, in the usual order."""

    CREDENTIAL_VALIDATION = "credential_validation"
    ENUMERATION = "enumeration"
    PERMISSION_PROBING = "permission_probing"
    FAILED_ATTEMPT = "failed_attempt"
    TOKEN_ISSUANCE = "token_issuance"  # noqa: S105 - a step, not a secret
    SECRET_ACCESS = "secret_access"  # noqa: S105 - a step, not a secret
    DATA_ACCESS = "data_access"
    PRIVILEGE_CHANGE = "privilege_change"
    PERSISTENCE = "persistence"
    LOG_TAMPERING = "log_tampering"
    EXECUTION = "execution"
    AGENT_ACTION = "agent_action"
    OFFBOARDING = "offboarding"


PHASES: dict[Step, frozenset[Phase]] = {
    Step.CREDENTIAL_VALIDATION: frozenset({Phase.CREDENTIAL_VALIDATION}),
    Step.ENUMERATION: frozenset({Phase.ENUMERATION}),
    Step.PERMISSION_PROBING: frozenset({Phase.PERMISSION_PROBING}),
    Step.FAILED_ATTEMPT: frozenset({Phase.FAILED_ATTEMPT}),
    Step.TOKEN_ISSUANCE: frozenset({Phase.TOKEN_ISSUANCE}),
    Step.SECRET_ACCESS: frozenset({Phase.SECRET_ACCESS}),
    Step.DATA_ACCESS: frozenset({Phase.DATA_ACCESS}),
    Step.PRIVILEGE_CHANGE: frozenset({Phase.PRIVILEGE_CHANGE}),
    Step.PERSISTENCE: frozenset({Phase.CREDENTIAL_LIFECYCLE, Phase.IDENTITY_LIFECYCLE}),
    Step.LOG_TAMPERING: frozenset({Phase.DEFENSE_EVASION}),
    Step.EXECUTION: frozenset({Phase.EXECUTION}),
    Step.AGENT_ACTION: frozenset({Phase.AGENT_ACTION}),
    Step.OFFBOARDING: frozenset({Phase.CREDENTIAL_LIFECYCLE, Phase.IDENTITY_LIFECYCLE}),
}
"""The phases, base or effective, of records that are traces of a step."""


class Fix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to change a setting, in three ways; each says so where it is not possible."""

    cdk: str
    terraform: str
    cli: str
    """Commands alone, separated by semicolons; or prose with its commands in backticks."""
    replaces: str = ""
    """What the fix removes, and how to keep it; to be read before applying the fix."""


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A setting, which decides whether the cells that name it are recorded."""

    id: str
    evaluator: str
    """Name in `judges.EVALUATORS` or `judges.BY_TABLE`."""
    setting: str
    reads: tuple[str, ...]
    """Calls that read it; each an `answers.Answer.call`."""
    fix: Fix
    delay_minutes: int
    """How long a record usually takes to arrive."""
    mends_elsewhere: bool = True
    """Whether its fix brings in what is recorded elsewhere."""


Documented = Literal["default", "setting", "partial", "impossible", "not known"]
Confidence = Literal["high", "medium", "low"]


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One field of the matrix."""

    id: str
    """`<platform>.<step>.<case>`."""
    platform: str
    step: Step
    case: str
    """What happens, in words."""
    setting: str
    documented: Documented
    """What the documentation says: recorded by default, after a setting, in part, or never."""
    record: str
    """The record it leaves."""
    probe: str
    """How a canary tries it."""
    expect: str
    """What the canary should find."""
    limit: str = ""
    """What stays unseen even then."""
    compensating: str = ""
    """What to do where it cannot be recorded."""
    confidence: Confidence
    refs: tuple[str, ...] = ()
    """Where `documented` is from, as `kind:name`; docs/coverage.md has the page of each."""
    params: dict[str, Any] = {}
    """Parameters of the evaluator."""


class _OfSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source's folder says about the platform of its log."""

    settings: tuple[Setting, ...] = ()
    cells: tuple[Cell, ...] = ()
    asked_with_a_key_alone: tuple[str, ...] = ()
    """Platforms that accept no federated identity, so that no function can ask them."""


_OF_SOURCE = "coverage.toml"
_ALLOWED = {
    "step": tuple(Step),
    "documented": get_args(Documented),
    "confidence": get_args(Confidence),
}
"""Attributes of a cell that take one of a few values: msgspec's message does not name them."""


@cache
def _of_sources() -> dict[str, _OfSource]:
    """Return what each source says, by its name."""
    try:
        every = {name: sources.declared(name, _OF_SOURCE, _OfSource) for name in sources.names()}
    except SettingsError as error:
        raise CatalogError(f"coverage: {error}{_allowed(str(error))}") from error
    return {name: table for name, table in every.items() if table is not None}


@cache
def cells() -> tuple[Cell, ...]:
    """Return every cell. Raises `CatalogError` naming what is inconsistent."""
    table: list[Cell] = list(_read("cells.json", tuple[Cell, ...]))
    for name, own in _of_sources().items():
        # The evaluator needs the source's name to know whether this deployment ingests it.
        table += [
            msgspec.structs.replace(cell, params={**cell.params, "source": name})
            for cell in own.cells
        ]
    known = settings()
    seen: set[str] = set()
    for cell in table:
        if cell.id in seen:
            raise CatalogError(f"coverage: duplicate cell {cell.id}")
        if not cell.id.startswith(f"{cell.platform}."):
            raise CatalogError(f"coverage: {cell.id} does not begin with platform {cell.platform}")
        if cell.setting not in known:
            raise CatalogError(f"coverage: {cell.id}: no setting {cell.setting}")
        if cell.documented in {"impossible", "not known"} and not cell.compensating:
            raise CatalogError(f"coverage: {cell.id}: no compensating control")
        seen.add(cell.id)
    return tuple(table)


@cache
def settings() -> dict[str, Setting]:
    """Return every setting by its id. Raises `CatalogError` for a duplicate or invalid one."""
    every = [*_read("settings.json", tuple[Setting, ...])]
    every += [setting for own in _of_sources().values() for setting in own.settings]
    known = {setting.id: setting for setting in every}
    if len(known) < len(every):
        raise CatalogError("coverage: duplicate setting")
    return known


def asked_with_a_key_alone() -> dict[str, str]:
    """Return the platforms that accept no federated identity, with the source of their log."""
    return {
        platform: name
        for name, own in _of_sources().items()
        for platform in own.asked_with_a_key_alone
    }


def unrecorded(record: str) -> str:
    """Return why there is no record, of a text that says so: `none: reads are never written`."""
    return _NO_RECORD.sub("", record)


_NO_RECORD = re.compile(r"none(?:[:;] |$)")


def setting_of(cell: Cell) -> Setting:
    """Return the setting that decides a cell."""
    return settings()[cell.setting]


def why_not_recorded(cell: Cell) -> str:
    """Return why no setting records a cell, in one sentence."""
    setting, why = setting_of(cell).setting.rstrip("."), unrecorded(cell.record)
    if not why:
        return setting
    return f"{setting}{': ' if why != cell.record else '; the record: '}{why}"


def platforms() -> tuple[str, ...]:
    """Return the platforms of the matrix, in order."""
    return tuple(dict.fromkeys(cell.platform for cell in cells()))


def _read(name: str, type_: Any) -> Any:
    data = pkgutil.get_data(__name__, name)
    if data is None:
        raise CatalogError(f"coverage: {name} is missing")
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.MsgspecError as error:
        raise CatalogError(f"coverage: {name}: {error}{_allowed(str(error))}") from error


def _allowed(message: str) -> str:
    """Name the values allowed for the attribute that a message says is invalid."""
    name = message.rpartition(".")[2].rstrip("`")
    return f"; one of {', '.join(_ALLOWED[name])}" if name in _ALLOWED else ""
