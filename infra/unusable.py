"""How both apps report a configuration that cannot be made into stacks."""

from __future__ import annotations

import sys

from nhi_evidence.config import ConfigError
from nhi_evidence.errors import EvidenceError

EXAMPLE = "nhi-evidence.example.toml"


def unusable(error: FileNotFoundError | EvidenceError) -> int:
    """Print what is wrong, one line per problem, and return the exit code."""
    if isinstance(error, FileNotFoundError):
        lines: tuple[str, ...] = (
            (f"there is no {error.filename}: copy {EXAMPLE}, or run make init"),
        )
    elif isinstance(error, ConfigError):
        lines = error.lines()
    else:
        lines = (str(error),)
    sys.stderr.writelines(f"{line}\n" for line in lines)
    return 2
