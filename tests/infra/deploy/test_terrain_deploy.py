"""`make deploy-gcp` and `make deploy-azure`: order, what is missing, and one pass over AWS.

Terraform, gcloud and az are stand-ins that record their calls and give set answers: this tests the
order of steps, not that the clouds accept them (docs/deploy-gcp.md, deploy-azure.md). It runs in
this process, so the constructs are loaded once, not for every test.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from infra.deploy import terrain
from infra.deploy.requirement import STEP_FAILED, Standing
from tests.infra.deploy.machine import EXAMPLE, OBJECT, ROOT, SUBJECT, TENANT, Machines


def without(key: str) -> str:
    """Return the example before an identity is known."""
    lines = EXAMPLE.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(f"{key} = "))


def knowing(key: str, value: str) -> str:
    """Return the example with an identity."""
    return without(key).replace(f"[{_table(key)}]\n", f'[{_table(key)}]\n{key} = "{value}"\n')


def _table(key: str) -> str:
    return "gcp" if key == "service_account_id" else "azure"


@pytest.mark.slow
def test_the_identity_comes_first_and_goes_into_the_configuration(machine: Machines) -> None:
    """So AWS is deployed once, knowing it; the export waits for that."""
    here = machine(without("service_account_id"))
    done = here.deploy("gcp", "--yes")
    assert 0 == done.code, done.out + done.err
    assert ["terraform -chdir=gcp-identity apply -input=false -no-color planned"] == here.did()
    assert f'service_account_id = "{SUBJECT}"' in here.config.read_text()
    assert done.out.splitlines()[0] == "ready: 3 ok"
    assert "run make deploy, then this again" in done.out.splitlines()[-1]
    again = here.deploy("gcp", "--yes")
    assert 0 == again.code, again.out + again.err
    assert [
        "terraform -chdir=gcp-identity apply -input=false -no-color planned",
        "terraform -chdir=gcp-export apply -input=false -no-color planned",
    ] == here.did()[1:]
    last = again.out.split("\n")[-2].strip()
    assert f"| .venv/bin/nhi-evidence doctor --config {here.config} --gcp-token -" in last


def test_azure_is_published_after_it_is_made(machine: Machines) -> None:
    """Publishing the package is the last step of the same command."""
    text = knowing("managed_identity_object_id", OBJECT)
    answers = {"*output -raw exporter_subject": f"printf {OBJECT}"}
    here = machine(text, **answers)
    done = here.deploy("azure", "--yes")
    assert 0 == done.code, done.out + done.err
    assert [
        "terraform -chdir=azure-identity apply -input=false -no-color planned",
        "terraform -chdir=azure-export apply -input=false -no-color planned",
        "az functionapp deployment source config-zip",
    ] == here.did()
    assert "subscription 22222222-3333-4444-5555-666666666666" in done.out
    # Without -reconfigure, a folder that another configuration was applied from asks to copy its
    # state over this one's.
    begun = [call for call in here.log.read_text().splitlines() if " init " in call]
    assert 2 == len(begun)
    assert all(" -reconfigure " in call for call in begun)


def test_a_state_in_a_file_is_for_its_owner_alone(machine: Machines, tmp_path: Path) -> None:
    """Azure's contains the keys that Azure Monitor writes with (decision 48)."""
    masks = tmp_path / "masks"
    answers = {
        "*output -raw exporter_subject": f"printf {OBJECT}",
        "* apply *": f"umask >> {masks}",
    }
    done = machine(knowing("managed_identity_object_id", OBJECT), **answers).deploy(
        "azure", "--yes"
    )
    assert 0 == done.code, done.out + done.err
    assert ["0077", "0077"] == masks.read_text().split()


def test_a_folder_may_have_a_blank_in_its_name(machine: Machines, tmp_path: Path) -> None:
    """The package is published from it all the same."""
    answers = {"*output -raw exporter_subject": f"printf {OBJECT}"}
    here = machine(knowing("managed_identity_object_id", OBJECT), **answers)
    done = here.deploy("azure", "--yes", "--out", str(tmp_path / "of mine" / "out"))
    assert 0 == done.code, done.out + done.err
    assert "az functionapp deployment source config-zip" == here.did()[-1]


