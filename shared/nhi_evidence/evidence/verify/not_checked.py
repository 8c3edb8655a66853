"""What a verification did not check, in words, so that no reader of a report has to guess."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence import plural
from nhi_evidence.evidence.verify.report import Options, Policy, Report


def not_checked(
    report: Report,
    policy: Policy,
    options: Options,
    *,
    is_copy: bool,
    waiting: int,
    unprovable: int,
    not_split: int,
    foreign_mapper: int,
    excused: int,
) -> Iterator[str]:
    """Yield a line for each thing that was not checked."""
    yield from _statements(report, options)
    yield from _freshness(report, policy, options, is_copy=is_copy)
    yield from _extent(options)
    if not policy.mappers:
        yield "V5: which release made an object, since the policy lists no mapper digests"
    if report.not_rebuilt:
        yield (
            "V3: the delivered bytes of units from which something was cut, or whose out-of-scope "
            "raw text was not kept, so that their "
            f"hash is stated and cannot be recomputed: {report.not_rebuilt}"
        )
    if options.deep:
        yield from _deep(options, unprovable, not_split, foreign_mapper)
    else:
        yield "V3: the contents of objects (--deep)"
    if excused:
        yield (
            f"V5: the counting of {plural.count(excused, 'unit')} with a missing part, since "
            "something of the hour has expired"
        )
    if not policy.retention_ms:
        yield "V6: locks, since the policy requires no retention"
    if waiting:
        yield f"V4: {plural.count(waiting, 'version')} not sealed yet, none of them overdue"
    if is_copy:
        yield "V4: delete markers and later versions, which a copy does not contain"


def _statements(report: Report, options: Options) -> Iterator[str]:
    if options.statements is None or not options.reads_everything:
        yield "V5: sealed statements on completeness and canaries, which need everything to be read"
    elif not report.statements:
        yield (
            "V5: no completeness statement is sealed; units are compared with each other, "
            "not against what the source states it delivered (nhi-evidence reconcile)"
        )
    elif report.without_statement:
        hours = plural.count(report.without_statement, "source hour")
        yield f"V5: completeness of {hours} without a statement"


def _deep(options: Options, unprovable: int, not_split: int, foreign_mapper: int) -> Iterator[str]:
    if not_split:
        units = plural.count(not_split, "unit")
        yield f"V3: the split of {units}, too large or from an unknown source"
    if options.reproduce is None:
        yield "V3: whether the raw text gives these records when mapped again (--reproduce)"
        return
    if unprovable:
        yield (
            f"V3: mapping {plural.count(unprovable, 'record')} again, whose raw text was not kept "
            "(out of scope, or cut whole), so only the writer states what they are"
        )
    if foreign_mapper:
        objects = plural.count(foreign_mapper, "object")
        yield f"V3: mapping {objects} again, whose release is not installed"


def _freshness(report: Report, policy: Policy, options: Options, *, is_copy: bool) -> Iterator[str]:
    if report.head_age_ms is not None and is_copy and report.head_age_ms > policy.head_age_ms:
        hours = report.head_age_ms // 3_600_000
        age = f"{hours // 24} days" if hours >= 72 else f"{hours} hours"  # noqa: PLR2004
        yield f"V0: whether the log continued; the head of this copy is {age} old"
    newest = max(((anchor.shard, anchor.epoch) for anchor in report.anchors), default=None)
    if newest is None and options.since is None:
        yield (
            "V1: a rollback: no copy, anchor or saved state outside the store knows "
            "the log, so epochs removed from its end would not be noticed"
        )


def _extent(options: Options) -> Iterator[str]:
    if options.sample is not None:
        yield "V5: counting of units and streams, since only a sample was read"
    if options.part is not None:
        yield f"all parts but {options.part.number} of {options.part.of} (--join combines them)"
        yield "V5: streams across parts (--join)"
    if options.since is not None:
        yield f"what was verified before, up to epoch {options.since.epoch}"
        yield (
            "V4: hours older than two days without new entries; a version put there but not "
            "sealed is found by a full verification"
        )
    if not options.deep:
        yield "V5: the same native id in different units (--deep)"
    elif options.part is not None:
        yield "V5: the same native id in units of different parts"
