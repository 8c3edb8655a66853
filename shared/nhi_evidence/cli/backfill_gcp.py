"""`nhi-evidence backfill gcp`: lock what Cloud Logging's API lists for a window."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from nhi_evidence import plural
from nhi_evidence.adapters import clock
from nhi_evidence.adapters.gcp import log_listing
from nhi_evidence.adapters.store.evidence_uri import Access, open_log
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import json_output, screen
from nhi_evidence.pipeline import replay
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Outcome, lock_batch
from nhi_evidence.pipeline.scope import Scope

EXAMPLES = """\b
Examples:
  nhi-evidence backfill gcp s3://nhi-evidence-222233334444 --resource organizations/123456789012 \\
      --from 2026-03-02T08 --to 2026-03-02T10 --role-arn ARN --external-id ID

Exit codes: 0 locked; 4 could not be listed or locked (reason on standard error;
repeating all of it is safe); 64 wrong usage.
"""


class _Summary(msgspec.Struct):
    units: list[str]
    """Names of the units that were locked, one for each hour."""
    seen: int = 0
    """Entries that the API listed."""
    kept: int = 0
    """Entries that are evidence."""
    rejected: int = 0
    """Entries that could not be read or mapped; locked as listed."""
    out_of_scope: int = 0
    """Entries that concern only people; counted, without their text."""
    created: int = 0
    """Objects written; fewer where some were there before."""


def command(
    evidence: options.Evidence,
    *,
    resource: Annotated[
        str, typer.Option(help="projects/ID, folders/N, organizations/N or billingAccounts/ID.")
    ],
    begins: Annotated[str, typer.Option("--from", help="First hour, UTC: 2026-03-02T08.")],
    ends: Annotated[str, typer.Option("--to", help="End hour, exclusive, UTC: 2026-03-02T10.")],
    wanted: Annotated[
        str,
        typer.Option("--filter", help="Filter in the Logging query language; empty: everything."),
    ] = "",
    scope: Annotated[Scope, typer.Option(help="What is kept.")] = Scope.NHI,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Lock the audit log entries Cloud Logging lists for a window, one unit per hour.

    Run with Google credentials that may read the logs (Application Default Credentials), and AWS
    credentials, or a role, that may put evidence. Units are marked as being in the API's form.
    """
    when = replay.window(begins, ends)
    client = log_listing.connect()
    access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
    store, summary = open_log(evidence, access), _Summary([])
    # The provider still has what people did: only hashes of those ids are kept, no text.
    mapper = Mapper("gcp_audit", scope=scope, keep_out_of_scope_raw=False)
    for delivery in log_listing.hours(client, resource, wanted, when.begins, when.ends):
        written = {"writer": "nhi-evidence backfill", "written-at": clock.utc_now()}
        outcome = lock_batch(mapper, [delivery], store, metadata=written)
        outcome.ensure_locked()
        _add(summary, delivery.unit, outcome)
    if as_json:
        json_output.write("backfill gcp", summary)
        return
    for unit in summary.units:
        screen.say(unit)
    screen.say(
        f"{plural.count(summary.seen, 'entry', 'entries')}: "
        f"{summary.kept} kept, {summary.rejected} rejected, "
        f"{summary.out_of_scope} out of scope; {plural.count(summary.created, 'object')} written"
    )


def _add(summary: _Summary, unit: str, outcome: Outcome) -> None:
    summary.units.append(unit)
    for locked in outcome.objects:
        summary.seen += locked.records
        summary.kept += locked.kept
        summary.rejected += locked.rejected
        summary.out_of_scope += sum(locked.out_of_scope.values())
        summary.created += locked.created
