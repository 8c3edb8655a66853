"""`nhi-evidence reconcile`: is everything the provider delivered in the evidence?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from nhi_evidence import plural
from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.adapters.store.spilling import Sorters
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import output_file, saved_listings, screen
from nhi_evidence.cli.progress import Steps
from nhi_evidence.completeness import provider_keys as sealed_keys
from nhi_evidence.completeness import reconcile, statement_file
from nhi_evidence.completeness.judge import Known
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.saved import SavedHour
from nhi_evidence.completeness.statement import Statements
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import keys as evidence_keys
from nhi_evidence.terminal import reconcile_report

EXAMPLES = """\b
Examples:
  nhi-evidence reconcile ./evidence-copy --key log.vkey --provider-keys keys.json
  nhi-evidence reconcile s3://evidence --policy policy.toml --from 2026030200 --to 2026030223
  nhi-evidence reconcile ./evidence-copy --key log.vkey --require proven --json

Exit codes: 0 nothing is known to be missing; 2 something is; 3 a verdict is weaker
than --require asks; 4 could not be done (reason on standard error); 64 wrong usage.
"""

_HOUR = re.compile(r"\d{10}", re.ASCII)


def command(
    evidence: options.Evidence,
    *,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    provider_keys: options.ProviderKeys = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="YYYYMMDDHH", help="First hour to judge, UTC."),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="YYYYMMDDHH", help="Last hour to judge, UTC.")
    ] = None,
    require: Annotated[
        Verdict | None,
        typer.Option(help="Fail where the verdict on a closed hour is weaker."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Write the statements to this new directory, as the deployed function seals them.",
        ),
    ] = None,
    listings: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Also use the saved listings in this directory.",
        ),
    ] = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Compare what each provider states it delivered with what is counted, hour by hour.

    Reads only a sealed evidence store, a bucket or a directory copy: CloudTrail's signed digest
    files, the numbers of Event Hub messages, and saved listings of providers' APIs, sealed by the
    deployment or kept elsewhere. A verdict is proven, reconciled, contiguous or unprovable, and
    says nothing about integrity: that is verify's job.
    """
    trusted = options.policy(policy, key)
    is_due = _due(source, first, last)
    store = open_sealed(
        evidence, Access(role_arn=role_arn, external_id=external_id, profile=profile)
    )
    if out is not None and out.exists():
        raise SettingsError(f"{out}: already exists; name a new directory")
    now = clock.now()
    with Steps("reconciling") as steps, Sorters() as sorters:
        sealed = reconcile.full(
            store, trusted.name, trusted.keys, sorters, now=now, progress=steps.say
        )
        read = reconcile.gather(
            store, sealed, sorters, now=now, grace_ms=trusted.grace_ms, progress=steps.say
        )
        inputs, known_keys = sealed_keys.read(store)
        pinned = options.provider_keys(provider_keys)
        known = Known(log=read.log, keys=pinned or known_keys, mappers=trusted.mappers)
        tally = reconcile_report.Tally(read.log, keep_all=as_json, required=require)
        used = () if pinned else inputs
        for of_hour in reconcile.statements(read, known, inputs=used, due=is_due):
            tally.add(of_hour)
            if out is not None:
                _write(out, of_hour)
        saved = saved_listings.load(store, sealed.listings, listings, is_due)
        hours = {subject: SavedHour(each, sorters()) for subject, each in saved.listings.items()}
        for of_hour in reconcile.by_listings(store, sealed, hours, known):
            tally.add(of_hour)
            if out is not None:
                _write(out, of_hour)
    report = tally.report
    report.objects, report.unsound = read.objects, dict(read.unsound)
    report.not_checked = list(
        _not_checked(
            has_keys=bool(pinned), has_sealed=bool(known_keys), findings=len(read.findings)
        )
    )
    report.not_checked += saved.not_checked
    if as_json:
        typer.echo(reconcile_report.as_document(report))
    else:
        screen.say(*reconcile_report.lines(report))
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _due(source: str | None, first: str | None, last: str | None) -> Callable[[str, str], bool]:
    for hour in (first, last):
        if hour is not None and (
            _HOUR.fullmatch(hour) is None or evidence_keys.hour_start(hour) is None
        ):
            raise SettingsError(f"{hour}: not an hour of the form YYYYMMDDHH")
    if first is not None and last is not None and first > last:
        raise SettingsError(f"--from {first} is after --to {last}")

    def is_due(own: str, hour: str) -> bool:
        return (
            source in {None, own}
            and (first is None or first <= hour)
            and (last is None or hour <= last)
        )

    return is_due


def _write(folder: Path, of_hour: Statements) -> None:
    for written in statement_file.write(of_hour):
        path = folder / written.key
        path.parent.mkdir(parents=True, exist_ok=True)
        with output_file.create(path) as file:
            file.write(written.body)


def _not_checked(*, has_keys: bool, has_sealed: bool, findings: int) -> Iterator[str]:
    if not has_keys and has_sealed:
        yield (
            "whether the public keys sealed by the deployment are the provider's (--provider-keys; "
            "`aws cloudtrail list-public-keys` prints them)"
        )
    if not has_keys and not has_sealed:
        yield "signatures of the digest files: no public key is sealed, and none was given"
    if findings:
        number = plural.count(findings, "finding")
        yield f"{number} on the log itself: see nhi-evidence verify"
    yield "integrity: the bytes of objects that hold no digest file (nhi-evidence verify)"
