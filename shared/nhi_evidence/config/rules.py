"""Consistency of a configuration: contradictions between values, and how to resolve them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from nhi_evidence import sources
from nhi_evidence.config.athena_rules import athena_fits
from nhi_evidence.config.azure_rules import subscriptions_fit
from nhi_evidence.config.canary_rules import canaries_fit
from nhi_evidence.config.coverage_rules import coverage_fits
from nhi_evidence.config.feed_rules import feeds_fit, topics_fit
from nhi_evidence.config.fill import Fault
from nhi_evidence.config.list_rules import lists_fit
from nhi_evidence.config.locate import Path
from nhi_evidence.config.partition_rules import in_one_partition
from nhi_evidence.config.silence_rules import silence_decided
from nhi_evidence.config.stream_rules import streams_fit
from nhi_evidence.config.subscriber_rules import subscribers_fit
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE, BucketTable, File, SourceEntry

ARCHIVE_MINIMUM_DAYS = 90
"""Minimum time for which Glacier Instant Retrieval charges, even if an object is deleted earlier:
https://aws.amazon.com/s3/pricing/"""

CONFIRMED_DAYS = 30
"""A COMPLIANCE lock longer than this must be confirmed: nobody can undo it."""


def broken(file: File) -> list[Fault]:
    """Return every contradiction between the values of `file`, in the order of the rules."""
    return [Fault(path, text) for rule in _RULES for path, text in rule(file)]


_Contradictions = Iterator[tuple[Path, str]]


def _retention(file: File) -> _Contradictions:
    for at, bucket in enumerate(file.evidence.buckets):
        path: Path = ("evidence", "buckets", at)
        days = bucket.retention_days
        if file.profile == "trial":
            if days is not None:
                yield (
                    (*path, "retention_days"),
                    'contradicts profile = "trial", which locks for one day: remove one of the two',
                )
        elif days is None:
            yield (
                path,
                (
                    "retention_days is missing and has no default: say how many days the lock "
                    'lasts, or write profile = "trial" at the top of the file for one day'
                ),
            )
        elif days > CONFIRMED_DAYS and bucket.confirm_compliance_days != days:
            yield from _unconfirmed(path, days, bucket)


def _unconfirmed(path: Path, days: int, bucket: BucketTable) -> _Contradictions:
    why = (
        f"a COMPLIANCE lock of {days} days cannot be shortened by anyone, including root: "
        f"write confirm_compliance_days = {days} next to it if that is intended"
    )
    if bucket.confirm_compliance_days is None:
        yield (*path, "retention_days"), why
    else:
        yield (
            (*path, "confirm_compliance_days"),
            f"is {bucket.confirm_compliance_days}, but retention_days is {days}; {why}",
        )


def _archive(file: File) -> _Contradictions:
    for at, bucket in enumerate(file.evidence.buckets):
        days = 1 if file.profile == "trial" else bucket.retention_days
        after = bucket.archive_after_days
        if after and days and days - after < ARCHIVE_MINIMUM_DAYS:
            yield (
                ("evidence", "buckets", at, "archive_after_days"),
                (
                    f"is {after}, less than {ARCHIVE_MINIMUM_DAYS} days before the lock ends after "
                    f"{days}: the class is billed for at least that long; lower or remove it"
                ),
            )


def _accounts(file: File) -> _Contradictions:
    evidence = file.evidence.account
    if file.log_archive.account == evidence:
        yield (
            ("evidence", "account"),
            (
                "is also the log-archive account: evidence belongs in an account of its own, "
                "out of reach of whoever runs the logs; name another account"
            ),
        )
    if file.organization.management_account == evidence:
        yield (
            ("evidence", "account"),
            (
                "is the organization's management account, to which guardrails do not apply: "
                "name a member account"
            ),
        )
    for at, bucket in enumerate(file.evidence.buckets):
        replica = bucket.replica
        path: Path = ("evidence", "buckets", at, "replica")
        if replica is not None and replica.account == evidence:
            yield (*path, "account"), "is the evidence account: a replica must outlive it"
        if replica is not None and replica.region == bucket.region:
            yield (*path, "region"), f"is the bucket's own region {bucket.region}: name another"


