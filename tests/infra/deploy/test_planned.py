"""What a Terraform stack would change is shown before anybody is asked, and that is applied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from infra.deploy import planned
from infra.deploy.planned import Change, changes, summary
from infra.deploy.requirement import STEP_FAILED
from tests.infra.deploy.machine import EXAMPLE, Machines


def plan(*actions: tuple[str, list[str]], **of_each: str) -> str:
    resources = [
        {"address": address, "change": {"actions": done}, **of_each} for address, done in actions
    ]
    return json.dumps({"format_version": "1.2", "resource_changes": resources})


def test_what_is_taken_away_comes_first() -> None:
    """And what is merely read, or stays, is not listed."""
    printed = plan(
        ("x.new", ["create"]),
        ("x.other", ["update"]),
        ("x.same", ["no-op"]),
        ("data.x.read", ["read"]),
        ("x.moved", ["create", "delete"]),
        ("x.gone", ["delete"]),
        ("x.first", ["delete", "create"]),
    )
    assert [
        "gcp-export: 1 to destroy, 2 to replace, 1 to change, 1 to create",
        "  destroy  x.gone",
        "  replace  x.first",
        "  replace  x.moved",
        "  change   x.other",
        "  create   x.new",
    ] == summary("gcp-export", changes(printed))


def test_what_terraform_may_do_one_day_is_listed_before_all_else() -> None:
    """It may take something away, and is not left out."""
    printed = plan(("x.a", ["delete"]), ("x.b", ["create", "forget"]))
    assert [Change("create and forget", "x.b"), Change("destroy", "x.a")] == changes(printed)


def test_the_remains_of_a_replacement_are_told_from_its_successor() -> None:
    """Both have one address, and only one of them is destroyed."""
    printed = plan(("x.a", ["delete"]), deposed="1a2b3c4d")
    assert [Change("destroy", "x.a, a replaced one")] == changes(printed)


@pytest.mark.parametrize("printed", ["{}", plan(("x.same", ["no-op"]))])
def test_a_plan_without_changes_says_so(printed: str) -> None:
    """Outputs may change all the same."""
    assert ["gcp-identity: no resource changes"] == summary("gcp-identity", changes(printed))


REMOVAL = {"* show -json planned": f"echo '{plan(('google_project_service.x', ['delete']))}'"}


def test_the_changes_are_the_last_thing_read_before_the_question(
    machine: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who says no to the export has the identity, and nothing of the export."""
    questions: list[str] = []

    def answered(question: str) -> bool:
        questions.append(question)
        return question == "deploy gcp-identity?"

    monkeypatch.setattr(planned, "answered_yes", answered)
    here = machine(
        EXAMPLE,
        **REMOVAL,
        **{"*output -raw exporter_subject": "printf 101234567890123456789"},
    )
    done = here.deploy("gcp")
    assert planned.NOT_CONFIRMED == done.code, done.out + done.err
    assert ["deploy gcp-identity?", "deploy gcp-export?"] == questions
    assert [
        "terraform -chdir=gcp-identity apply -input=false -no-color planned",
    ] == here.did()
    assert [
        "gcp-export: 1 to destroy",
        "  destroy  google_project_service.x",
        "gcp-export was not deployed: answer y, or set YES=1",
    ] == done.out.splitlines()[-3:]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"* plan *": "echo refused >&2; exit 7"}, ""),
        ({"* show -json planned": "echo damaged >&2; exit 7"}, "cannot be shown: damaged"),
    ],
)
def test_without_a_plan_nothing_is_applied(
    machine: Machines, answers: dict[str, str], message: str
) -> None:
    """Not even with YES=1: nobody could know what it would do."""
    here = machine(EXAMPLE, **answers)
    done = here.deploy("gcp", "--yes")
    assert STEP_FAILED == done.code
    assert message in done.out
    assert [] == here.did()


def test_a_plan_may_hold_keys_so_it_is_for_its_owner_and_not_kept(
    machine: Machines, tmp_path: Path
) -> None:
    """As the state does, which it contains."""
    masks = tmp_path / "masks"
    here = machine(
        EXAMPLE,
        **{"* plan *": f"umask >> {masks}; touch ${{1#-chdir=}}/planned; ls ${{1#-chdir=}}"},
    )
    done = here.deploy("gcp", "--yes")
    assert ["0077"] == masks.read_text().split()[:1], done.out
    assert "planned" in done.out.splitlines()
    assert [] == list(here.folder.glob("out/stacks/*/planned"))


@pytest.mark.slow
def test_terraform_itself_plans_as_it_is_read_here(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With its built-in provider, which needs no registry: created, replaced, destroyed."""
    assert shutil.which("terraform"), "the real one"
    stack = tmp_path / "stack"
    stack.mkdir()
    source = stack / "main.tf.json"

    def apply(**resources: str) -> list[str]:
        body = {name: {"triggers_replace": [value]} for name, value in resources.items()}
        source.write_text(json.dumps({"resource": {"terraform_data": body}} if body else {}))
        assert 0 == planned.apply(stack, yes=True)
        lines = capfd.readouterr().out.splitlines()
        return [line for line in lines if line.startswith(("stack: ", "  create ", "  replace ",
                                                           "  destroy "))]  # fmt: skip

    assert [
        "stack: 2 to create",
        "  create  terraform_data.a",
        "  create  terraform_data.b",
    ] == apply(a="1", b="1")
    assert ["stack: no resource changes"] == apply(a="1", b="1")
    assert [
        "stack: 1 to destroy, 1 to replace",
        "  destroy  terraform_data.b",
        "  replace  terraform_data.a",
    ] == apply(a="2")
    assert not (stack / "planned").exists()
