"""`nhi-evidence attest-absence`: nothing on record, and when it would have been recorded."""

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
from nhi_evidence.coverage.absence.conclude import searchable_platform
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

Exit codes: 0 written, and the whole window would have been recorded and is complete;
1 there are matching records, which are listed; nothing is written; 2 written, but part of
the window would not have been recorded, or is not known to be complete, or not all of the
evidence could be read; 4 could not be done; 64 wrong usage.
"""


def command(
    evidence: options.Evidence,
    *,
    identity: Annotated[str, typer.Option(help="ARN, service account e-mail, or object ID.")],
    step: Annotated[
        Step,
        typer.Option(metavar="STEP", help=f"Step of the coverage matrix: {', '.join(Step)}."),
    ],
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Start of the window.")],
    until: Annotated[
        str, typer.Option("--to", metavar="TIME", help="End of the window, exclusive.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", dir_okay=False, help="Where to write the document.")
    ],
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
) -> None:
    """State that a step by an identity is not on record in a window; never "no access".

    Combines when it would have been recorded, whether a canary confirmed that, whether delivery
    was complete, and a search of everything that counts, each with the proof that it is sealed.
    Signs nothing new.
    """
    start, end = instant(since, "--from"), instant(until, "--to")
    if start is None or end is None or start >= end:
        raise typer.BadParameter("--from must be before --to")
    platform = searchable_platform(identity)
    if output.exists():
        raise SettingsError(f"{output}: already exists; nothing is overwritten")
    trust = options.policy(policy, key)
    access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
    store = open_sealed(evidence, access)
    stored = StoredLog(store, trust.name, trust.keys)
    question = Question(identity, step, start, end, platform)
    gathered = gather(store, stored, question, trust.mappers)
    for name, reason in gathered.problems.items():
        screen.say(f"warning: not read: {name}: {reason}", err=True)
    if gathered.matching:
        records = plural.count(len(gathered.matching), "record")
        screen.say(f"ON RECORD {records}; nothing attested")
        for record in gathered.matching[:_MOST_NAMED]:
            uid = record.head.metadata.uid or "without an id"
            screen.say(f"  {record.head.api.operation} {uid}", f"    {record.at.key}")
        raise typer.Exit(exit_codes.WRONG)
    attestation = make(store, stored, question, gathered)
    # The checker will apply the policy: a document that would fail it is not written.
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
        or gathered.search.unreadable
        or gathered.problems
    ):
        raise typer.Exit(exit_codes.INCOMPLETE)


_MOST_NAMED = 20
