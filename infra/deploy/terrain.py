"""`make deploy-gcp` and `make deploy-azure`: identity, its trust in AWS, then the export."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from infra.bundle import Bundle, stage
from infra.deploy import planned
from infra.deploy.config_edit import set_value
from infra.deploy.requirement import (
    NOTHING_ASKED,
    STEP_FAILED,
    Requirement,
    Standing,
    nothing_asked,
    verdict,
)
from infra.deploy.running import NOT_FOUND, PROGRAM, output, run, say
from nhi_evidence.config import Config
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE

OLDEST_TERRAFORM = (1, 6)
GOOGLE_STATE_ROLE = "roles/storage.objectUser"
"""The role that reading, writing and locking a state takes, on its bucket.
https://developer.hashicorp.com/terraform/language/backend/gcs"""

AZURE_STATE_ROLE = "Storage Blob Data Contributor"
"""The role that reading, writing and leasing a state takes, on its container.
https://developer.hashicorp.com/terraform/language/backend/azurerm"""

SUBJECT = "exporter_subject"
"""Output of both identity stacks: the subject that AWS has to trust."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that has to exist, checked with the cloud's own command line."""

    scope: str
    what: str
    """What is asked, to report when it cannot be."""
    command: list[str]
    mend: str
    """What to do if the answer is an error."""
    wanted: str | None = None
    """The right answer, if there is only one."""
    missed: str = ""
    """What the program itself is needed for, if the deployment cannot do without it."""
    judge: Callable[[str], Requirement | None] | None = None
    """Judges an answer, where the rest is not enough."""


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between the two clouds."""

    table: str
    """Its table in the configuration."""
    source: str
    key: str
    """Key, in that table, of the subject AWS trusts."""
    place: str
    """Where its stacks go, as shown to people."""
    subject: str | None
    """The subject as configured."""
    identity: list[str]
    """Command that prints who is signed in."""
    sign_in: str
    """Command that signs in."""
    questions: tuple[Question, ...]
    after: tuple[str, ...] = ()
    """Outputs of the export stack that are commands to run next."""
    first_evidence: str
    signed_in: str
    """Command that prints an access token of the deployer."""

    @property
    def stacks(self) -> tuple[str, str]:
        """Return the names of its stacks, identity first."""
        return f"{self.table}-identity", f"{self.table}-export"


def google(config: Config) -> Cloud | None:
    """Return what is deployed to Google Cloud, if anything."""
    gcp = config.gcp
    if gcp is None:
        return None
    project, organization = gcp.project, gcp.organization
    questions = [
        Question(
            scope=f"project {project}",
            what="whether it can be seen",
            command=["gcloud", "projects", "describe", project, "--format=value(projectNumber)"],
            mend="cannot be seen: is the name right, and does this account have a role there?",
        ),
        Question(
            scope=f"organization {organization}",
            what="whether it can be seen; the sink needs roles/logging.configWriter there",
            command=["gcloud", "organizations", "describe", organization, "--format=value(name)"],
            mend="cannot be seen: the sink needs roles/logging.configWriter there",
        ),
        Question(
            scope=f"project {project}",
            what=f"whether {' and '.join(_NEEDED_SERVICES)} are on",
            command=["gcloud", "services", "list", "--enabled", f"--project={project}",
                     "--format=value(config.name)"],
            mend="does not list its services",
            judge=lambda printed: _services(project, printed),
        ),
    ]  # fmt: skip
    if gcp.state_bucket is not None:
        questions.append(
            _state(
                f"state bucket {gcp.state_bucket}",
                GOOGLE_STATE_ROLE,
                ["gcloud", "storage", "objects", "list", f"gs://{gcp.state_bucket}",
                         "--limit=1"],
            )
        )  # fmt: skip
    return Cloud(
        table="gcp",
        source=GCP_SOURCE,
        key="service_account_id",
        place=f"project {project}, organization {organization}, {gcp.region}",
        subject=gcp.service_account_id,
        identity=["gcloud", "auth", "list", "--filter=status:ACTIVE", "--format=value(account)"],
        # For gcloud, and for Terraform, which has credentials of its own.
        sign_in="gcloud auth login --update-adc",
        questions=tuple(questions),
        first_evidence="run gcloud projects list, and wait six minutes",
        signed_in="gcloud auth print-access-token",
    )


def _state(scope: str, role: str, command: list[str]) -> Question:
    return Question(
        scope=scope,
        what=f"whether it can be listed; Terraform needs {role} there",
        command=command,
        mend=f"cannot be listed: Terraform needs {role} there",
    )


_NEEDED_SERVICES = ("serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com")
"""What Terraform needs to switch on the rest."""


def _services(project: str, printed: str) -> Requirement | None:
    off = [one for one in _NEEDED_SERVICES if one not in printed.split()]
    if not off:
        return None
    enable = f"gcloud services enable {' '.join(off)} --project {project}"
    return Requirement(f"project {project}", Standing.MISSING, f"{', '.join(off)} off: {enable}")


def azure(config: Config) -> Cloud | None:
    """Return what is deployed to Azure, if anything."""
    azure = config.azure
    if azure is None:
        return None
    sign_in = f"az login --tenant {azure.tenant}"
    questions = [
        Question(
            scope=f"subscription {subscription}",
            what=f"whether it can be seen, and of tenant {azure.tenant}",
            command=["az", "account", "show", "--subscription", subscription, "--query",
                     "tenantId", "--output", "tsv"],
            mend=f"cannot be seen: {sign_in}",
            wanted=azure.tenant,
            missed=": the package is published with it",
        )
        for subscription in azure.subscriptions
    ]  # fmt: skip
    if azure.state_storage is not None:
        account, _, container = azure.state_storage.partition("/")
        questions.append(
            _state(
                f"state container {azure.state_storage}",
                AZURE_STATE_ROLE,
                ["az", "storage", "blob", "list", "--auth-mode", "login", "--account-name",
                         account, "--container-name", container, "--num-results", "1"],
            )
        )  # fmt: skip
    return Cloud(
        table="azure",
        source=AZURE_SOURCE,
        key="managed_identity_object_id",
        place=f"subscription {azure.home}, tenant {azure.tenant}, {azure.location}",
        subject=azure.managed_identity_object_id,
        identity=["az", "account", "show", "--query", "user.name", "--output", "tsv"],
        sign_in=sign_in,
        questions=tuple(questions),
        after=("publish",),
        first_evidence="tag a resource group, and wait twenty minutes",
        signed_in="az account get-access-token --query accessToken -o tsv",
    )


def deploy(
    cloud: Cloud,
    path: Path,
    *,
    out: Path,
    yes: bool,
    check_only: bool,
    staged: Callable[[str], Bundle] = stage,
) -> int:
    """Show, check and deploy; return the exit code. `staged` returns the bundle of a function.

    Each stack is planned and shown before it is asked for: the export after the identity is there.

    0: deployed as far as AWS trusts it; 1: something is missing, nothing was deployed; 2: the
    configuration is wrong; 3: not confirmed; 4: nothing could be asked; 5: Terraform or another
    program failed, whatever its code was.
    """
    code, printed = output(cloud.identity)
    # Without the program nothing tells who is signed in: each question is reported as not asked.
    is_signed_out = code != NOT_FOUND and (code != 0 or not printed.strip())
    answers = _unasked(cloud, printed) if is_signed_out else [*map(_answer, cloud.questions)]
    of_cloud = [one for one in answers if one is not None]
    results = [*_terraform(), *of_cloud]
    say(verdict(results), f"\nstacks, in this order, into {cloud.place}")
    say(*(f"  {one}" for one in cloud.stacks))
    say("\nwhat has to be there first", *map(str, results))
    if is_signed_out:
        say("\nnothing could be checked without credentials, and nothing was deployed")
        return NOTHING_ASKED
    if any(one.standing is Standing.MISSING for one in results):
        say("\nnothing was deployed")
        return 1
    from infra import terrain_app  # noqa: PLC0415 - starts a Node, loads both clouds' constructs

    code = terrain_app.main(["--config", str(path), "--out", str(out)], staged=staged)
    if code or check_only:
        return code or (NOTHING_ASKED if nothing_asked(of_cloud) else 0)
    identity, export = (out / "stacks" / one for one in cloud.stacks)
    code = planned.apply(identity, yes=yes)
    if code:
        return code
    trusted = _trust(cloud, path, identity)
    if trusted is not None:
        return trusted
    code = planned.apply(export, yes=yes)
    if code == planned.NOT_CONFIRMED:
        return code
    if code or _follow(cloud, export):
        say("\nnot done; fix what is listed above and run it again: nothing is lost")
        return STEP_FAILED
    say(f"\ndeployed: {' and '.join(cloud.stacks)}", f"the first evidence: {cloud.first_evidence}")
    say(f"  {cloud.signed_in} | {PROGRAM} doctor --config {path} --{cloud.table}-token -")
    return 0


def _trust(cloud: Cloud, path: Path, identity: Path) -> int | None:
    """See that AWS can trust the identity; return an exit code if the export has to wait."""
    code, printed = output(["terraform", f"-chdir={identity}", "output", "-raw", SUBJECT])
    if code:
        say(f"{SUBJECT} of {identity.name}: {_line(printed)}")
        return STEP_FAILED
    subject = printed.strip()
    if cloud.subject == subject:
        return None
    if cloud.subject is not None:
        say(
            f"\n[{cloud.table}] {cloud.key} is {cloud.subject}, but the deployed identity is "
            f"{subject}: AWS would refuse it. Correct {path}, run make deploy, then this again"
        )
        return 1
    set_value(path, cloud.table, cloud.key, subject)
    say(
        f'\nwritten into {path}: [{cloud.table}] {cloud.key} = "{subject}"',
        "AWS trusts it once that is deployed: run make deploy, then this again for the export",
    )
    return 0


def _follow(cloud: Cloud, export: Path) -> int:
    """Run the commands among the stack's outputs, such as publishing the package."""
    for name in cloud.after:
        code, printed = output(["terraform", f"-chdir={export}", "output", "-raw", name])
        if code:
            say(f"{name} of {export.name}: {_line(printed)}")
            return code
        code = run(["sh", "-c", f"cd {shlex.quote(str(export))} && {printed.strip()}"])
        if code:
            return code
    return 0