def _names(file: File) -> _Contradictions:
    buckets: Path = ("evidence", "buckets")
    replicas = [one.replica.bucket if one.replica else None for one in file.evidence.buckets]
    yield from _twice(buckets, "name", [one.name for one in file.evidence.buckets])
    yield from _twice(buckets, "bucket", [one.bucket for one in file.evidence.buckets])
    yield from _twice(buckets, "log", [one.log for one in file.evidence.buckets])
    yield from _twice(("trails",), "name", [one.name for one in file.trails])
    yield from _twice(("auditors",), "name", [one.name for one in file.auditors])
    taken = {one.bucket: "an evidence bucket" for one in file.evidence.buckets}
    for at, name in enumerate(replicas):
        if name in taken:
            yield (*buckets, at, "replica", "bucket"), f"is {taken[name]}: name another"
        elif name is not None:
            taken[name] = "another bucket's replica"
    for at, bucket in enumerate(file.evidence.buckets):
        if bucket.athena is None:
            continue
        if bucket.athena.results in taken:
            yield (*buckets, at, "athena", "results"), "holds evidence: name a bucket of its own"
        taken[bucket.athena.results] = "a bucket for results"


def _twice(path: Path, key: str, values: list[str]) -> _Contradictions:
    count = Counter(values)
    for at, value in enumerate(values):
        if count[value] > 1 and value in values[:at]:
            first = values.index(value) + 1
            yield (*path, at, key), f'"{value}" is taken by entry {first}: choose another'


def _not_empty(file: File) -> _Contradictions:
    lists: list[tuple[Path, Iterable[object]]] = [
        (("evidence", "buckets"), file.evidence.buckets),
        (("sources",), file.sources),
        *((("auditors", at, "principals"), one.principals) for at, one in enumerate(file.auditors)),
    ]
    if file.azure is not None:
        lists.append((("azure", "subscriptions"), file.azure.subscriptions))
    if file.coverage is not None:
        lists.append((("coverage", "accounts"), file.coverage.accounts))
    if file.guardrails is not None:
        lists += [
            (("guardrails", key), getattr(file.guardrails, key))
            for key in ("targets", "pipeline_roles", "pipeline_principals")
        ]
    for path, values in lists:
        if not tuple(values):
            yield path, "is empty: at least one is needed"


def _references(file: File) -> _Contradictions:
    buckets = [one.name for one in file.evidence.buckets]
    trails = [one.name for one in file.trails]
    for at, entry in enumerate(file.sources):
        if entry.evidence not in buckets:
            yield (
                ("sources", at, "evidence"),
                f'"{entry.evidence}" is not an evidence bucket; there are: {", ".join(buckets)}',
            )
        if entry.trail is not None and entry.trail not in trails:
            known = ", ".join(trails) or "none; add [[trails]]"
            yield ("sources", at, "trail"), f'"{entry.trail}" is not a trail; there are: {known}'
    used = {one.trail for one in file.sources}
    for at, name in enumerate(trails):
        if name not in used:
            yield (
                ("trails", at, "name"),
                (
                    f'no source uses the trail "{name}": add [[sources]] with trail = "{name}", '
                    "or remove the trail"
                ),
            )


def _deliveries(file: File) -> _Contradictions:
    known = set(sources.names())
    for at, entry in enumerate(file.sources):
        yield from _delivery(("sources", at), entry, known, file)
    for section, source in (("gcp", GCP_SOURCE), ("azure", AZURE_SOURCE)):
        if getattr(file, section) and source not in {one.source for one in file.sources}:
            yield (
                (section,),
                f'no source uses it: add [[sources]] with source = "{source}", or remove it',
            )


def _delivery(path: Path, entry: SourceEntry, known: set[str], file: File) -> _Contradictions:
    by_cloud = {GCP_SOURCE: ("gcp", file.gcp), AZURE_SOURCE: ("azure", file.azure)}
    named = [key for key in ("trail", "files") if getattr(entry, key) is not None]
    if entry.source in by_cloud:
        section, settings = by_cloud[entry.source]
        if settings is None:
            yield (*path, "source"), f'"{entry.source}" needs the table [{section}]: add it'
        for key in (*named, *_window(entry)):
            yield (*path, key), f"is for AWS; {entry.source} comes from [{section}]: remove it"
        return
    if entry.source not in known:
        names = ", ".join(sorted({*known, *by_cloud}))
        yield (*path, "source"), f'"{entry.source}" is not a source; there are: {names}'
    if len(named) > 1:
        yield (*path, "files"), "contradicts trail: a source comes from one of the two; remove one"
    elif not named:
        yield path, "does not say where it comes from: add trail = ... or files = {...}"


