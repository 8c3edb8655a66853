"""Printed next steps exist; every other test of the command line checks this, too."""

from __future__ import annotations

import pytest

from nhi_evidence.cli.commands import COMMANDS
from tests.cli.command import run
from tests.cli.next_steps import unknown


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("next: nhi-evidence verify s3://b --key log.vkey --deep", []),
        ("next: nhi-evidence verify s3://b --keys log.vkey", ["nhi-evidence verify --keys"]),
        ("run nhi-evidence inti", ["nhi-evidence inti"]),
        ("nhi-evidence replay aws --only-missing, or nhi-evidence replay gcp --nothing",
         ["nhi-evidence replay gcp --nothing"]),
        ("nhi-evidence case verify case.zip --policy p.toml; then `make deploy`", []),
        ("first make deploi, then", ["make deploi"]),
        ("nhi-evidence 0.1.0", []),
        ("nhi-evidence: x: make it again", []),
        ("sink nhi-evidence of organizations/1", []),
        ("nothing is signed yet: nhi-evidence seal", []),
    ],
)  # fmt: skip
def test_a_nonexistent_command_is_noticed(text: str, wrong: list[str]) -> None:
    """It may be a command, an option of a command, or a make target."""
    assert wrong == unknown(text)


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_the_examples_of_every_help_exist(row: object) -> None:
    """They show how one command reads what another writes."""
    printed = run(*row.name.split(), "--help")  # type: ignore[attr-defined]
    assert (0, []) == (printed.code, unknown(printed.out))
