"""`nhi-evidence version`: what is installed, and which formats it reads and writes."""

from __future__ import annotations

import platform
import sys
from typing import Annotated

import msgspec
import typer

from nhi_evidence import __version__
from nhi_evidence.adapters import build_info
from nhi_evidence.cli import evidence_options, json_output, screen
from nhi_evidence.evidence import leaf, lines
from nhi_evidence.ocsf import write
from nhi_evidence.pipeline.release import mapper_identity
from nhi_evidence.terminal import verify_report

EXAMPLES = """\b
Examples:
  nhi-evidence version
  nhi-evidence version --verbose

Exit codes: 0 shown; 64 wrong usage.
"""


class _Version(msgspec.Struct):
    """What `--json` prints."""

    version: str
    """Of this release."""
    commit: str | None
    """None where the commit is unknown."""
    mapper: str
    """SHA-256 over the code and tables that decide what a record becomes."""
    evidence_format: int
    """Version of the form of evidence objects."""
    leaf_format: int
    """Version of the form of the log's entries."""
    verify_report: str
    """Schema of what `verify --json` prints."""
    ocsf: str
    """Version of OCSF that records are in."""
    nhi_extension: str
    """Version of the `nhi` extension of OCSF."""
    python: str
    """Version of Python that runs it."""


def command(
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also show commit, mapper digest and formats.")
    ] = False,
    as_json: evidence_options.Json = False,
) -> None:
    """Show the version; with --verbose, everything an auditor may have to cite.

    The mapper digest is the one in the header of every evidence object made by this release.
    """
    if not (verbose or as_json):
        screen.say(f"nhi-evidence {__version__}")
        if sys.stdout.isatty():  # one line when piped, for scripts
            screen.say("add --verbose for commit, mapper digest and formats")
        return
    version = _Version(
        version=__version__,
        commit=build_info.commit(),
        mapper=mapper_identity().digest,
        evidence_format=lines.FORMAT_VERSION,
        leaf_format=leaf.FORMAT_VERSION,
        verify_report=verify_report.SCHEMA,
        ocsf=write.VERSION,
        nhi_extension=write.EXTENSION_VERSION,
        python=f"{platform.python_implementation()} {platform.python_version()} {sys.platform}",
    )
    if as_json:
        json_output.write("version", version)
        return
    rows = {
        "commit": version.commit or "not recorded",
        "mapper": version.mapper,
        "formats": f"evidence {version.evidence_format}, leaf {version.leaf_format}, "
        f"{version.verify_report}",
        "schema": f"OCSF {version.ocsf}, nhi extension {version.nhi_extension}",
        "python": version.python,
    }
    screen.say(f"nhi-evidence {version.version}")
    for name, value in rows.items():
        screen.say(f"{name:9}{value}")