def _window(entry: SourceEntry) -> tuple[str, ...]:
    return () if entry.batch_window_seconds is None else ("batch_window_seconds",)


def _same_twice(file: File) -> _Contradictions:
    """Yield repeated entries: a cloud has one exporter, a trail one for each bucket."""
    seen: dict[tuple[object, ...], int] = {}
    for at, entry in enumerate(file.sources):
        of_cloud = entry.source in {GCP_SOURCE, AZURE_SOURCE}
        feed = () if of_cloud else (entry.evidence, entry.trail, entry.files)
        first = seen.setdefault((entry.source, *feed), at)
        if first != at:
            yield ("sources", at), f"repeats entry {first + 1}: remove one"


def _trails(file: File) -> _Contradictions:
    for at, trail in enumerate(file.trails):
        if trail.kind == "existing" and trail.data_events is not None:
            yield (
                ("trails", at, "data_events"),
                (
                    "is for new trails; what an existing trail records is changed at the trail: "
                    "remove it"
                ),
            )
        if trail.kind == "new" and trail.data_events is None:
            yield (
                ("trails", at),
                (
                    "data_events is missing and has no default, since each event costs: write the "
                    'resource types, for example ["AWS::S3::Object"], or [] for none'
                ),
            )
        if trail.kind == "new" and file.organization.management_account is None:
            yield (
                ("trails", at, "kind"),
                (
                    "is new, and an organization trail belongs to the management account: add "
                    "management_account under [organization]"
                ),
            )
        if trail.kind == "new" and trail.topic is not None:
            yield ("trails", at, "topic"), "is for existing trails: remove it"


def _alarms(file: File) -> _Contradictions:
    """Yield alarms that reach nobody: topics are regional, and other clouds need the e-mail."""
    if file.alarms.email is not None:
        return
    reached = {topic.split(":")[3] for topic in file.alarms.topics}
    unheard = [f"in {region}" for region in sorted(_regions(file) - reached)]
    unheard += ["for Google Cloud"] if file.gcp is not None else []
    unheard += ["for Azure"] if file.azure is not None else []
    if unheard:
        yield (
            ("alarms",),
            f"reaches nobody {', '.join(unheard)}: add email = ..., or topics in those regions",
        )


def _topics(file: File) -> _Contradictions:
    return topics_fit(file, _regions(file))


def _regions(file: File) -> set[str]:
    """Return every region that has alarms: of evidence buckets, their replicas, and exporters."""
    used = {one.trail for one in file.sources}
    return {
        *(one.region for one in file.evidence.buckets),
        *(one.replica.region for one in file.evidence.buckets if one.replica is not None),
        *(one.region for one in file.trails if one.name in used),
        *(one.files.region for one in file.sources if one.files is not None),
    }


def _auditors(file: File) -> _Contradictions:
    for at, auditor in enumerate(file.auditors):
        for position, principal in enumerate(auditor.principals):
            if auditor.mfa and "/aws-reserved/sso.amazonaws.com/" in principal:
                yield (
                    ("auditors", at, "principals", position),
                    "is federated and never has MFA for AWS: write mfa = false",
                )


def _guardrails(file: File) -> _Contradictions:
    if file.guardrails is not None and file.organization.management_account is None:
        yield (
            ("guardrails",),
            "are made in the management account: add management_account under [organization]",
        )


_RULES: tuple[Callable[[File], _Contradictions], ...] = (
    _not_empty,
    subscriptions_fit,
    _names,
    lists_fit,
    athena_fits,
    in_one_partition,
    _retention,
    _archive,
    _accounts,
    _references,
    _deliveries,
    _same_twice,
    _trails,
    feeds_fit,
    streams_fit,
    silence_decided,
    _alarms,
    _topics,
    _auditors,
    coverage_fits,
    canaries_fit,
    subscribers_fit,
    _guardrails,
)
