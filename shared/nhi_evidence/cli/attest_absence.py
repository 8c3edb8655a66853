"""`nhi-evidence attest-absence`: none on record, and when it would have been recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nhi_evidence import plural
from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, screen
from nhi_evidence.cli.record_output import instant
from nhi_evidence.coverage.absence import document
from nhi_evidence.coverage.absence.check import check
from nhi_evidence.coverage.absence.conclude import platform_of
from nhi_evidence.coverage.absence.document import Question
from nhi_evidence.coverage.absence.gather import gather
from nhi_evidence.coverage.absence.make import make
from nhi_evidence.coverage.cells import Step
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.stored_log import StoredLog

EXAMPLES = """\b
Examples:
  nhi-evidence attest-absence s3://evidence --policy policy.toml --identity ARN \\
      --step secret_access --from 2026-03-02 --to 2026-03-03 -o absence.json
  nhi-evidence check-absence absence.json --policy policy.toml

Exit codes: 0 written, and all of the time would have been recorded and is complete;
1 there are records of it (named on standard error), nothing is written; 2 written, but not all of
the time would have been recorded, or is known to be complete; 4 could not be done;
64 wrong usage.
"""


def command(
    evidence: options.Evidence,
    *,
    identity: Annotated[str, typer.Option(help="ARN, e-mail of a service account, or object id.")],
    step: Annotated[Step, typer.Option(help="Which step of the coverage matrix.")],
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="From this instant on.")],
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Until before this one.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", dir_okay=False, help="Where to write the document.")
    ],
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
) -> None:
    """State that none is on record: a step, by an identity, in a time; never "no access".

    Composes when it would have been recorded, whether a canary showed that, whether what was
    delivered is complete, and the search of everything that counts, each with the proof that it
    is sealed. Nothing new is signed.
    """
    start, end = instant(since, "--from"), instant(until, "--to")
    if start is None or end is None or start >= end:
        raise typer.BadParameter("--from has to lie before --to")
    if output.exists():
        raise SettingsError(f"{output}: is there already; nothing is overwritten")
    trust = options.policy(policy, key)
    access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
    store = open_sealed(evidence, access)
    stored = StoredLog(store, trust.name, trust.keys)
    question = Question(identity, step, start, end, platform_of(identity))
    gathered = gather(store, stored, question, trust.mappers)
    for name, reason in gathered.problems.items():
        screen.say(f"warning: cannot be read: {name}: {reason}", err=True)
    if gathered.matching:
        records = plural.count(len(gathered.matching), "record")
        screen.say(f"on record: {records}; nothing is attested")
        for record in gathered.matching[:_MOST_NAMED]:
            uid = record.head.metadata.uid or "without an id"
            screen.say(f"  {record.head.api.operation} {uid} {record.at.key}")
        raise typer.Exit(exit_codes.WRONG)
    attestation = make(store, stored, question, gathered)
    # What the policy asks of whoever checks it: a document that lacks it is not written.
    check(attestation, trust)
    try:
        with output.open("xb") as file:
            file.write(document.write(attestation))
    except OSError as error:
        raise SettingsError(f"{output}: {error.strerror}") from error
    screen.say(attestation.conclusion.text)
    screen.say(f"written to {output}")
    conclusion = attestation.conclusion
    if (
        conclusion.not_recorded
        or conclusion.not_known
        or conclusion.not_complete
        or conclusion.limits
    ):
        raise typer.Exit(exit_codes.INCOMPLETE)


_MOST_NAMED = 20
