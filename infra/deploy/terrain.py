"""`make deploy-gcp` and `make deploy-azure`: identity, its trust in AWS, then the export."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from infra.deploy.config_edit import set_value
from infra.deploy.requirement import Requirement, Standing, verdict
from infra.deploy.running import NOT_FOUND, answered_yes, output, run, say
from nhi_evidence.config import Config, read
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE

OLDEST_TERRAFORM = (1, 6)
GOOGLE_STATE_ROLE = "roles/storage.objectUser"
"""What reading, writing and locking a state takes, on its bucket.
https://developer.hashicorp.com/terraform/language/backend/gcs"""

AZURE_STATE_ROLE = "Storage Blob Data Contributor"
"""What reading, writing and leasing a state takes, on its container.
https://developer.hashicorp.com/terraform/language/backend/azurerm"""

SUBJECT = "exporter_subject"
"""Output of both identity stacks: the subject AWS is to trust."""


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between the two."""

    table: str
    """Of the configuration."""
    source: str
    key: str
    """Where the configuration keeps the subject AWS trusts."""
    place: str
    """Where its stacks go, for people."""
    subject: str | None
    """As configured."""
    requirements: Callable[[], Iterator[Requirement]]
    after: tuple[str, ...] = ()
    """Outputs of the export stack that are commands to run next."""
    first_evidence: str
    signed_in: str
    """Command that prints an access token of whoever deploys."""

    @property
    def stacks(self) -> tuple[str, str]:
        """Identity first."""
        return f"{self.table}-identity", f"{self.table}-export"


def google(config: Config) -> Cloud | None:
    """Return what is deployed to Google Cloud, if anything."""
    gcp = config.gcp
    if gcp is None:
        return None

    def requirements() -> Iterator[Requirement]:
        project, organization = gcp.project, gcp.organization
        yield from _asked(
            f"project {project}",
            ["gcloud", "projects", "describe", project, "--format=value(projectNumber)"],
            "is not to be seen: gcloud auth application-default login, or another project",
        )
        yield from _asked(
            f"organization {organization}",
            ["gcloud", "organizations", "describe", organization, "--format=value(name)"],
            "is not to be seen: the sink needs roles/logging.configWriter there",
        )
        yield from _services(project)
        if gcp.state_bucket is not None:
            yield from _asked(
                f"state bucket {gcp.state_bucket}",
                ["gcloud", "storage", "objects", "list", f"gs://{gcp.state_bucket}", "--limit=1"],
                f"cannot be listed: Terraform needs {GOOGLE_STATE_ROLE} there",
            )

    return Cloud(
        table="gcp",
        source=GCP_SOURCE,
        key="service_account_id",
        place=f"project {gcp.project}, organization {gcp.organization}, {gcp.region}",
        subject=gcp.service_account_id,
        requirements=requirements,
        first_evidence="gcloud projects list, and six minutes later",
        signed_in="gcloud auth print-access-token",
    )


_NEEDED_SERVICES = ("serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com")
"""What Terraform needs to switch on the rest."""


def _services(project: str) -> Iterator[Requirement]:
    code, printed = output(
        ["gcloud", "services", "list", "--enabled", f"--project={project}",
         "--format=value(config.name)"]
    )  # fmt: skip
    scope = f"project {project}"
    if code:
        yield Requirement(scope, Standing.UNSEEN, f"services that are on ({_line(printed)})")
        return
    off = [one for one in _NEEDED_SERVICES if one not in printed.split()]
    if off:
        enable = f"gcloud services enable {' '.join(off)} --project {project}"
        yield Requirement(scope, Standing.MISSING, f"{', '.join(off)} off: {enable}")


def azure(config: Config) -> Cloud | None:
    """Return what is deployed to Azure, if anything."""
    azure = config.azure
    if azure is None:
        return None

    def requirements() -> Iterator[Requirement]:
        for subscription in azure.subscriptions:
            yield from _asked(
                f"subscription {subscription}",
                ["az", "account", "show", "--subscription", subscription, "--query", "tenantId",
                 "--output", "tsv"],
                f"is not to be seen: az login --tenant {azure.tenant}",
                wanted=azure.tenant,
                missed=": the package is published with it",
            )  # fmt: skip
        if azure.state_storage is not None:
            account, _, container = azure.state_storage.partition("/")
            yield from _asked(
                f"state container {azure.state_storage}",
                ["az", "storage", "blob", "list", "--auth-mode", "login", "--account-name",
                 account, "--container-name", container, "--num-results", "1"],
                f"cannot be listed: Terraform needs {AZURE_STATE_ROLE} there",
            )  # fmt: skip

    return Cloud(
        table="azure",
        source=AZURE_SOURCE,
        key="managed_identity_object_id",
        place=f"subscription {azure.home}, tenant {azure.tenant}, {azure.location}",
        subject=azure.managed_identity_object_id,
        requirements=requirements,
        after=("publish",),
        first_evidence="tag a resource group, and twenty minutes later",
        signed_in="az account get-access-token --query accessToken -o tsv",
    )


def deploy(cloud: Cloud, path: Path, *, out: Path, yes: bool, check_only: bool) -> int:
    """Show, check and deploy; return the exit code.

    0: deployed as far as AWS trusts it; 1: something is missing, nothing was deployed; 2: the
    configuration is wrong; 3: not confirmed; else what Terraform returned.
    """
    results = [*_terraform(), *cloud.requirements()]
    say(verdict(results), f"\nstacks, in this order, into {cloud.place}")
    say(*(f"  {one}" for one in cloud.stacks))
    say("\nwhat has to be there first", *map(str, results))
    if any(one.standing is Standing.MISSING for one in results):
        say("\nnothing was deployed")
        return 1
    from infra import terrain_app  # noqa: PLC0415 - starts a Node, loads both clouds' constructs

    code = terrain_app.main(["--config", str(path), "--out", str(out)])
    if code or check_only:
        return code
    if not yes and not answered_yes("deploy?"):
        say("nothing was deployed: answer y, or say YES=1")
        return 3
    identity, export = (out / "stacks" / one for one in cloud.stacks)
    code = _apply(identity)
    if code:
        return code
    trusted = _trust(cloud, path, identity)
    if trusted is not None:
        return trusted
    code = _apply(export) or _follow(cloud, export)
    if code:
        say("\nnot done; fix what is listed above and run it again: nothing is lost")
        return code
    say(f"\ndeployed: {' and '.join(cloud.stacks)}", f"the first evidence: {cloud.first_evidence}")
    say(f"  {cloud.signed_in} | nhi-evidence doctor --config {path} --{cloud.table}-token -")
    return 0


def _trust(cloud: Cloud, path: Path, identity: Path) -> int | None:
    """See that AWS can trust the identity; return the exit code where the export has to wait."""
    code, printed = output(["terraform", f"-chdir={identity}", "output", "-raw", SUBJECT])
    if code:
        say(f"{SUBJECT} of {identity.name}: {_line(printed)}")
        return code
    subject = printed.strip()
    if cloud.subject == subject:
        return None
    if cloud.subject is not None:
        say(
            f"\n[{cloud.table}] {cloud.key} is {cloud.subject}, and the identity that is deployed "
            f"is {subject}: AWS would refuse it. Correct {path}, make deploy, and say this again"
        )
        return 1
    set_value(path, cloud.table, cloud.key, subject)
    read(path.read_text(encoding="utf-8"), path.name)
    say(
        f'\nwritten into {path}: [{cloud.table}] {cloud.key} = "{subject}"',
        "AWS trusts it once that is deployed: make deploy, and then this again for the export",
    )
    return 0


def _apply(stack: Path) -> int:
    terraform = ["terraform", f"-chdir={stack}"]
    return run([*terraform, "init", "-input=false", "-no-color"]) or run(
        [*terraform, "apply", "-input=false", "-auto-approve", "-no-color"]
    )


def _follow(cloud: Cloud, export: Path) -> int:
    """Run the commands the stack has as outputs, such as publishing the package."""
    for name in cloud.after:
        code, printed = output(["terraform", f"-chdir={export}", "output", "-raw", name])
        if code:
            say(f"{name} of {export.name}: {_line(printed)}")
            return code
        code = run(["sh", "-c", f"cd {export} && {printed.strip()}"])
        if code:
            return code
    return 0


def _terraform() -> Iterator[Requirement]:
    code, printed = output(["terraform", "version", "-json"])
    if code:
        yield Requirement("this machine", Standing.MISSING, f"terraform: {_line(printed)}")
        return
    version = str(json.loads(printed)["terraform_version"])
    numbers = tuple(int(one) for one in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_TERRAFORM:
        needed = ".".join(map(str, OLDEST_TERRAFORM))
        text = f"terraform {version} is older than {needed}"
        yield Requirement("this machine", Standing.MISSING, text)
    else:
        yield Requirement("this machine", Standing.OK, f"terraform {version}")


def _asked(
    scope: str, command: list[str], mend: str, *, wanted: str | None = None, missed: str = ""
) -> Iterator[Requirement]:
    """Ask with a program; where it is not there, `missed` says what it is needed for."""
    code, printed = output(command)
    if code == NOT_FOUND:
        standing = Standing.MISSING if missed else Standing.UNSEEN
        yield Requirement(scope, standing, f"{printed}{missed}")
    elif code:
        yield Requirement(scope, Standing.MISSING, f"{mend} ({_line(printed)})")
    elif wanted is not None and printed.strip() != wanted:
        yield Requirement(scope, Standing.MISSING, f"belongs to {printed.strip()}, not to {wanted}")
    else:
        yield Requirement(scope, Standing.OK, "is to be seen")


def _line(printed: str) -> str:
    """Return what a program gives as its error, or else its last line."""
    lines = printed.strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR:")]
    return errors[0] if errors else lines[-1] if lines else "it said nothing"