def test_another_identity_than_aws_trusts_stops_it(machine: Machines) -> None:
    """AWS would refuse everything, so nothing else is created."""
    here = machine(knowing("service_account_id", "101111111111111111111"))
    done = here.deploy("gcp", "--yes")
    assert 1 == done.code
    assert f"the deployed identity is {SUBJECT}: AWS would refuse it" in done.out
    assert 1 == len(here.did())
    assert SUBJECT not in here.config.read_text()


@pytest.mark.parametrize(
    ("target", "answers", "problem"),
    [
        ("gcp", {"terraform version -json": "exit 3"}, "terraform: no output"),
        ("gcp", {"terraform version -json": "echo v1"}, "terraform states no version: v1"),
        (
            "gcp",
            {"terraform version -json": """echo '{"terraform_version": "1.5.7"}'"""},
            "terraform 1.5.7 is older than 1.6",
        ),
        (
            "gcp",
            {"gcloud services list*": "echo run.googleapis.com serviceusage.googleapis.com"},
            "gcloud services enable cloudresourcemanager.googleapis.com --project example-evidence",
        ),
        (
            "gcp",
            {"gcloud projects describe*": "echo denied >&2; exit 1"},
            "is the name right, and does this account have a role there? (denied)",
        ),
        ("azure", {"az account show*": "echo another"}, f"belongs to another, not to {TENANT}"),
        (
            "azure",
            {"az account show --subscription*": "exit 1"},
            f"cannot be seen: az login --tenant {TENANT}",
        ),
    ],
)
def test_a_missing_requirement_is_one_line_and_nothing_is_deployed(
    machine: Machines, target: str, answers: dict[str, str], problem: str
) -> None:
    """The verdict comes first, each requirement with its fix, and no stack is touched."""
    here = machine(EXAMPLE, **answers)
    done = here.deploy(target, "--yes")
    assert 1 == done.code, done.out + done.err
    assert done.out.startswith("not ready: ")
    assert any("missing" in line and problem in line for line in done.out.splitlines()), done.out
    assert [] == here.did()


def test_a_program_that_the_deployment_needs_is_missing_and_another_unseen() -> None:
    """Az publishes the package; without gcloud Terraform still deploys."""
    other = terrain.Question(
        scope="x", what="whether", command=["there-is-no-such-program"], mend="do"
    )
    needed = msgspec.structs.replace(other, missed=": it publishes")
    missing, unseen = terrain._answer(needed), terrain._answer(other)
    assert missing
    assert unseen
    assert (Standing.MISSING, Standing.UNSEEN) == (missing.standing, unseen.standing)
    assert ": it publishes" in str(missing)


def test_a_program_s_own_error_line_is_quoted() -> None:
    """Not the last line of its advice, which does not name the error."""
    printed = "ERROR: (gcloud.projects.describe) no account\nPlease run:\n  to select an account.\n"
    assert "ERROR: (gcloud.projects.describe) no account" == terrain._line(printed)
    assert "denied" == terrain._line("asked\ndenied\n")


STATES = {
    "gcp": (
        ('# state_bucket = "', 'state_bucket = "'),
        {"gcloud storage objects list gs://example-terraform-state*": "echo 403 >&2; exit 1"},
        terrain.GOOGLE_STATE_ROLE,
        {"storage.objects.list", "storage.objects.get", "storage.objects.create",
         "storage.objects.delete"},
    ),
    "azure": (
        ('# state_storage = "', 'state_storage = "'),
        {"az storage blob list*--account-name examplestate*": "echo 403 >&2; exit 1"},
        terrain.AZURE_STATE_ROLE,
        {f"Microsoft.Storage/storageAccounts/blobServices/containers/{one}" for one in
         ("blobs/read", "blobs/write", "blobs/delete")},
    ),
}  # fmt: skip
"""How the configuration names a place for the state, how it refuses, the required role, and the
calls of Terraform's backend: it lists, reads, overwrites, locks and unlocks."""

