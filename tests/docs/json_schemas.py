"""What the objects of `--json` hold, read from the values that are printed."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from functools import cache
from typing import NamedTuple

from nhi_evidence.cli.json_output import SCHEMAS


class Printed(NamedTuple):
    """Where the members of an object come from: a struct, and what is put beside its fields."""

    struct: str = ""
    """`module:class`, below `nhi_evidence`."""
    beside: dict[str, str] = {}  # noqa: RUF012 - a constant of a table


VERDICT = {"verdict": "The words of the first line."}
ENDS = {**VERDICT, "exit_code": "What the command exits with."}

PRINTED = {
    "demo": Printed("demo.run:Report"),
    "init": Printed("cli.init:_Outcome"),
    "cost": Printed(
        beside={
            "bills": "One for each estate: its lines, and what they come to in a month.",
            "prices": "Every price that was used, with its page and the day it was read.",
        }
    ),
    "doctor": Printed("terminal.doctor_report:Report"),
    "keys": Printed("cli.keys:_Printed"),
    "seal": Printed("evidence.seal:Sealed"),
    "anchor": Printed("evidence.anchoring:Anchored"),
    "replay aws": Printed("cli.replay_aws:_Summary"),
    "replay gcp": Printed("cli.replay_gcp:_Report"),
    "replay azure": Printed("cli.replay_azure:_Report"),
    "backfill gcp": Printed("cli.backfill_gcp:_Summary"),
    "verify": Printed("evidence.verify.report:Report", ENDS),
    "reconcile": Printed("terminal.reconcile_report:Report", ENDS),
    "coverage": Printed(
        "coverage.matrix:Matrix",
        {**VERDICT, "controls": "With --controls: what each control asks, judged."},
    ),
    "coverage --operation": Printed(
        beside={
            "at": "The instant that is judged, milliseconds since the epoch.",
            "operations": "One for each reading of the name: whether a call of it is recorded.",
        }
    ),
    "offboarding": Printed("coverage.offboarding:Report", VERDICT),
    "check-absence": Printed("cli.check_absence:_Result"),
    "copy": Printed("cli.copy:Copied"),
    "prove": Printed("cli.prove:_Proven"),
    "check-proof": Printed("cli.check_proof:_Result"),
    "version": Printed("cli.version:_Version"),
    "normalize": Printed("cli.normalize:Summary"),
    "summary": Printed("terminal.activity_report:Report", VERDICT),
    "timeline": Printed(
        "investigate.timeline:Timeline",
        {**VERDICT, "providers": "Whose logs the events are from."},
    ),
    "query": Printed(
        beside={
            "freshness": "What was read, what is signed of it, and what was not looked at.",
            "sql": "The question.",
            "columns": "Names, in order.",
            "rows": "A list of values for each row.",
        }
    ),
    "renormalize": Printed(
        "investigate.renormalize:Difference", {"release": "The version that mapped again."}
    ),
    "case create": Printed("cli.case_create:_Written"),
    "case verify": Printed("investigate.case.verify:CaseReport", VERDICT),
    "explain": Printed(
        beside={"explanations": "One for each operation of that name: what it means, and why."}
    ),
    "explain --coverage": Printed("catalog.atlas.coverage:Coverage"),
}


@cache
def members(command: str) -> dict[str, str]:
    """Return the members of what a command prints, with what each means."""
    printed = PRINTED[command]
    fields = _fields(printed.struct) if printed.struct else {}
    return {**printed.beside, **fields}


def _fields(name: str) -> dict[str, str]:
    module, _, struct = name.partition(":")
    value = getattr(importlib.import_module(f"nhi_evidence.{module}"), struct)
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(value))).body
    assert isinstance(definition, ast.ClassDef)
    fields: dict[str, str] = {}
    last = ""
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            last = node.target.id
            fields[last] = ""
        elif last and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            fields[last] = re.sub(r"\s+", " ", str(node.value.value)).strip()
        else:
            last = ""
    assert set(fields) == set(value.__struct_fields__)
    fields.pop("schema", None)
    return fields


def table() -> str:
    """Return every schema with its members, as Markdown."""
    parts = []
    for command, schema in SCHEMAS.items():
        lines = [f"### {command}", "", f"`{schema}`", ""]
        for name, meaning in sorted(members(command).items()):
            lines.append(f"- `{name}`: " + meaning.replace("|", "\\|"))
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
