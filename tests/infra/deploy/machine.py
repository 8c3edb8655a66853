"""A machine to deploy to Google Cloud and Azure from: stand-ins of the programs that takes.

They write down how they are called, and answer as told.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.deploy.__main__ import main
from tests.cli.command import Result
from tests.cli.next_steps import unknown
from tests.infra.unstaged import unstaged

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / "nhi-evidence.example.toml").read_text()
SUBJECT = "109999999999999999999"
OBJECT = "44444444-5555-6666-7777-888888888888"
TENANT = "11111111-2222-3333-4444-555555555555"

STAND_IN = """#!/bin/sh
echo "$(basename $0) $*" >> "{log}"
case "$(basename $0) $*" in
{cases}
esac
exit 0
"""

WELL = {
    "terraform version -json": """echo '{"terraform_version": "1.11.4"}'""",
    "* show -json planned": """echo '{"resource_changes": []}'""",
    "*output -raw exporter_subject": f"printf {SUBJECT}",
    "*output -raw publish": "echo az functionapp deployment source config-zip",
    "gcloud services list*": "echo serviceusage.googleapis.com cloudresourcemanager.googleapis.com",
    "gcloud auth list*": "echo deployer@example.com",
    "az account show*": f"echo {TENANT}",
}


class Machine:
    """A folder of stand-ins, and what they were called with."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str], text: str, **answers: str):
        self.folder, self.log = folder, folder / "called"
        self._printed = capfd
        self.config = folder / "nhi-evidence.toml"
        self.config.write_text(text)
        self.log.touch()
        programs = folder / "bin"
        programs.mkdir()
        cases = {**answers, **WELL} | answers
        lines = "\n".join(f'"{name}"|{_glob(name)}) {do} ;;' for name, do in cases.items())
        for name in ("terraform", "gcloud", "az"):
            program = programs / name
            program.write_text(STAND_IN.format(log=self.log, cases=lines))
            program.chmod(0o755)

    def deploy(self, target: str, *arguments: str) -> Result:
        """Do what `make deploy-TARGET` does."""
        out = str(self.folder / "out")
        bundles = unstaged(self.folder / "functions")
        code = main(
            [target, "--config", str(self.config), "--out", out, *arguments], staged=bundles
        )
        result = Result(code, *self._printed.readouterr())
        assert [] == unknown(result.out + result.err), "printed, and not to be run"
        return result

    def did(self) -> list[str]:
        """Return the calls that change something, folders left out."""
        called = self.log.read_text().splitlines()
        return [
            line.replace(f"{self.folder}/out/stacks/", "")
            for line in called
            if " apply" in line or " config-zip" in line
        ]


Machines = Callable[..., Machine]


def _glob(name: str) -> str:
    """Return a pattern of sh: blanks are quoted, asterisks are not."""
    return "*".join(f'"{part}"' if part else "" for part in name.split("*"))