ANSWERS = {
    "roles/storage.objectUser": {
        f"storage.objects.{one}"
        for one in ("create", "createContext", "delete", "get", "list", "move", "restore", "update")
    },
    "Storage Blob Data Contributor": {
        f"Microsoft.Storage/storageAccounts/blobServices/containers/{one}"
        for one in ("read", "write", "delete", "blobs/read", "blobs/write", "blobs/delete")
    },
}
"""Permissions on objects and blobs in these roles.
https://cloud.google.com/storage/docs/access-control/iam-roles
https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage"""


@pytest.mark.parametrize("target", STATES)
def test_the_state_s_place_is_checked_with_the_role_the_page_names(
    machine: Machines, target: str
) -> None:
    """The printed role, the one in docs/deploy-*.md, and what the backend needs agree."""
    (before, after), refusal, role, calls = STATES[target]
    named = EXAMPLE.replace(before, after)
    assert named != EXAMPLE
    done = machine(named, **refusal).deploy(target, "--yes")
    assert 1 == done.code, done.out
    assert f"cannot be listed: Terraform needs {role} there (403)" in done.out
    page = (ROOT / "docs" / f"deploy-{target}.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith("| state ")]
    assert role in row
    assert calls <= ANSWERS[role]
    table = page[page.index("## What the deployer needs") :].split("\n\n")[1]
    assert row in table, "a row of the table, and not beside it"


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("target", STATES)
def test_only_a_remote_state_is_checked(machine: Machines, target: str, is_named: bool) -> None:
    """A file beside the configuration needs no permissions."""
    before, after = STATES[target][0]
    done = machine(EXAMPLE.replace(before, after) if is_named else EXAMPLE).deploy(
        target, "--check"
    )
    seen = [line for line in done.out.splitlines() if "state " in line and "be seen" in line]
    assert is_named == bool(seen), done.out


def test_missing_programs_are_reported_before_loading_constructs(machine: Machines) -> None:
    """With the program that `make` runs: noticing that Terraform is missing takes no Node."""
    here = machine(EXAMPLE, **{"terraform version -json": "exit 3"})
    code = (
        "import sys; from infra.deploy.__main__ import main; code = main()\n"
        "sys.exit(f'loaded {code}' if 'jsii' in sys.modules else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "gcp", "--config", str(here.config)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (1, "") == (done.returncode, done.stderr), done.stdout
    assert "terraform: no output" in done.stdout


def test_without_a_terminal_nothing_is_deployed_unasked(machine: Machines) -> None:
    """Nobody can answer; YES=1 does."""
    here = machine(EXAMPLE)
    done = here.deploy("gcp")
    assert 3 == done.code
    assert "set YES=1" in done.out
    assert [] == here.did()


def test_a_terraform_failure_ends_the_deployment_and_can_be_repeated(machine: Machines) -> None:
    """With one exit code, as its own may mean something else here; and nothing follows."""
    here = machine(
        knowing("service_account_id", SUBJECT),
        **{"*gcp-export apply*": "echo no >&2; exit 7"},
    )
    done = here.deploy("gcp", "--yes")
    assert STEP_FAILED == done.code
    assert "run it again: nothing is lost" in done.out


@pytest.mark.parametrize("code", [1, 3, 4])
def test_a_package_that_cannot_be_published_is_no_refused_question(
    machine: Machines, code: int
) -> None:
    """The program of Azure ends with 3 where something is not there, and so does a no here."""
    answers = {
        "*output -raw exporter_subject": f"printf {OBJECT}",
        "az functionapp deployment*": f"echo not there >&2; exit {code}",
    }
    here = machine(knowing("managed_identity_object_id", OBJECT), **answers)
    done = here.deploy("azure", "--yes")
    assert STEP_FAILED == done.code
    assert "run it again: nothing is lost" in done.out


def test_a_configuration_without_the_cloud_is_named(machine: Machines) -> None:
    """There is nothing to deploy there."""
    text = EXAMPLE[: EXAMPLE.index("[azure]")] + EXAMPLE[EXAMPLE.index("# Who may read") :]
    start = text.index('[[sources]]\nsource = "azure_monitor"')
    end = text.index("# Another source that is delivered")
    here = machine(text[:start] + text[end:])
    done = here.deploy("azure")
    assert (2, f"{here.config} has no table [azure]\n") == (done.code, done.err)
