"""`nhi-evidence verify`: is the evidence complete, and is it what was sealed?"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from nhi_evidence import __version__
from nhi_evidence.adapters import clock
from nhi_evidence.adapters.processes import Processes, cores
from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.adapters.store.spilling import Sorters
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import output_file
from nhi_evidence.cli.progress import Steps
from nhi_evidence.completeness.check import Check
from nhi_evidence.coverage.canary.check import Check as CanaryCheck
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.verify import (
    Options,
    Part,
    Policy,
    Report,
    State,
    Verifier,
    join,
    policy_sha256,
)
from nhi_evidence.evidence.verify.statements import StatementCheck, Together
from nhi_evidence.pipeline.reproduce import Reproducer
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.terminal import verify_report

EXAMPLES = """\b
Examples:
  nhi-evidence verify ./evidence-copy --key example.org/evidence+1a2b3c4d+AW...
  nhi-evidence verify s3://evidence --policy policy.toml --deep --reproduce --json
  nhi-evidence verify s3://evidence --policy policy.toml --since last.json --save-state next.json
  nhi-evidence verify s3://evidence --policy policy.toml --part 3/8 --json > 3.json
  nhi-evidence verify s3://evidence --policy policy.toml --join 1.json --join 2.json ...

Exit codes: 0 clean; 1 an integrity finding; 2 a completeness finding; 3 only policy or
anchor findings; 4 could not be verified (reason on standard error); 64 wrong usage.
"""

_PART = re.compile(r"(\d{1,4})/(\d{1,4})", re.ASCII)


def command(
    evidence: options.Evidence,
    *,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Check inside every object: every record, every raw text."),
    ] = False,
    reproduce: Annotated[
        bool,
        typer.Option(
            "--reproduce",
            help="Map every raw text again, where the installed release made it, and "
            "compare; implies --deep.",
        ),
    ] = False,
    since: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Verify only what came after this saved state."
        ),
    ] = None,
    save_state: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Save the state at the end of this verification to a new file."
        ),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Read only this many objects, drawn at random.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="Draw the sample of an earlier report again.")
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(
            metavar="K/N", help="Verify only part K of N, for N parallel jobs; see --join."
        ),
    ] = None,
    joined: Annotated[
        list[Path] | None,
        typer.Option(
            "--join",
            exists=True,
            dir_okay=False,
            help="Combine the --json reports of all parts.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="With --deep, number of processes; default: one per core.", metavar="N"
        ),
    ] = None,
    provider_keys: options.ProviderKeys = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Verify a sealed evidence store, a bucket or a directory copy, with only public keys.

    Checks signatures and the tree, hashes every object, counts every unit once, and looks for
    anything in the store that is not in the log; lists what it did not check. The steps V0 to V6
    are described in docs/verification.md.
    """
    trusted = options.policy(policy, key)
    _refuse_contradictions(since, sample, part, joined, save_state)
    store = open_sealed(
        evidence, Access(role_arn=role_arn, external_id=external_id, profile=profile)
    )
    known_keys = options.provider_keys(provider_keys)
    looking = Options(
        deep=deep or reproduce,
        since=_state(since) if since else None,
        sample=sample,
        seed=seed or secrets.token_hex(8),
        part=_part(part) if part else None,
        reproduce=Reproducer() if reproduce else None,
    )
    if joined:
        report = _join(store, trusted, joined)
    else:
        processes = Processes(
            jobs or cores(), deep=looking.deep, reproduce=looking.reproduce is not None
        )
        with Steps("verifying") as steps, Sorters() as sorters, processes:
            checks: list[StatementCheck] = [Check(sorters, known_keys)]
            if looking.reads_everything:
                checks.append(CanaryCheck(store, sorters))
            weighing = msgspec.structs.replace(
                looking, statements=Together(*checks), examiner=processes.examiner
            )
            verifier = Verifier(
                store,
                trusted,
                now=clock.now(),
                options=weighing,
                progress=steps.say,
                sorter=sorters,
            )
            report = verifier.run()
    if as_json:
        typer.echo(verify_report.as_document(report))
    else:
        context = verify_report.Context(
            store=evidence,
            keys=tuple(f"{pinned.name}+{pinned.id.hex()}" for pinned in trusted.keys),
            program=f"nhi-evidence {__version__}",
        )
        verify_report.show(Console(highlight=False, markup=False), report, context)
    if save_state is not None:
        _save(save_state, report)
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _refuse_contradictions(
    since: Path | None,
    sample: int | None,
    part: str | None,
    joined: Sequence[Path] | None,
    save_state: Path | None,
) -> None:
    """Raise `SettingsError` for options that exclude each other."""
    chosen = {
        "--since": since is not None,
        "--sample": sample is not None,
        "--part": part is not None,
        "--join": bool(joined),
    }
    contradicting = [name for name, is_given in chosen.items() if is_given]
    if len(contradicting) > 1:
        raise SettingsError(f"{' and '.join(contradicting)} exclude each other")
    if save_state is not None and contradicting not in ([], ["--since"]):
        raise SettingsError(f"{contradicting[0]} covers only a part, so no state can be saved")
    if save_state is not None and save_state.exists():
        raise SettingsError(f"{save_state}: already exists; name a new file")


def _part(text: str) -> Part:
    match = _PART.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise SettingsError(f"--part {text}: must be K/N, with K from 1 to N")
    return Part(int(match[1]), int(match[2]))


def _join(store: EvidenceVersions, policy: Policy, files: Sequence[Path]) -> Report:
    reports = []
    for file in files:
        try:
            reports.append(verify_report.read_document(file.read_bytes()))
        except (OSError, ValueError, RecursionError) as error:
            raise SettingsError(f"{file}: not a --json report of a part: {error}") from error
    if any(report.name != policy.name for report in reports):
        raise SettingsError(f"a report on a log other than {policy.name}")
    if any(
        report.judged is None or report.judged.policy != policy_sha256(policy) for report in reports
    ):
        raise SettingsError("a report under a different policy; use the same one for every part")
    verifier = Verifier(store, policy, now=clock.now())
    return join(reports, verifier.hashes_of, verifier.signs)


def _save(path: Path, report: Report) -> None:
    """Save a state in a new file."""
    if report.state is None:
        raise SettingsError(
            "no state to save: the log has no signed checkpoint, or too much is not sealed yet"
        )
    with output_file.create(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(report.state)) + b"\n")


def _state(path: Path) -> State:
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: not a saved state: {error}") from error