def _terraform() -> Iterator[Requirement]:
    code, printed = output(["terraform", "version", "-json"])
    if code:
        yield Requirement("this machine", Standing.MISSING, f"terraform: {_line(printed)}")
        return
    try:
        version = msgspec.json.decode(printed, type=dict[str, Any])["terraform_version"]
    except (msgspec.DecodeError, KeyError):
        yield Requirement(
            "this machine", Standing.MISSING, f"terraform states no version: {_line(printed)}"
        )
        return
    numbers = tuple(int(one) for one in re.findall(r"\d+", str(version))[:2])
    if numbers < OLDEST_TERRAFORM:
        needed = ".".join(map(str, OLDEST_TERRAFORM))
        text = f"terraform {version} is older than {needed}"
        yield Requirement("this machine", Standing.MISSING, text)
    else:
        yield Requirement("this machine", Standing.OK, f"terraform {version}")


def _unasked(cloud: Cloud, printed: str) -> list[Requirement]:
    """Return what would be asked, and why it was not."""
    reason = f"nobody is signed in: {cloud.sign_in}" + (f" ({_line(printed)})" if printed else "")
    return [
        Requirement("this machine", Standing.MISSING, reason),
        *(Requirement(one.scope, Standing.UNSEEN, one.what) for one in cloud.questions),
    ]


def _answer(question: Question) -> Requirement | None:
    """Return the requirement an answer leads to, if any."""
    code, printed = output(question.command)
    scope = question.scope
    if code == NOT_FOUND:
        if question.missed:
            return Requirement(scope, Standing.MISSING, f"{printed}{question.missed}")
        return Requirement(scope, Standing.UNSEEN, f"{question.what} ({printed})")
    if question.judge is not None:
        if code:
            return Requirement(scope, Standing.UNSEEN, f"{question.what} ({_line(printed)})")
        return question.judge(printed)
    if code:
        return Requirement(scope, Standing.MISSING, f"{question.mend} ({_line(printed)})")
    if question.wanted is not None and printed.strip() != question.wanted:
        text = f"belongs to {printed.strip()}, not to {question.wanted}"
        return Requirement(scope, Standing.MISSING, text)
    return Requirement(scope, Standing.OK, "can be seen")


def _line(printed: str) -> str:
    """Return the error line of a program's output, or else its last line."""
    lines = printed.strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR:")]
    return errors[0] if errors else lines[-1] if lines else "no output"
