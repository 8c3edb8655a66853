"""Writing one value into the configuration changes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.deploy.config_edit import set_value
from nhi_evidence.config import ConfigError, read
from nhi_evidence.errors import SettingsError

EXAMPLE = (Path(__file__).parents[3] / "nhi-evidence.example.toml").read_text()
KEY = "service_account_id"
LINE = f'{KEY} = "101234567890123456789"\n'


def written(path: Path, text: str, value: str = "109999999999999999999") -> list[str]:
    """Write the text and the value; return the changed lines."""
    path.write_text(text)
    set_value(path, "gcp", KEY, value)
    assert read(path.read_text()).gcp is not None
    before, after = text.splitlines(), path.read_text().splitlines()
    return [line for line in after if line not in before]


@pytest.mark.parametrize("without", ["", f"# {LINE}"])
def test_a_value_is_written_only_into_its_table(tmp_path: Path, without: str) -> None:
    """In place of the commented-out line, or after the table's header."""
    text = EXAMPLE.replace(LINE, without)
    path = tmp_path / "nhi-evidence.toml"
    assert [f'{KEY} = "109999999999999999999"'] == written(path, text)
    config = read(path.read_text())
    assert config.gcp is not None
    assert "109999999999999999999" == config.gcp.service_account_id


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    """An editor on Windows wrote them; a version control would call every line changed."""
    path = tmp_path / "nhi-evidence.toml"
    before = EXAMPLE.replace(LINE, "").replace("\n", "\r\n").encode()
    path.write_bytes(before)
    set_value(path, "gcp", KEY, "109999999999999999999")
    line = f'{KEY} = "109999999999999999999"\r\n'.encode()
    assert before == path.read_bytes().replace(line, b"")
    assert line in path.read_bytes()


def test_an_invalid_value_is_not_written(tmp_path: Path) -> None:
    """The file is validated before writing; one without the table is named."""
    path = tmp_path / "nhi-evidence.toml"
    text = EXAMPLE.replace(LINE, "")
    with pytest.raises(ConfigError):
        written(path, text, "no number")
    assert text == path.read_text()
    path.write_text("gcp = {}\n")
    with pytest.raises(SettingsError, match=r"no line \[gcp\]"):
        set_value(path, "gcp", KEY, "1")
