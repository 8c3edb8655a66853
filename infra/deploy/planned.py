"""Plan a Terraform stack, show what would change, ask, and apply that plan."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import msgspec

from infra.deploy.requirement import STEP_FAILED
from infra.deploy.running import OWN_FILES, answered_yes, output, run, say

NOT_CONFIRMED = 3
"""Exit code if nobody said yes."""

_FILE = "planned"
"""The plan, in the stack's folder. It may contain what the state does, in Azure keys."""

_WORDS = {
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
    ("update",): "change",
    ("create",): "create",
}
"""Actions of a plan in words; those that take something away first.
https://developer.hashicorp.com/terraform/internals/json-format#change-representation"""

_UNCHANGED = (["no-op"], ["read"])


class Change(msgspec.Struct, frozen=True):
    """What a plan does to one resource."""

    action: str
    address: str


def changes(plan: str) -> list[Change]:
    """Return what a plan changes (`terraform show -json`), what it takes away first."""
    order = list(dict.fromkeys(_WORDS.values()))
    changed = [
        Change(_word(one["change"]["actions"]), _address(one))
        for one in json.loads(plan).get("resource_changes", ())
        if one["change"]["actions"] not in _UNCHANGED
    ]
    # What Terraform does beyond these words may take something away, too.
    return sorted(
        changed,
        key=lambda change: (
            order.index(change.action) if change.action in order else -1,
            change.address,
        ),
    )


def _word(actions: list[str]) -> str:
    return _WORDS.get(tuple(actions), " and ".join(actions))


def _address(change: dict[str, str]) -> str:
    # A replaced object of which the destruction failed has the address of its successor.
    return change["address"] + (", a replaced one" if "deposed" in change else "")


def summary(stack: str, of_plan: list[Change]) -> list[str]:
    """Return the lines on a plan: how many of each action, and each by its address."""
    if not of_plan:
        return [f"{stack}: no resource changes"]
    count = Counter(one.action for one in of_plan)
    total = ", ".join(f"{number} to {action}" for action, number in count.items())
    width = max(map(len, count))
    return [f"{stack}: {total}", *(f"  {one.action:{width}}  {one.address}" for one in of_plan)]


def apply(stack: Path, *, yes: bool) -> int:
    """Plan a stack and apply what was shown; return the exit code.

    Unless `yes`, whoever is at the terminal is asked in between.
    """
    program = ["terraform", f"-chdir={stack}"]
    plan = stack / _FILE
    try:
        # A state file has what the stack reads, in Azure the keys of the hub; and one of another
        # configuration, which the folder may remember, stays where it is.
        for command in (["init", "-reconfigure"], ["plan", f"-out={_FILE}"]):
            if run([*program, *command, "-input=false", "-no-color"], umask=OWN_FILES):
                return STEP_FAILED
        code, printed = output([*program, "show", "-json", _FILE])
        if code:
            say(f"the plan of {stack.name} cannot be shown: {printed.strip() or 'no output'}")
            return STEP_FAILED
        say("", *summary(stack.name, changes(printed)))
        if not yes and not answered_yes(f"deploy {stack.name}?"):
            say(f"{stack.name} was not deployed: answer y, or set YES=1")
            return NOT_CONFIRMED
        applied = [*program, "apply", "-input=false", "-no-color", _FILE]
        return STEP_FAILED if run(applied, umask=OWN_FILES) else 0
    finally:
        plan.unlink(missing_ok=True)
