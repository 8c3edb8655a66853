"""Joining the reports of a divided verification, and weighing what the parts left open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.verify import streams
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.report import Report
from nhi_evidence.evidence.verify.streams import HashesOf

_SUMS = (
    "listed", "objects", "bytes", "records", "reproduced", "rejected_deliveries",
    "duplicate_records", "linked_records", "not_rebuilt", "expired",
)  # fmt: skip
_BELIEVED = "whether the reports of the parts are as the program printed them; they are trusted"
_TALLIES = ("units", "records_counted", "flags")


def join(
    reports: Sequence[Report],
    hashes_of: HashesOf,
    signs: Callable[[Report], bool] = lambda _report: True,
) -> Report:
    """Return one report for all parts of a verification.

    A part that is missing or saw a different log is a finding; so is one whose head `signs`
    rejects. `hashes_of` reads the hash of each message of a run again. Everything else in the
    reports is trusted, which the result lists as not checked. Raises `SettingsError` when the
    reports are not parts of the same verification.
    """
    parts = {}
    for report in reports:
        if report.part is None or report.edges is None:
            raise SettingsError("not the report of a part: it was made without --part")
        if report.part.number in parts:
            raise SettingsError(f"part {report.part.number} was given twice")
        parts[report.part.number] = report
    if not parts:
        raise SettingsError("no report to join")
    ordered = [parts[number] for number in sorted(parts)]
    first = ordered[0]
    if len({(report.part and report.part.of, report.name) for report in ordered}) > 1:
        raise SettingsError("the reports divide differently, or are of different logs")
    if len({report.judged for report in ordered}) > 1:
        raise SettingsError("the reports were made under different policies or options")
    joined = msgspec.structs.replace(
        first,
        part=None,
        edges=None,
        state=None,
        sample=None,
        findings=_findings(ordered),
        **{name: sum(getattr(report, name) for report in ordered) for name in _SUMS},
        **{name: _added(getattr(report, name) for report in ordered) for name in _TALLIES},
    )
    of = first.part.of if first.part else 0
    edges = streams.merged(report.edges for report in ordered if report.edges)
    weighed = streams.Weighed(sorted(edges.runs, key=streams.place), edges.expired, hashes_of)
    joined.findings += weighed.findings
    joined.findings += [
        Finding(
            code="part_differs",
            key=joined.name,
            detail=f"part {number}: the store has no signed head of size {report.size}",
        )
        for number, report in sorted(parts.items())
        if not signs(report)
    ]
    if weighed.duplicates:
        joined.units["duplicate messages"] = weighed.duplicates
    joined.findings += [
        Finding(code="part_missing", key=joined.name, detail=f"part {number} of {of}")
        for number in range(1, of + 1)
        if number not in parts
    ]
    joined.findings.sort(
        key=lambda each: (each.meaning.step, each.key, each.code, each.record or 0)
    )
    joined.not_checked = [*_not_checked(ordered), *weighed.not_checked()]
    return joined


def _findings(ordered: Sequence[Report]) -> list[Finding]:
    """Return the findings of all parts; those about the log itself, which all share, only once."""
    unique = dict.fromkeys(each for report in ordered for each in report.findings)
    heads = {(report.size, report.root) for report in ordered}
    differing = [
        Finding(code="part_differs", key=ordered[0].name, detail=f"size {size}, root {root}")
        for size, root in sorted(heads, key=str)
    ]
    return [*unique, *(differing if len(heads) > 1 else [])]


def _added(tallies: object) -> dict[str, int]:
    total: Counter[str] = Counter()
    for tally in tallies:  # type: ignore[attr-defined] # dictionaries of counts
        total.update(tally)
    return {name: count for name, count in sorted(total.items()) if count}


def _not_checked(ordered: Sequence[Report]) -> list[str]:
    lines = dict.fromkeys(line for report in ordered for line in report.not_checked)
    return [*(line for line in lines if "--join" not in line), _BELIEVED]
