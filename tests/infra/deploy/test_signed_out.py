"""`make deploy-gcp` and `make deploy-azure` when nobody is signed in, or that cannot be checked."""

from __future__ import annotations

import pytest

from infra.deploy.requirement import NOTHING_ASKED
from tests.infra.deploy.machine import EXAMPLE, ROOT, TENANT, Machines

SIGN_IN = {
    "gcp": ("gcloud auth login --update-adc", {"gcloud auth list*": "exit 0"}),
    "azure": (
        f"az login --tenant {TENANT}",
        {"az account show*": "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1"},
    ),
}
"""How to sign in, and the command line's message when nobody is."""

QUESTIONS = {
    "gcp": ("project example-evidence", "organization 123456789012", "cloudresourcemanager"),
    "azure": ("subscription 22222222-3333-4444-5555-666666666666",),
}


@pytest.mark.parametrize("arguments", [(), ("--check",), ("--yes",)])
@pytest.mark.parametrize("target", SIGN_IN)
def test_the_plan_is_shown_to_whoever_is_not_signed_in(
    machine: Machines, target: str, arguments: tuple[str, ...]
) -> None:
    """Stacks and place, each requirement as not checked, how to sign in, and its own exit code."""
    sign_in, answers = SIGN_IN[target]
    here = machine(EXAMPLE, **answers)
    done = here.deploy(target, *arguments)
    assert NOTHING_ASKED == done.code, done.out
    lines = done.out.splitlines()
    assert lines[0].startswith("not ready: 1 ok, 1 missing, ")
    assert f"  {target}-identity" in lines
    assert f"  {target}-export" in lines
    (missing,) = [line for line in lines if line.startswith("  missing ")]
    assert f"nobody is signed in: {sign_in}" in missing
    unseen = [line for line in lines if line.startswith("  not checked ")]
    for thing in QUESTIONS[target]:
        assert any(thing in line for line in unseen), thing
    assert "nothing could be checked without credentials, and nothing was deployed" == lines[-1]
    assert [] == here.did()
    called = here.log.read_text()
    assert "projects describe" not in called
    assert "--subscription" not in called, "who is signed out is asked nothing more"


@pytest.mark.parametrize("target", SIGN_IN)
def test_the_page_signs_in_as_the_program_says(target: str) -> None:
    """One command signs in both Terraform and the cloud's command line."""
    page = (ROOT / "docs" / f"deploy-{target}.md").read_text()
    sign_in, _ = SIGN_IN[target]
    assert sign_in.removesuffix(f" --tenant {TENANT}") in page


def test_a_check_that_saw_nothing_does_not_succeed(machine: Machines) -> None:
    """Without gcloud's answers nothing of Google Cloud was checked, so `--check` is not 0."""
    gone = "exit 127"
    here = machine(EXAMPLE, **{"gcloud auth list*": "echo somebody"})
    (here.folder / "bin" / "gcloud").write_text(f"#!/nonexistent\n{gone}\n")
    done = here.deploy("gcp", "--check")
    assert NOTHING_ASKED == done.code, done.out
    assert "  not checked  project example-evidence: whether it can be seen" in done.out
