"""The configuration file on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nhi_evidence import config
from nhi_evidence.errors import SettingsError

Option = Annotated[
    Path,
    typer.Option("--config", dir_okay=False, help="Configuration file of the deployment."),
]
DEFAULT = Path(config.FILE_NAME)


def load(path: Path) -> config.Config:
    """Read a configuration file. Raises `ConfigError`, and `SettingsError` when it is missing."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: {error.strerror}; nhi-evidence init writes one") from error
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8, as TOML is: {error}") from error
    return config.read(text, str(path))
