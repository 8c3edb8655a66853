"""The configuration file, `nhi-evidence.toml`: text in, frozen values or all problems out.

`nhi-evidence.example.toml` documents it. Deploying, checking and replaying read this file only.
"""

from __future__ import annotations

import tomllib
from typing import Literal

import msgspec

from nhi_evidence.config import naming, readers, tables
from nhi_evidence.config.fill import Fault, dotted, fill
from nhi_evidence.config.locate import lines
from nhi_evidence.config.rules import ARCHIVE_MINIMUM_DAYS, broken
from nhi_evidence.errors import SettingsError

FILE_NAME = "nhi-evidence.toml"

TRIAL_DAYS = 1
"""Lock and grace of `profile = "trial"`, in days."""

DEFAULT_GRACE_DAYS = 30

DEFAULT_ARCHIVE_DAYS = 30


class Problem(msgspec.Struct, frozen=True):
    """A problem in a configuration file."""

    file: str
    line: int
    """Starting at 1."""
    key: str
    """Dotted name of the key or table; empty for the file as a whole."""
    text: str
    """What is wrong and what to write instead."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {f'{self.key}: ' if self.key else ''}{self.text}"


class ConfigError(SettingsError):
    """A configuration file is invalid; gives every problem with its line and how to fix it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(map(str, problems)))

    def lines(self) -> tuple[str, ...]:
        """Return every problem."""
        return tuple(map(str, self.problems))


class EvidenceBucket(msgspec.Struct, frozen=True, kw_only=True):
    """One evidence bucket, with its profile applied."""

    name: str
    bucket: str
    region: str
    log: str
    retention_days: int
    """R: how long each version is locked."""
    grace_days: int
    """Days from the end of the lock to expiry."""
    archive_after_days: int | None
    """Days until objects move to Glacier Instant Retrieval; None: never."""
    replica: tables.Replica | None
    athena: tables.Athena | None

    @property
    def id(self) -> str:
        """The deployment id in the name of everything that is made for this bucket alone."""
        return naming.deployment(self.name, self.log)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence account."""

    account: str
    signer: Literal["ed25519", "p256"]
    cosigner: Literal["ml-dsa-44", "none"]
    token_issuer: str | None
    legal_role: str | None
    buckets: tuple[EvidenceBucket, ...]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration without contradictions."""

    trial: bool
    organization: tables.Organization
    log_archive: tables.LogArchive
    evidence: Evidence
    trails: tuple[tables.Trail, ...]
    sources: tuple[tables.SourceEntry, ...]
    auditors: tuple[readers.Auditor, ...]
    subscribers: tuple[readers.Subscriber, ...]
    alarms: tables.Alarms
    gcp: tables.Gcp | None
    azure: tables.Azure | None
    coverage: tables.Coverage | None
    canaries: tuple[tables.Canaries, ...]
    guardrails: tables.Guardrails | None

    @property
    def id(self) -> str:
        """The deployment id in names of what serves several buckets: that of the first one."""
        return self.evidence.buckets[0].id

    def bucket(self, name: str) -> EvidenceBucket:
        """Return the evidence bucket that sources call `name`."""
        return next(one for one in self.evidence.buckets if one.name == name)

    def trail(self, name: str) -> tables.Trail:
        """Return the trail that sources call `name`."""
        return next(one for one in self.trails if one.name == name)

    def subscriber(self, bucket: str) -> readers.Subscriber | None:
        """Return the subscriber of the evidence bucket called `bucket`, or None."""
        return next((one for one in self.subscribers if one.evidence == bucket), None)

    def canaries_of(self, bucket: str) -> tables.Canaries | None:
        """Return the canaries whose records arrive in the bucket called `bucket`, or None."""
        return next((one for one in self.canaries if one.evidence == bucket), None)

    def sources_in(self, bucket: str) -> tuple[tables.SourceEntry, ...]:
        """Return the sources kept in the evidence bucket called `bucket`."""
        return tuple(one for one in self.sources if one.evidence == bucket)


def read(text: str, name: str = FILE_NAME) -> Config:
    """Return the configuration in the text of a file called `name`.

    Raises `ConfigError` with all unknown keys and values of a wrong kind, or, if there are none,
    with all contradictions: values that cannot be read cannot be compared.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((_syntax(str(error), name, text),)) from error
    faults: list[Fault] = []
    file = fill(tables.File, document, faults)
    if file is not None:
        faults = broken(file)
    if faults or file is None:
        raise ConfigError(_placed(faults, text, name))
    return _resolved(file)


def _resolved(file: tables.File) -> Config:
    trial = file.profile == "trial"
    buckets = tuple(_bucket(one, trial=trial) for one in file.evidence.buckets)
    return Config(
        trial=trial,
        organization=file.organization,
        log_archive=file.log_archive,
        evidence=Evidence(
            account=file.evidence.account,
            signer=file.evidence.signer,
            cosigner=file.evidence.cosigner,
            token_issuer=file.evidence.token_issuer,
            legal_role=file.evidence.legal_role,
            buckets=buckets,
        ),
        trails=file.trails,
        sources=file.sources,
        auditors=file.auditors,
        subscribers=file.subscribers,
        alarms=file.alarms,
        gcp=file.gcp,
        azure=file.azure,
        coverage=file.coverage,
        canaries=file.canaries,
        guardrails=file.guardrails,
    )


def _bucket(table: tables.BucketTable, *, trial: bool) -> EvidenceBucket:
    retention_days = table.retention_days or TRIAL_DAYS
    return EvidenceBucket(
        name=table.name,
        bucket=table.bucket,
        region=table.region,
        log=table.log,
        retention_days=retention_days,
        grace_days=table.grace_days or (TRIAL_DAYS if trial else DEFAULT_GRACE_DAYS),
        archive_after_days=_archive_after(table.archive_after_days, retention_days),
        replica=table.replica,
        athena=table.athena,
    )


def _archive_after(days: int | None, retention_days: int) -> int | None:
    if days is None:
        worthwhile = retention_days - DEFAULT_ARCHIVE_DAYS >= ARCHIVE_MINIMUM_DAYS
        return DEFAULT_ARCHIVE_DAYS if worthwhile else None
    return days or None


def _placed(faults: list[Fault], text: str, name: str) -> tuple[Problem, ...]:
    where = lines(text)
    problems = []
    for fault in faults:
        path = fault.path
        while path not in where:
            path = path[:-1]
        problems.append(Problem(name, where[path], dotted(fault.path), fault.text))
    return tuple(sorted(problems, key=lambda problem: problem.line))


def _syntax(message: str, name: str, text: str) -> Problem:
    """Return a syntax error; `tomllib` ends its message with "(at line 3, column 7)"."""
    what, _, place = message.rpartition(" (at ")
    number = place.removeprefix("line ").partition(",")[0]
    line = int(number) if number.isdigit() else text.count("\n") + 1
    return Problem(name, line, "", f"is not TOML: {what[:1].lower()}{what[1:]}; see toml.io")
