"""What is wrong, as rows: from sealed statements, and from reports of `verify` and `doctor`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nhi_evidence.checks import WRONG, Check
from nhi_evidence.completeness.statement import Named, Statement, Statements
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.verify.findings import Finding


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the view `findings`: a reason given by a statement, or one named thing."""

    made_by: str
    """`completeness`, `verify` or `doctor`."""
    source: str | None = None
    hour: str | None = None
    account: str | None = None
    region: str | None = None
    stream: str | None = None
    verdict: str | None = None
    code: str
    name: str | None = None
    """Name of the one thing; absent from a reason, for which `things` is a count."""
    detail: str | None = None
    things: int | None = None
    object: str | None = None
    """Key of the object that says so, or that is wrong."""


class StatementRows(msgspec.Struct, frozen=True):
    """What one sealed statement says, and about which log: the one on the longest log stands."""

    origin: str
    size: int
    scope: tuple[str, str, str]
    """Account, region, stream."""
    source: str
    hour: str
    key: str
    rows: tuple[FindingRow, ...]


def of_statements(key: str, statements: Statements) -> Iterator[StatementRows]:
    """Yield the rows of each statement in an object; one without findings still stands."""
    for each in statements.statements:
        scope = each.scope
        yield StatementRows(
            statements.log.origin,
            statements.log.size,
            (scope.account, scope.region, scope.stream),
            statements.source,
            statements.hour,
            key,
            tuple(_rows(key, statements, each)),
        )


def _rows(key: str, statements: Statements, each: Statement) -> Iterator[FindingRow]:
    base = FindingRow(
        made_by="completeness",
        source=statements.source,
        hour=statements.hour,
        account=each.scope.account,
        region=each.scope.region,
        stream=each.scope.stream,
        verdict=str(each.verdict),
        code="",
        object=key,
    )
    for code in each.reasons:
        yield msgspec.structs.replace(base, code=code, things=each.totals.get(code))
    for named in each.named:
        yield _named(base, named)


def _named(base: FindingRow, named: Named) -> FindingRow:
    detail = named.detail or None
    return msgspec.structs.replace(base, code=named.reason, name=named.name, detail=detail)


class _Verified(msgspec.Struct):
    """A report of `verify --json`, to the extent it is read here."""

    findings: tuple[Finding, ...]


def of_report(document: bytes) -> tuple[FindingRow, ...]:
    """Return the findings of a report of `verify --json` or `doctor --json`.

    Raises `ValueError` if it is neither.
    """
    try:
        if document.lstrip().startswith(b"["):
            checks = msgspec.json.decode(document, type=tuple[Check, ...])
            return tuple(_checked(each) for each in checks if each.state in WRONG)
        return tuple(map(_verified, msgspec.json.decode(document, type=_Verified).findings))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a report of verify --json or doctor --json: {error}") from error


def _checked(check: Check) -> FindingRow:
    detail = f"{check.what}: {check.observed}"
    return FindingRow(made_by="doctor", code=str(check.state), name=check.scope, detail=detail)


def _verified(finding: Finding) -> FindingRow:
    stated = keys.parse_key(finding.key)
    return FindingRow(
        made_by="verify",
        source=stated.source if stated.hour else None,
        hour=stated.hour,
        code=finding.code,
        name=finding.unit or finding.key,
        detail=finding.detail or None,
        object=finding.key,
    )
