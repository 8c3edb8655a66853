"""The app as run: a configuration in, Terraform out, the same every time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.terrain.synthesis import ROOT, example, synthesize


def _files(folder: Path) -> dict[str, bytes]:
    return {
        one.relative_to(folder).as_posix(): one.read_bytes()
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }


def test_the_same_configuration_gives_the_same_files(tmp_path: Path) -> None:
    """Synthesized twice, in different folders, every file has the same bytes."""
    first, second = tmp_path / "first", tmp_path / "elsewhere" / "second"
    synthesize(first)
    synthesize(second)
    assert _files(first / "out") == _files(second / "out")


def test_nothing_of_this_machine_is_in_the_files(tmp_path: Path) -> None:
    """No path of the checkout, of the output or of a home."""
    synthesize(tmp_path)
    local_paths = re.compile("|".join(map(re.escape, (str(ROOT), str(tmp_path), str(Path.home())))))
    files = [one for one in (tmp_path / "out").rglob("*.json") if one.is_file()]
    assert files
    assert [] == [one for one in files if local_paths.search(one.read_text())]


def test_state_is_a_file_unless_a_place_is_named(tmp_path: Path) -> None:
    """It is beside the output, by a relative path, or in the named place, without credentials."""
    local = synthesize(tmp_path / "local")
    places = {
        name: {"local": {"path": f"../../../terraform.main-170b2e.{name}.tfstate"}}
        for name in local
    }
    assert places == {name: one["terraform"]["backend"] for name, one in local.items()}
    kept = synthesize(
        tmp_path / "kept",
        change=('# state_bucket = "example-terraform-state"', 'state_bucket = "example-state"'),
    )
    assert {
        "gcs": {"bucket": "example-state", "prefix": "nhi-evidence/main-170b2e/gcp-export"}
    } == kept["gcp-export"]["terraform"]["backend"]
    kept = synthesize(tmp_path / "azure", change=('# state_storage = "', 'state_storage = "'))
    assert {
        "azurerm": {
            "storage_account_name": "examplestate",
            "container_name": "terraform",
            "key": "nhi-evidence/main-170b2e/azure-export.tfstate",
            "use_azuread_auth": True,
        }
    } == kept["azure-export"]["terraform"]["backend"]


def test_no_state_is_another_configuration_s(tmp_path: Path) -> None:
    """Applied from the same folder, or to the same bucket, it would change what the other made."""
    own = synthesize(tmp_path / "own")
    other = synthesize(tmp_path / "other", change=("example.org/evidence", "example.org/second"))
    assert set(own) == set(other)
    for name, stack in own.items():
        assert stack["terraform"]["backend"] != other[name]["terraform"]["backend"], name


@pytest.mark.slow
def test_the_program_synthesizes_without_terraform(tmp_path: Path) -> None:
    """Terraform may be missing for reading stacks or deploying only AWS; this is as in `make
    synth`.
    """
    without = tmp_path / "terraform"
    without.write_text("#!/bin/sh\nexit 127\n")
    without.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "infra.terrain_app", "--out", str(tmp_path / "out"),
         "--config", str(ROOT / "nhi-evidence.example.toml")],
        cwd=ROOT,
        env={**os.environ, "NODE_OPTIONS": "", "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    assert (tmp_path / "out" / "stacks" / "azure-export").is_dir()
    stacks = sorted(path.name for path in (tmp_path / "out" / "stacks").iterdir())
    assert f"{tmp_path / 'out'}: {len(stacks)} stacks: {', '.join(stacks)}\n" == done.stdout


@pytest.mark.slow
def test_how_constructs_are_loaded_changes_no_file(tmp_path: Path) -> None:
    """All of a provider loaded at once, as everybody does, gives what tests look into."""
    here, apart = tmp_path / "here", tmp_path / "apart"
    synthesize(here)
    program = (
        "import pathlib, sys; from tests.infra.terrain.synthesis import synthesize;"
        " synthesize(pathlib.Path(sys.argv[1]))"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(apart)],
        cwd=ROOT,
        env={**os.environ, "NODE_OPTIONS": ""},
        check=True,
    )
    assert _files(here / "out") == _files(apart / "out")


def test_a_cloud_that_is_not_configured_has_no_stack(tmp_path: Path) -> None:
    """Without [azure] there is only Google Cloud."""
    text = example()
    azure = text[text.index("[azure]") : text.index("# Who may read the evidence")]
    source = (
        '[[sources]]\nsource = "azure_monitor"\nevidence = "main"\nkeep_out_of_scope_raw = true\n'
    )
    assert text.count(source) == 1
    stacks = synthesize(tmp_path, text=text.replace(azure, "").replace(source, ""))
    assert ["gcp-export", "gcp-identity"] == sorted(stacks)


def test_a_wrong_configuration_is_reported_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No stack is written, and the error has file, line and fix."""
    from infra import terrain_app  # noqa: PLC0415 - starts jsii

    wrong = tmp_path / "wrong.toml"
    wrong.write_text(example('project = "example-evidence"', 'project = "Example"'))
    out = tmp_path / "out"
    assert 2 == terrain_app.main(["--config", str(wrong), "--out", str(out)])
    errors = capsys.readouterr().err
    assert re.match(r'wrong\.toml:\d+: gcp\.project: "Example" is not the id of a', errors)
    assert [] == list(out.rglob("*.json"))


def test_a_missing_configuration_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the missing file and what to do."""
    from infra import terrain_app  # noqa: PLC0415 - starts jsii

    assert 2 == terrain_app.main(["--config", str(tmp_path / "none.toml")])
    assert "none.toml: copy nhi-evidence.example.toml" in capsys.readouterr().err
